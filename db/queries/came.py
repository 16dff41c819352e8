"""What came in for months, in time and late, and what of it was withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, literal, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class CameRow:
    """A month's rows of one file, as they came in."""

    kind: str  # usage | revenue
    period: Period
    snapshot: str  # what they are kept in; its beginning is their id
    rows: int
    source: str  # the file that they came from last
    late: bool  # once the month was closed
    withdrawn: str | None  # why; None: they count
    used: bool  # the month was closed with them, or adjusted by them: they stay


def came(viewer: Viewer, books: Books, kind: str, period: Period | None = None) -> list[CameRow]:
    """List what came in of a kind, month by month, of one month where named; to auditors only."""
    viewer.require_all(f"what {kind} came in")
    with reading(books) as connection:
        found = came_within(connection, kind)
    return [row for row in found if period in (None, row.period)]


def came_within(connection: Connection, kind: str) -> list[CameRow]:
    """List what came in of a kind: the months in their order, in each the first first."""
    rows = [
        row
        for table in (schema.period_input, schema.late_input)
        for row in connection.execute(_listed(table, kind))
    ]
    last, used = _last_events(connection), _used(connection)
    return [
        _came_row(row, last.get((row.period, row.snapshot, row.late)), used)
        for row in sorted(rows, key=lambda row: (row.period, row.recorded_at, row.snapshot))
    ]


def counts(table: Table) -> ColumnElement[bool]:
    """Tell of what came in whether it counts: it was not withdrawn, or came in again since.

    `table` is `late_input`, or one with the period and snapshot of a `period_input`.
    """
    event = schema.input_event.c
    same = (event.period == table.c.period) & (event.snapshot == table.c.snapshot)
    mine = same & event.late.is_(table is schema.late_input)
    events = select(func.count()).select_from(schema.input_event).where(mine)
    return events.correlate(table).scalar_subquery() % 2 == 0  # in turns, as triggers hold them


def _listed(table: Table, kind: str) -> Select[Any]:
    late = literal(table is schema.late_input).label("late")
    rows = select(table, schema.snapshot.c.rows, late).where(table.c.kind == kind)
    return rows.select_from(table.join(schema.snapshot))


def _last_events(connection: Connection) -> dict[tuple[str, str, bool], Row[Any]]:
    events = select(schema.input_event).order_by(schema.input_event.c.number)
    return {(row.period, row.snapshot, row.late): row for row in connection.execute(events)}


def _used(connection: Connection) -> set[tuple[str, bool]]:
    """Name what cannot be withdrawn any more: periods that are closed, snapshots late for them."""
    month = schema.period.c
    closed = connection.scalars(select(month.id).where(month.status == "closed"))
    adjusted = connection.scalars(select(schema.restatement_input.c.snapshot))
    return {(period, False) for period in closed} | {(snapshot, True) for snapshot in adjusted}


def _came_row(row: Row[Any], last: Row[Any] | None, used: set[tuple[str, bool]]) -> CameRow:
    event = None if last is None else last.event
    note = "" if last is None else last.note
    return noun(
        CameRow,
        row,
        period=Period.parse(row.period),
        source=note if event == "imported" else row.source,
        withdrawn=note if event == "withdrawn" else None,
        used=(row.snapshot if row.late else row.period, row.late) in used,
    )
