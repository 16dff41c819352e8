"""Restatements: closed months that were divided again, and what each of them replaced."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, select

from db import schema
from db.engine import Books, reading
from db.queries.came import counts
from db.queries.viewer import Viewer
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatementRow:
    """A closed month divided again: what held before, what holds since, and why."""

    id: str  # 2026-10/1: the month's first
    period: Period
    posted_in: Period
    before: str  # the snapshot of allocations that it replaced
    snapshot: str  # the one that holds since
    reason: str


def restatements(
    _viewer: Viewer, books: Books, *, posted_in: Period | None = None
) -> list[RestatementRow]:
    """List the restatements, each month's in their order; of one open period only, where named."""
    with reading(books) as connection:
        found = _rows(connection)
    return [row for row in found if posted_in in (None, row.posted_in)]


def in_force(_viewer: Viewer, books: Books) -> dict[Period, str]:
    """Name the snapshot of allocations that holds for each closed month, as last restated."""
    with reading(books) as connection:
        held = _closed_with(connection)
        held |= {row.period: row.snapshot for row in _rows(connection)}
    return held


def late(_viewer: Viewer, books: Books, period: Period) -> dict[str, list[str]]:
    """Name the snapshots that came in for a period once it was closed and count, by kind."""
    came, found = schema.late_input.c, defaultdict(list)
    mine = (came.period == str(period)) & counts(schema.late_input)
    wanted = select(came.kind, came.snapshot).where(mine).order_by(came.snapshot)
    with reading(books) as connection:
        for kind, sha256 in connection.execute(wanted):
            found[kind].append(sha256)
    return dict(found)


def restated_by(_viewer: Viewer, books: Books, period: Period) -> dict[str, list[str]]:
    """Name what the last restatement of a period was divided from, by kind; nothing without one."""
    part, found = schema.restatement_input.c, defaultdict(list)
    with reading(books) as connection:
        mine = [row for row in _rows(connection) if row.period == period]
        last = mine[-1].id if mine else ""
        inputs = select(part.kind, part.snapshot).where(part.restatement == last)
        for kind, sha256 in connection.execute(inputs.order_by(part.snapshot)):
            found[kind].append(sha256)
    return dict(found)


def _rows(connection: Connection) -> list[RestatementRow]:
    rows = connection.execute(select(schema.restatement)).all()
    held, listed = _closed_with(connection), []
    for row in sorted(rows, key=lambda row: (row.period, number_of(row.id))):
        period = Period.parse(row.period)
        listed.append(
            RestatementRow(
                id=row.id,
                period=period,
                posted_in=Period.parse(row.posted_in),
                before=held[period],
                snapshot=row.snapshot,
                reason=row.reason,
            )
        )
        held[period] = row.snapshot
    return listed


def number_of(restatement: str) -> int:
    """Say which of its month's restatements one is, from 1."""
    return int(restatement.rpartition("/")[2])


def _closed_with(connection: Connection) -> dict[Period, str]:
    month, paid = schema.period.c, schema.payout.c
    joined = select(month.id, paid.snapshot).where(month.status == "closed")
    found = connection.execute(joined.where(paid.id == month.payout))
    return {Period.parse(period): snapshot for period, snapshot in found}
