"""The walk back: statement line, posting, allocation, share, evidence, run, recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from db import schema
from db.engine import Books, reading
from db.queries.causes import causes, put_right
from db.queries.ledger import PostingRow, posting
from db.queries.months import closed_by
from db.queries.payouts import payout_totals
from db.queries.statements import statement
from db.queries.steps import SHOWN, Fact, Step, facts, posting_step, rate_step
from db.queries.viewer import EVERYONE, Viewer
from royalty.errors import NotFound
from royalty.holds import LineId, PostingId, parse_subject
from royalty.movements import EARNED, Movement
from royalty.payout import Payout
from royalty.period import Period
from royalty.statement import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """An amount walked back to where it came from."""

    id: str
    steps: tuple[Step, ...]


def trail(viewer: Viewer, books: Books, id_: str) -> Trail:
    """Walk a line or movement of a statement (`2026-10/ann/1`), or a posting (`12.3`), back.

    Raises `NotFound`.
    """
    return Trail(id=id_, steps=tuple(_from(viewer, books, id_)))


def _from(viewer: Viewer, books: Books, id_: str) -> Iterator[Step]:
    match parse_subject(id_):
        case LineId() as line:
            return _from_numbered(viewer, books, line)
        case PostingId() as named:
            return _from_posting(viewer, books, posting(viewer, books, named))
        case _:
            raise NotFound(
                f"'{id_}' names no amount; give a statement line, such as 2026-10/ann/1,"
                " or a posting, such as 12.3"
            )


def _from_numbered(viewer: Viewer, books: Books, line: LineId) -> Iterator[Step]:
    """Walk from a line or a movement, which are numbered after one another."""
    owed = statement(viewer, books, line.payee, line.period)
    if not 1 <= line.number <= len(owed.lines) + len(owed.movements):
        raise NotFound(
            f"statement {owed.id} has {len(owed.lines)} lines and {len(owed.movements)} movements,"
            f" and no line {line.number}; 'tantieme statement {line.payee} {line.period}' numbers"
            " them"
        )
    if line.number > len(owed.lines):
        return _from_movement(viewer, books, owed.movements[line.number - 1 - len(owed.lines)])
    return _from_line(viewer, books, owed.lines[line.number - 1])


def _from_line(viewer: Viewer, books: Books, line: Line) -> Iterator[Step]:
    yield Step(
        step="line",
        id=line.id,
        facts={
            "net": str(line.net),
            "low": str(line.low),
            "high": str(line.high),
            **facts(line, "party", "recording", "title", "kind"),
        },
    )
    posted = parse_subject(line.posting or "")
    if isinstance(posted, PostingId):
        yield posting_step(posting(viewer, books, posted))
    paid = _closing_payout(books, Period.parse(line.pool[:7]))
    yield _allocation(line, paid)
    if line.fx_rate is not None:
        with reading(books) as connection:
            yield rate_step(connection, line.fx_rate)
    if line.track:
        yield from _from_track(books, line, paid.provider)
    yield from _recording(books, line.recording)


def _from_movement(viewer: Viewer, books: Books, movement: Movement) -> Iterator[Step]:
    """Walk from a movement to its posting, and to whatever that was made for."""
    said = facts(movement, "term", "what", "why", "adjusts")
    amount = {"amount": str(movement.amount), "usage_period": str(movement.usage_period)}
    yield Step(step="movement", id=movement.id, facts=amount | said)
    posted = parse_subject(movement.posting)
    assert isinstance(posted, PostingId), f"{movement.id} names no posting"
    yield from _from_posting(viewer, books, posting(viewer, books, posted))


def _closing_payout(books: Books, period: Period) -> Payout:
    """Read what a month was closed with, whose rule need not be that of a line's source."""
    rule = closed_by(EVERYONE, books, period)
    assert rule is not None, f"{period} has statements and was not closed"
    return payout_totals(EVERYONE, books, period, rule)


def _from_posting(viewer: Viewer, books: Books, row: PostingRow) -> Iterator[Step]:
    """Walk back from a posting: what it was made for, what it puts right, the lines it sums."""
    yield posting_step(row)
    yield from causes(viewer, books, row)
    transaction, before = put_right(books, row)
    if transaction is not None:
        yield transaction
    for each in before:
        yield from _from_posting(viewer, books, each)
    if row.payee is not None and row.kind == EARNED:
        yield from _lines(viewer, books, row, row.payee)


def _lines(viewer: Viewer, books: Books, row: PostingRow, payee: str) -> Iterator[Step]:
    """Name the largest of the lines that a posting sums."""
    lines = [
        line for line in statement(viewer, books, payee, row.period).lines if line.posting == row.id
    ]
    largest = sorted(lines, key=lambda line: (-line.net.micros, line.number))[:SHOWN]
    for line in largest:
        said = facts(line, "track", "recording") | {"net": str(line.net), "of_lines": len(lines)}
        yield Step(step="line", id=line.id, facts=said)


def _allocation(line: Line, paid: Payout) -> Step:
    said: dict[str, Fact] = {
        "pool": line.pool,
        "pool_amount": str(line.pool_amount),
        "rule": f"{paid.rule} {paid.rule_version}",
        "snapshot": paid.snapshot,
        "right": line.right,
        "interest_ppm": line.interest_ppm,
        "gross": str(line.gross),
        "deductions": str(line.deductions),
    }
    if not line.track:
        said["divided"] = "unattributed money of the pool, equally among licensed works"
    return Step(step="allocation", id=line.allocation or "", facts=said)


def _from_track(books: Books, line: Line, provider: str) -> Iterator[Step]:
    snapshot, run = _stated(books, line.track, provider)
    yield Step(
        step="share",
        id=f"{provider}/{line.track}/{line.recording}",
        facts=facts(line, "share_ppb", "low_ppb", "high_ppb", "plays") | {"snapshot": snapshot},
    )
    yield Step(step="evidence", id=line.track, facts={"provider": provider})
    if run is not None:
        card: dict[str, Fact] = {"card_sha256": run.card_sha256, "made": run.created_at}
        yield Step(step="run", id=run.id, facts=card | facts(run, "parameters", "summary"))


def _stated(books: Books, track_id: str, provider: str) -> tuple[str | None, Row[Any] | None]:
    """Find the snapshot of a track's shares, and the run that made the track."""
    stated, track = schema.track_share.c, schema.track.c
    with reading(books) as connection:
        snapshot = connection.scalar(
            select(stated.snapshot).where(stated.provider == provider, stated.track == track_id)
        )
        run = connection.execute(
            select(schema.run)
            .join(schema.track, track.run == schema.run.c.id)
            .where(track.id == track_id)
        ).one_or_none()
    return snapshot, run


def _recording(books: Books, recording_id: str | None) -> Iterator[Step]:
    with reading(books) as connection:
        this = select(schema.recording).where(schema.recording.c.id == recording_id)
        for row in connection.execute(this):
            said = facts(row, "title", "work", "isrc", "file", "content_sha256", "audio_sha256")
            yield Step(step="recording", id=row.id, facts=said)
