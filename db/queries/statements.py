"""Statements: the ledger says how much, the allocations say what for, line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, func, select

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.catalogue import described
from db.queries.ledger import PostingRow, posting_row, selected
from db.queries.movements import movements
from db.queries.notes import Balance, notes, runs_of
from db.queries.payouts import payout
from db.queries.viewer import EVERYONE, Viewer
from royalty.errors import NotFound, PeriodNotClosed
from royalty.ledger import payable, payee_of
from royalty.money import Money
from royalty.movements import EARNED, Movement
from royalty.payout import Payout, PoolAmount, TrackAmount
from royalty.period import Period
from royalty.statement import Heading, Line, Statement, make_statement


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """What the ledger says of a payee's account in one period."""

    payee: str
    name: str
    opening: Money
    earned: list[PostingRow]
    movements: list[Movement]
    closing: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What the lines of one statement are made from."""

    paid: Payout
    pools: Mapping[str, PoolAmount]
    tracks: Mapping[str, TrackAmount]
    earned: Mapping[tuple[str | None, str | None], PostingRow]  # (pool, right)
    recordings: Mapping[str, Row[Any]]
    parties: Mapping[str, str | None]  # id → IPI
    rates: Mapping[str, str | None]  # pool → the rate at which its money was converted


def statement(
    viewer: Viewer, books: Books, payee: str, period: Period, *, rule: str | None = None
) -> Statement:
    """Draw up a payee's statement of a closed period. Raises `PeriodNotClosed` and `NotFound`.

    Its lines add up to what was earned by the postings, and with the movements to what the account
    moved by, to the micro: that is asserted here.
    """
    viewer.require(payee)
    with reading(books) as connection:
        closed = _closed(connection, period, rule)
        account = _account(connection, payee, period, closed.currency)
        recordings = {row.id: row for row in connection.execute(described())}
        parties = dict(connection.execute(select(schema.party.c.id, schema.party.c.ipi)).all())
        rates = _rates(connection, closed.payout)
    paid = payout(EVERYONE, books, period, closed.rule)
    sources = _Sources(
        paid=paid,
        pools={pool.id: pool for pool in paid.pools},
        tracks={track.id: track for track in paid.tracks},
        earned={(row.pool, row.right): row for row in account.earned},
        recordings=recordings,
        parties=parties,
        rates=rates,
    )
    lines = list(_lines(snapshots.read(books, paid.snapshot), payee, sources))
    _agree(lines, account.earned)
    return make_statement(_heading(books, account, closed, paid), lines, account.movements)


def stated(viewer: Viewer, books: Books, period: Period) -> dict[str, str]:
    """Name the payees who have a statement of a closed period, in order of their ids.

    They earned in it, or their account moved in it or stands at something. Raises
    `PeriodNotClosed`.
    """
    posted, of = schema.posting.c, schema.transaction_.c
    accounts = (
        select(posted.account)
        .join(schema.transaction_, of.id == posted.transaction_id)
        .where(posted.account.startswith(payable(""), autoescape=True), of.period <= str(period))
        .group_by(posted.account)
        .having((func.max(of.period) == str(period)) | (func.sum(posted.amount_micros) != 0))
    )
    with reading(books) as connection:
        closed = _closed(connection, period, None)
        moved = {payee_of(account) for account in connection.scalars(accounts)}
        names = dict(connection.execute(select(schema.party.c.id, schema.party.c.name)).all())
    paid = payout(EVERYONE, books, period, closed.rule)
    mine = moved | {payee.id for payee in paid.payees}
    return {payee: names[payee] for payee in sorted(filter(None, mine)) if viewer.sees(payee)}


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


def _account(connection: Connection, payee: str, period: Period, currency: str) -> _Account:
    name = connection.scalar(select(schema.party.c.name).where(schema.party.c.id == payee))
    if name is None:
        raise NotFound(f"there is no payee '{payee}'; 'tantieme payouts {period}' lists them")
    on = selected().where(schema.posting.c.account == payable(payee))
    this = on.where(schema.transaction_.c.period == str(period))
    posted = [posting_row(row) for row in connection.execute(this)]
    return _Account(
        payee=payee,
        name=name,
        opening=_stood(connection, payee, str(period.before(1)), currency),
        earned=[row for row in posted if row.kind == EARNED],
        movements=movements(connection, posted),
        closing=_stood(connection, payee, str(period), currency),
    )


def _stood(connection: Connection, payee: str, period: str, currency: str) -> Money:
    """Sum what was posted to a payee up to the end of a period."""
    posted, of = schema.posting.c, schema.transaction_.c
    sums = (
        select(func.sum(posted.amount_micros))
        .join(schema.transaction_, of.id == posted.transaction_id)
        .where(posted.account == payable(payee), posted.currency == currency)
        .where(of.period <= period)
    )
    return Money(-int(connection.scalar(sums) or 0), currency)


def _heading(books: Books, account: _Account, closed: Row[Any], paid: Payout) -> Heading:
    balance = Balance(
        payee=account.payee,
        closed_at=closed.closed_at,
        opening=account.opening,
        paid=any(each.term == "paid" for each in account.movements),
        closing=account.closing,
    )
    made_by = runs_of(books, paid)
    return Heading(
        payee=account.payee,
        payee_name=account.name,
        period=paid.period,
        rule=paid.rule,
        rule_version=paid.rule_version,
        provider=paid.provider,
        runs=made_by,
        closed_at=closed.closed_at,
        root=closed.root,
        notes=notes(books, balance, paid, made_by),
        opening=account.opening,
        closing=account.closing,
    )


def _rates(connection: Connection, payout_id: str) -> dict[str, str | None]:
    """Name the rates at which the money of a payout's pools was converted."""
    pool = schema.payout_pool.c
    rows = connection.execute(select(pool.id, pool.fx_rate).where(pool.payout == payout_id))
    return {row.id: row.fx_rate for row in rows}


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
    track = sources.tracks.get(row["track"])
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
        rule=sources.paid.rule_of_source.get(pool.source, sources.paid.rule),
        posting=None if posting is None else posting.id,
        posting_hash=None if posting is None else posting.content_sha256,
        allocation=f"{sources.paid.snapshot[:16]}.{row['number']}",
        track_plays=None if track is None else track.plays,
        track_revenue=None if track is None else track.amount,
        fx_rate=sources.rates.get(pool.id),
    )


def _agree(lines: Iterable[Line], earned: Iterable[PostingRow]) -> None:
    """Assert that lines explain their postings, each to the micro."""
    explained: defaultdict[tuple[str | None, str | None], int] = defaultdict(int)
    for line in lines:
        explained[line.pool, line.right] += line.net.micros
    for row in earned:
        explained[row.pool, row.right] += row.amount.micros  # a credit is negative
    assert not any(explained.values()), f"lines and postings disagree: {dict(explained)}"
