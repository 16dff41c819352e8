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
from db.queries.ledger import PostingRow, posting_row, selected
from db.queries.payouts import PoolAmount, payout
from db.queries.viewer import EVERYONE, Viewer
from royalty.errors import NotFound, PeriodNotClosed
from royalty.ledger import payable
from royalty.money import Money, total
from royalty.period import Period
from royalty.statement import Heading, Line, Movements, Statement, make_statement

EARNED = "allocation"  # the kind of transaction that a line explains; all others adjust


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What the lines of one statement are made from."""

    rule: str
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
        currency = _currency(connection, closed.payout)
        opening = _opening(connection, payee, period, currency)
        recordings, parties = _recordings(connection), _parties(connection)
    paid = payout(EVERYONE, books, period, closed.rule)
    earned = [row for row in posted if row.kind == EARNED]
    sources = _Sources(
        rule=closed.rule,
        snapshot=paid.snapshot,
        pools={pool.id: pool for pool in paid.pools},
        earned={(row.pool, row.right): row for row in earned},
        recordings=recordings,
        parties=parties,
    )
    lines = list(_lines(snapshots.read(books, paid.snapshot), payee, sources))
    _agree(lines, earned)
    adjusted = total((-row.amount for row in posted if row.kind != EARNED), currency)
    heading = Heading(payee=payee, payee_name=name, period=period, rule=closed.rule)
    return make_statement(heading, lines, _movements(opening, adjusted))


def _closed(connection: Connection, period: Period, rule: str | None) -> Row[Any]:
    row = connection.execute(
        select(schema.period).where(schema.period.c.id == str(period))
    ).one_or_none()
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


def _currency(connection: Connection, payout_id: str) -> str:
    known = select(schema.payout.c.currency).where(schema.payout.c.id == payout_id)
    return str(connection.scalar(known))


def _recordings(connection: Connection) -> dict[str, Row[Any]]:
    recording, party, work = schema.recording, schema.party, schema.work
    wanted = (
        select(recording, party.c.name.label("artist_name"), party.c.isni, work.c.iswc)
        .join(party, party.c.id == recording.c.artist)
        .join(work, work.c.id == recording.c.work)
    )
    return {row.id: row for row in connection.execute(wanted)}


def _parties(connection: Connection) -> dict[str, str | None]:
    wanted = select(schema.party.c.id, schema.party.c.ipi)
    return dict(connection.execute(wanted).all())


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


def _line(row: Mapping[str, Any], kept: Money, sources: _Sources) -> Line:
    pool, recording = sources.pools[row["pool"]], sources.recordings[row["recording"]]
    posting = sources.earned.get((row["pool"], row["right"]))
    net = Money(row["micros"], kept.currency)
    return Line(
        kind=row["kind"],
        pool=pool.id,
        pool_amount=pool.amount,
        source=pool.source,
        territory=pool.territory,
        track=row["track"],
        recording=row["recording"],
        work=row["work"],
        title=recording.title,
        artist=recording.artist_name,
        isrc=recording.isrc,
        iswc=recording.iswc,
        party=row["party"],
        party_ipi=sources.parties[row["party"]],
        artist_isni=recording.isni,
        right=row["right"],
        plays=row["plays"],
        share_ppb=row["share_ppb"],
        low_ppb=row["low_ppb"],
        high_ppb=row["high_ppb"],
        interest_ppm=row["interest_ppm"],
        gross=net + kept,
        deductions=-kept,
        net=net,
        low=Money(row["low_micros"], kept.currency),
        high=Money(row["high_micros"], kept.currency),
        rule=sources.rule,
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


def _movements(opening: Money, adjustments: Money) -> Movements:
    return replace(Movements.none(opening.currency, opening=opening), adjustments=adjustments)
