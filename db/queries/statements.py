"""Statements: the ledger says how much, the allocations say what for, line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.catalogue import described
from db.queries.ledger import PostingRow, posting_row, selected
from db.queries.listeners import few
from db.queries.movements import movements
from db.queries.notes import Balance, notes, runs_of
from db.queries.payouts import payout_totals
from db.queries.viewer import EVERYONE, Viewer
from db.queries.windows import among
from royalty.division import divide
from royalty.errors import NotFound, PeriodNotClosed
from royalty.ledger import payable, payee_of
from royalty.money import Money
from royalty.movements import EARNED, Movement
from royalty.payout import Payout, PoolAmount
from royalty.period import Period
from royalty.statement import Heading, Line, Statement, make_statement
from royalty.suppression import suppress


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
    tracks: Mapping[str, tuple[int, int]]  # id → plays and micros of the whole month
    earned: Mapping[tuple[str | None, str | None], PostingRow]  # (pool, right)
    recordings: Mapping[str, Row[Any]]
    parties: Mapping[str, str | None]  # id → IPI
    rates: Mapping[str, str | None]  # pool → the rate at which its money was converted


def statement(
    viewer: Viewer, books: Books, payee: str, period: Period, *, rule: str | None = None
) -> Statement:
    """Draw up a payee's statement of a closed period. Raises `PeriodNotClosed` and `NotFound`.

    Its lines add up to what was earned by the postings, and with the movements to what the account
    moved by, to the micro: that is asserted here. Plays of too few listeners are left out, whoever
    looks: a statement is what its payee is shown.
    """
    viewer.require(payee)
    with reading(books) as connection:
        closed = _closed(connection, period, rule)
        account = _account(connection, payee, period, closed.currency)
    paid = payout_totals(EVERYONE, books, period, closed.rule)
    mine = snapshots.matching(books, paid.snapshot, payee=[payee]).to_pylist()
    sources = _sources(books, paid, account, mine)
    lines = _lines(mine, _kept(books, paid, mine), sources)
    _agree(lines, account.earned)
    told = suppress(lines, few(books, paid.id, {line.track for line in lines}))
    return make_statement(_heading(books, account, closed, paid), told, account.movements)


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
    paid = schema.payout_payee.c
    with reading(books) as connection:
        closed = _closed(connection, period, None)
        moved = {payee_of(account) for account in connection.scalars(accounts)}
        names = dict(connection.execute(select(schema.party.c.id, schema.party.c.name)).all())
        earned = select(paid.payee).where(paid.payout == closed.payout)
        mine = moved.union(connection.scalars(earned))
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


def _sources(
    books: Books, paid: Payout, account: _Account, rows: Sequence[Mapping[str, Any]]
) -> _Sources:
    """Read what these allocations name, and no more of it."""

    def named(name: str) -> list[str]:
        return sorted({row[name] for row in rows if row[name]})

    recording, party, track = described(), schema.party.c, schema.payout_track.c
    played = select(track.track, track.plays, track.micros).where(track.payout == paid.id)
    with reading(books) as connection:
        recordings = among(connection, recording, schema.recording.c.id, named("recording"))
        parties = among(connection, select(party.id, party.ipi), party.id, named("party"))
        tracks = among(connection, played, track.track, named("track"))
        rates = _rates(connection, paid.id)
    return _Sources(
        paid=paid,
        pools={pool.id: pool for pool in paid.pools},
        tracks={row.track: (row.plays, row.micros) for row in tracks},
        earned={(row.pool, row.right): row for row in account.earned},
        recordings={row.id: row for row in recordings},
        parties={row.id: row.ipi for row in parties},
        rates=rates,
    )


def _lines(
    rows: Sequence[Mapping[str, Any]], kept: Mapping[tuple[str, ...], int], sources: _Sources
) -> list[Line]:
    currency = sources.paid.pool.currency
    parts = _deducted(rows, kept)
    return [
        _line(row, Money(part, currency), sources) for row, part in zip(rows, parts, strict=True)
    ]


def _deducted(rows: Sequence[Mapping[str, Any]], kept: Mapping[tuple[str, ...], int]) -> list[int]:
    """Divide what was kept among the lines it was kept of, in proportion to what these bring.

    There are several where a party gets fixed and unattributed money of one recording.
    """
    of_one: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        of_one[_about(row)].append(place)
    parts = [0] * len(rows)
    for about, places in of_one.items():
        weights = [rows[place]["micros"] for place in places]
        divided = divide(kept.get(about, 0), weights if any(weights) else [1] * len(weights))
        for place, part in zip(places, divided, strict=True):
            parts[place] = part
    return parts


def _kept(
    books: Books, paid: Payout, rows: Sequence[Mapping[str, Any]]
) -> Mapping[tuple[str, ...], int]:
    """Sum what the terms of these parties left with the platform."""
    parties = {row["party"] for row in rows}
    left = snapshots.matching(books, paid.snapshot, kind=["platform"], party=parties)
    sums: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for row in left.to_pylist():
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
    plays, revenue = sources.tracks.get(row["track"], (None, None))
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
        track_plays=plays,
        track_revenue=None if revenue is None else Money(revenue, kept.currency),
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
