"""Statements: the ledger says how much, the allocations say what for, line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, func, select

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.catalogue import described
from db.queries.ledger import PostingRow, posting_row, selected
from db.queries.payouts import payout
from db.queries.viewer import EVERYONE, Viewer
from royalty.errors import NotFound, PeriodNotClosed
from royalty.ledger import payable
from royalty.money import Money, total
from royalty.payout import PoolAmount
from royalty.period import Period
from royalty.statement import Heading, Line, Movements, Statement, make_statement

EARNED = "allocation"  # the kind of transaction that a line explains; all others adjust


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What the lines of one statement are made from."""

    rule: str
    rule_of_source: Mapping[str, str]
    snapshot: str
    pools: Mapping[str, PoolAmount]
    earned: Mapping[tuple[str | None, str | None], PostingRow]  # (pool, right)
    recordings: Mapping[str, Row[Any]]
    parties: Mapping[str, str | None]  # id → IPI


def statement(
    viewer: Viewer, books: Books, payee: str, period: Period, *, rule: str | None = None
) -> Statement:
    """Draw up a payee's statement of a closed period. Raises `PeriodNotClosed` and `NotFound`.

    Its lines add up to what was posted to the payee, to the micro: that is asserted here.
    """
    viewer.require(payee)
    with reading(books) as connection:
        closed = _closed(connection, period, rule)
        name = connection.scalar(select(schema.party.c.name).where(schema.party.c.id == payee))
        if name is None:
            raise NotFound(f"there is no payee '{payee}'; 'tantieme payouts {period}' lists them")
        posted = _posted(connection, payee, period)
        opening = _opening(connection, payee, period, closed.currency)
        recordings = {row.id: row for row in connection.execute(described())}
        parties = dict(connection.execute(select(schema.party.c.id, schema.party.c.ipi)).all())
    paid = payout(EVERYONE, books, period, closed.rule)
    earned = [row for row in posted if row.kind == EARNED]
    sources = _Sources(
        rule=paid.rule,
        rule_of_source=paid.rule_of_source,
        snapshot=paid.snapshot,
        pools={pool.id: pool for pool in paid.pools},
        earned={(row.pool, row.right): row for row in earned},
        recordings=recordings,
        parties=parties,
    )
    lines = list(_lines(snapshots.read(books, paid.snapshot), payee, sources))
    _agree(lines, earned)
    adjusted = total((-row.amount for row in posted if row.kind != EARNED), opening.currency)
    heading = Heading(
        payee=payee,
        payee_name=name,
        period=period,
        rule=paid.rule,
        rule_version=paid.rule_version,
    )
    movements = replace(Movements.none(opening.currency, opening=opening), adjustments=adjusted)
    return make_statement(heading, lines, movements)


def _closed(connection: Connection, period: Period, rule: str | None) -> Row[Any]:
    """Find how a period was closed, and in what currency."""
    this, paid = schema.period, schema.payout
    wanted = select(this, paid.c.currency).outerjoin(paid, paid.c.id == this.c.payout)
    row = connection.execute(wanted.where(this.c.id == str(period))).one_or_none()
    if row is None or row.status != "closed":
        raise PeriodNotClosed(f"period {period} is not closed; run 'tantieme close {period}'")
    if rule not in (None, row.rule):
        raise NotFound(
            f"period {period} was closed with {row.rule}; there is no statement by {rule}"
        )
    return row


def _posted(connection: Connection, payee: str, period: Period) -> list[PostingRow]:
    mine = selected().where(
        schema.posting.c.account == payable(payee), schema.transaction_.c.period == str(period)
    )
    return [posting_row(row) for row in connection.execute(mine)]


def _opening(connection: Connection, payee: str, period: Period, currency: str) -> Money:
    """Sum what was posted to the payee in earlier periods."""
    posted, of = schema.posting.c, schema.transaction_.c
    before = (
        select(func.sum(posted.amount_micros))
        .join(schema.transaction_, of.id == posted.transaction_id)
        .where(posted.account == payable(payee), posted.currency == currency)
        .where(of.period < str(period))
    )
    return Money(-int(connection.scalar(before) or 0), currency)


def _lines(table: pa.Table, payee: str, sources: _Sources) -> Iterator[Line]:
    table = table.append_column("number", pa.array(range(1, len(table) + 1), pa.int64()))
    mine = table.filter(pc.equal(table["payee"], payee)).to_pylist()
    kept = _kept(table, {row["party"] for row in mine})
    for row in mine:
        currency = sources.pools[row["pool"]].amount.currency
        yield _line(row, Money(kept.get(_about(row), 0), currency), sources)


def _kept(table: pa.Table, parties: set[str]) -> dict[tuple[str, ...], int]:
    """Sum what the terms of these parties left with the platform."""
    theirs = pc.is_in(table["party"], value_set=pa.array(sorted(parties), pa.string()))
    left = pc.and_(pc.equal(table["kind"], "platform"), theirs)
    sums: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for row in table.filter(left).to_pylist():
        sums[_about(row)] += row["micros"]
    return sums


def _about(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("pool", "track", "recording", "right", "party"))


_AS_ALLOCATED = (
    "kind", "track", "recording", "work", "party", "right", "plays",
    "share_ppb", "low_ppb", "high_ppb", "interest_ppm",
)  # fmt: skip


def _line(row: Mapping[str, Any], kept: Money, sources: _Sources) -> Line:
    pool, recording = sources.pools[row["pool"]], sources.recordings[row["recording"]]
    posting = sources.earned.get((row["pool"], row["right"]))
    net = Money(row["micros"], kept.currency)
    return Line(
        **{name: row[name] for name in _AS_ALLOCATED},
        pool=pool.id,
        pool_amount=pool.amount,
        source=pool.source,
        territory=pool.territory,
        title=recording.title,
        artist=recording.artist_name,
        isrc=recording.isrc,
        iswc=recording.iswc,
        party_ipi=sources.parties[row["party"]],
        artist_isni=recording.artist_isni,
        gross=net + kept,
        deductions=-kept,
        net=net,
        low=Money(row["low_micros"], kept.currency),
        high=Money(row["high_micros"], kept.currency),
        rule=sources.rule_of_source.get(pool.source, sources.rule),
        posting=None if posting is None else posting.id,
        posting_hash=None if posting is None else posting.content_sha256,
        allocation=f"{sources.snapshot[:16]}.{row['number']}",
    )


def _agree(lines: Iterable[Line], earned: Iterable[PostingRow]) -> None:
    """Assert that lines explain their postings, each to the micro."""
    explained: defaultdict[tuple[str | None, str | None], int] = defaultdict(int)
    for line in lines:
        explained[line.pool, line.right] += line.net.micros
    for row in earned:
        explained[row.pool, row.right] += row.amount.micros  # a credit is negative
    assert not any(explained.values()), f"lines and postings disagree: {dict(explained)}"
