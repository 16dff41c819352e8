"""Rules run on worlds, through DuckDB: compiled once, as many worlds in a run as one likes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import ibis
import pyarrow as pa

from db.engines import connect
from royalty.division import settle
from royalty.rules import RULES, Facts, PoolTotals, pool_totals
from tests.oracle import PPB, World

SCHEMAS = {
    "usage": {"pool": int, "listener": str, "track": str, "plays": int, "active": int},
    "revenue": {"pool": int, "listener": str, "track": str, "net_micros": int},
    "pools": {"pool": int, "rate_ppm": int},
    "history": {"track": str, "plays": int, "listeners": int},
    "credits": {"track": str, "artist": str, "ppb": int},
}


@cache
def connection() -> ibis.BaseBackend:
    """One connection for all worlds."""
    return connect("duckdb?threads=1")


@cache
def compiled(name: str, options: tuple[tuple[str, object], ...] = ()) -> str:
    """The SQL of a rule's, its settled or the totals' expression, to run on many worlds.

    Alone, it divides each world's own pool, and those beside it are left to other rules.
    """
    facts = Facts(**{table: ibis.table(schema, table) for table, schema in SCHEMAS.items()})
    totals = pool_totals(facts)
    kind, _, rule = name.rpartition(" ")
    if rule == "totals":
        return str(ibis.to_sql(totals, dialect="duckdb"))
    if kind == "alone":
        facts = facts.of_pools(facts.pools.filter(facts.pools.pool % 10 == 0).select("pool"))
        totals = pool_totals(facts)
    quotas = RULES[rule].divide(facts, RULES[rule].options(**dict(options)))
    expression = (
        quotas
        if kind == "floored"
        else settle(quotas, totals.select("pool", whole_micros=totals.pool_micros), order=["track"])
    )
    return str(ibis.to_sql(expression, dialect="duckdb"))


def facts_of(worlds: Sequence[World]) -> dict[str, pa.Table]:
    """Bring worlds into a rule's tables, the tracks and artists of each under names of its own.

    The pools of a world come as `10 * n`, and those beside it as the numbers that follow.
    """
    rows: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for n, world in enumerate(worlds):
        for pool, each in enumerate([world, *world.beside], 10 * n):
            rows["pools"].append((pool, each.rate_ppm))
            rows["usage"] += [
                (pool, who, f"{n}.{track}", count, each.active.get((who, track), 0))
                for (who, track), count in each.plays.items()
            ]
            rows["revenue"] += [(pool, who, "", net) for who, net in each.fees.items()]
            rows["revenue"] += [
                (pool, who, f"{n}.{track}", net) for (who, track), net in each.booked.items()
            ]
        for track in sorted({track for _, track, _ in world.month()}):
            rows["history"].append((f"{n}.{track}", *world.reach(track)))
            rows["credits"] += [
                (f"{n}.{track}", artist and f"{n}.{artist}", ppb)
                for artist, ppb in world.artists(track).items()
            ]
    return {name: _arrow(name, rows[name]) for name in SCHEMAS}


def _arrow(name: str, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(SCHEMAS[name])
    schema = ibis.schema(SCHEMAS[name]).to_pyarrow()
    return pa.table([pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema)


def run(sql: str, tables: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    duck = connection().con
    for name, table in tables.items():
        duck.register(name, table)
    return duck.sql(sql).to_arrow_table().to_pylist()


def divided_all(rule: str, worlds: Sequence[World], **options: object) -> list[dict[str, int]]:
    """Micros per track of each world's own pool, by the rule on DuckDB, all in one run."""
    amounts: list[dict[str, int]] = [{} for _ in worlds]
    for row in run(compiled(rule, tuple(options.items())), facts_of(worlds)):
        n, beside = divmod(row["pool"], 10)
        if not beside and row["micros"]:
            amounts[n][row["track"].removeprefix(f"{n}.")] = row["micros"]
    return [dict(sorted(each.items())) for each in amounts]


def divided(rule: str, world: World, **options: object) -> dict[str, int]:
    """Micros per track, by the rule on DuckDB."""
    (amounts,) = divided_all(rule, [world], **options)
    return amounts


def floored_all(rule: str, worlds: Sequence[World], **options: object) -> list[dict[str, Fraction]]:
    """What the rule itself returns: exactly what it has not cut off."""
    quotas: list[dict[str, Fraction]] = [{} for _ in worlds]
    for row in run(compiled(f"floored {rule}", tuple(options.items())), facts_of(worlds)):
        n, beside = divmod(row["pool"], 10)
        assert 0 <= row["remainder"] < PPB
        quota = row["micros"] + Fraction(row["remainder"], PPB)
        if not beside and quota:
            quotas[n][row["track"].removeprefix(f"{n}.")] = quota
    return quotas


def totals(world: World) -> PoolTotals:
    (row,) = run(compiled("totals"), facts_of([world]))
    return PoolTotals(**row)
