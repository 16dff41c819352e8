"""Payouts as computed: previews, one of each rule a period, until the period closes with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Table, select

from db import chain, schema
from db.books import periods
from db.engine import Books, now, writing
from royalty.errors import NotReady
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """One pool of a payout, and what of it is idle or unattributed."""

    id: str
    source: str
    territory: str
    currency: str
    gross_micros: int
    pool_micros: int
    idle_micros: int
    unattributed_micros: int
    came_currency: str | None = None  # this and what follows: where it came in another currency
    came_micros: int | None = None
    fx_rate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFacts:
    """A payout's summary: what pages and statements read. The whole is its snapshot."""

    period: Period
    rule: str
    rule_version: str
    provider: str
    publishing_ppm: int
    snapshot: str  # of the allocations
    inputs: Mapping[str, Sequence[str]]  # usage, revenue, shares, history, rights.… → snapshots
    settings: str | None = None  # as canonical JSON: with the inputs, all that decided
    pools: Sequence[PoolFacts]
    payees: Sequence[tuple[str, int, int, int, int]]  # payee, micros, low, high, attributed
    tracks: Sequence[tuple[str, int, int]]  # track, plays, micros
    recordings: Sequence[tuple[str, int, int, int]]  # recording, micros, low, high
    suspense: Mapping[str, int]
    platform_micros: int

    @property
    def id(self) -> str:
        """Name the payout; a period has one of each rule."""
        return f"{self.period}/{self.rule}"


def record_payout(books: Books, facts: PayoutFacts) -> bool:
    """Record a payout in place of the older one of its rule; say whether anything changed.

    Raises `PeriodClosed`, and `NotReady` where there is no pool or more than one currency.
    """
    row, parts = _row(facts), _parts(facts)
    row["content_sha256"] = chain.computed(row, {each.name: rows for each, rows in parts.items()})
    with writing(books) as connection:
        there = schema.payout.c
        known = select(there.content_sha256).where(there.id == facts.id)
        if connection.scalar(known) == row["content_sha256"]:
            return False
        periods.begin(connection, facts.period)
        _forget(connection, facts.id)
        connection.execute(schema.payout.insert(), row | {"recorded_at": now()})
        for table, rows in parts.items():
            if rows:
                connection.execute(table.insert(), [{"payout": facts.id} | each for each in rows])
    return True


def _forget(connection: Connection, payout: str) -> None:
    for table in schema.PAYOUT_PARTS:
        connection.execute(table.delete().where(table.c.payout == payout))
    connection.execute(schema.payout.delete().where(schema.payout.c.id == payout))


def _row(facts: PayoutFacts) -> dict[str, object]:
    currencies = sorted({pool.currency for pool in facts.pools})
    if len(currencies) != 1:
        raise NotReady(
            f"period {facts.period} has revenue in {', '.join(currencies) or 'no currency'};"
            " a payout is of exactly one: import revenue of one currency"
        )
    return {
        "id": facts.id,
        "period": str(facts.period),
        "rule": facts.rule,
        "rule_version": facts.rule_version,
        "provider": facts.provider,
        "currency": currencies[0],
        "publishing_ppm": facts.publishing_ppm,
        "snapshot": facts.snapshot,
        "platform_micros": facts.platform_micros,
        "settings": facts.settings,
    }


def _parts(facts: PayoutFacts) -> dict[Table, list[dict[str, object]]]:
    inputs = sorted((sha256, kind) for kind, hashes in facts.inputs.items() for sha256 in hashes)
    suspense = sorted(facts.suspense.items())
    return {
        schema.payout_input: _rows(("snapshot", "kind"), inputs),
        schema.payout_pool: [asdict(pool) for pool in facts.pools],
        schema.payout_payee: _rows(_PAYEE, facts.payees),
        schema.payout_track: _rows(("track", "plays", "micros"), facts.tracks),
        schema.payout_recording: _rows(_RECORDING, facts.recordings),
        schema.payout_suspense: _rows(("kind", "micros"), suspense),
    }


_PAYEE = ("payee", "micros", "low_micros", "high_micros", "attributed_micros")
_RECORDING = ("recording", "micros", "low_micros", "high_micros")


def _rows(names: Sequence[str], values: Sequence[tuple[object, ...]]) -> list[dict[str, object]]:
    return [dict(zip(names, each, strict=True)) for each in sorted(values, key=lambda v: str(v[0]))]
