"""Months side by side, divided as one: one question to the engine where there would be many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import pyarrow as pa

from cli.jobs.dividing import divide, to_allocate
from cli.jobs.month import Month
from cli.jobs.pools import table_of
from db import snapshots
from royalty.allocation import Pool, postings
from royalty.errors import NotReady
from royalty.money import Money
from royalty.rules import Facts, PoolTotals

BOOKED = "per_generation"  # the rule that gives each track what was booked against it
SAME_MICROS = 10**12
PARTS_MAX = 10**7
PARTS = pa.schema(
    {"pool": pa.int64(), "track": pa.string(), "payee": pa.string(), "part": pa.float64()}
)

Posted = Sequence[Mapping[str, Any]]  # pool, payee, kind, micros
Track = Mapping[str, Any]  # pool, track


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A month and the rule to divide it by."""

    rule: str
    month: Month


def kept(month: Month) -> Month:
    """Have all tables of a month that will be divided many times worked out once."""
    names = ("usage", "revenue", "history", "credits")
    tables = {name: snapshots.hold(getattr(month.facts, name)) for name in names}
    facts = replace(month.facts, **tables)
    return replace(month, facts=facts, shares=snapshots.hold(month.shares))


def divide_together(asked: Sequence[Asked]) -> list[Posted]:
    """Divide months by their rules; for each, what is posted, by the numbers of its own pools.

    Not for rules that see artists, whose boosts are the whole month's, nor with thresholds.
    """
    if not asked:
        return []
    rows = snapshots.run(divide(_beside_each_other(asked), BOOKED).posted).to_pylist()
    posted: list[Posted] = []
    start = 0
    for each in asked:
        end = start + len(each.month.pools)
        mine = [{**row, "pool": row["pool"] - start} for row in rows if start <= row["pool"] < end]
        posted.append(mine)
        start = end
    return posted


def _beside_each_other(asked: Sequence[Asked]) -> Month:
    """Make one month of all pools of many, each pool a source with a rule of its own."""
    pools: list[Pool] = []
    totals: list[PoolTotals] = []
    rules: dict[str, str] = {}
    facts: list[Facts] = []
    for each in asked:
        facts.append(_numbered_from(each.month.facts, len(pools)))
        for pool, total in zip(each.month.pools, each.month.totals, strict=True):
            place = len(pools)
            rules[str(place)] = each.month.rule_of(pool, each.rule)
            pools.append(replace(pool, source=str(place)))
            totals.append(replace(total, pool=place))
    first = asked[0].month
    usage = snapshots.hold(ibis.union(*(each.usage for each in facts)))
    whole = replace(
        first.facts.with_usage(usage),
        revenue=snapshots.hold(ibis.union(*(each.revenue for each in facts))),
        pools=ibis.union(*(each.pools for each in facts)),
    )
    return replace(
        first,
        given=replace(first.given, settings=replace(first.settings, rule_of_source=rules)),
        pools=pools,
        totals=totals,
        facts=whole.kept(snapshots.hold),
    )


def _numbered_from(facts: Facts, start: int) -> Facts:
    tables = {name: getattr(facts, name) for name in ("usage", "revenue", "pools")}
    return replace(
        facts, **{name: rows.mutate(pool=rows.pool + start) for name, rows in tables.items()}
    )


def parts_of(month: Month, played: Sequence[Track]) -> pa.Table:
    """Say what part of each track's money, in its pool, becomes whose: `PARTS`.

    Every track that was played is allocated as a pool of its own, all as large. Raises `NotReady`
    where tracks and works are too many for that.
    """
    if len(played) * month.held.works > PARTS_MAX:
        raise NotReady(
            f"{len(played):,} tracks were played, {month.held.works:,} works are licensed; these "
            f"figures are worked out up to {PARTS_MAX:,} of one times the other"
        )
    if not played:
        return PARTS.empty_table()
    amount = Money(SAME_MICROS, month.currency)
    pools = [replace(month.pools[each["pool"]], amount=amount) for each in played]
    earned = [
        {"pool": place, "track": each["track"], "micros": SAME_MICROS, "plays": 1}
        for place, each in enumerate(played)
    ]
    allocated = postings(to_allocate(month, pools, table_of(earned)))
    rows = [
        {**played[row["pool"]], "payee": row["payee"], "part": row["micros"] / SAME_MICROS}
        for row in snapshots.run(allocated).to_pylist()
        if row["payee"]
    ]
    return pa.Table.from_pylist(rows, schema=PARTS)
