"""What came in for a month and is withdrawn: it stays in the books, and counts no more."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, select

from db import schema
from db.books.acts import Act, record_act
from db.books.periods import acting_in
from db.engine import Books, now, writing
from db.queries.came import CameRow, came_within
from royalty.errors import Conflict, NotFound, PeriodClosed
from royalty.period import Period


def withdraw_input(  # noqa: PLR0913  what is withdrawn, why and by whom
    books: Books, kind: str, id_: str, *, reason: str, name: str, dry_run: bool = False
) -> CameRow:
    """Withdraw a month's usage or revenue of one file, by its id or the beginning of it.

    What it was read from may come in again. Raises `NotFound` where no such thing came in,
    `PeriodClosed` where a month was closed with it, and `Conflict` where the id is of several,
    it is withdrawn already, or a closed month was adjusted by it.
    """
    with writing(books, dry_run=dry_run) as connection:
        found = _named(came_within(connection, kind), kind, id_)
        _require_unused(found)
        record_event(connection, found.period, found.snapshot, "withdrawn", reason, late=found.late)
        record_act(connection, _act(connection, found, reason, name))
    return found


def record_event(  # noqa: PLR0913  what happened, to what
    connection: Connection, period: Period, snapshot: str, event: str, note: str, *, late: bool
) -> None:
    """Record that what came in was withdrawn, or came in again."""
    of = schema.input_event.c
    mine = (of.period == str(period)) & (of.snapshot == snapshot) & of.late.is_(late)
    before = connection.scalar(select(func.count()).select_from(schema.input_event).where(mine))
    row = {"period": str(period), "snapshot": snapshot, "late": late, "number": (before or 0) + 1}
    more = {"event": event, "note": note, "recorded_at": now()}
    connection.execute(schema.input_event.insert(), row | more)


def _named(rows: list[CameRow], kind: str, id_: str) -> CameRow:
    """Find what an id names; of what came twice, that which counts."""
    mine = [row for row in rows if id_ and row.snapshot.startswith(id_)]
    if not mine:
        raise NotFound(f"no {kind} '{id_}' came in; 'tantieme {kind} show' lists what did")
    several = sorted({row.snapshot[:16] for row in mine})
    if len(several) > 1:
        raise Conflict(f"'{id_}' is the beginning of {' and '.join(several)}; write more of it")
    standing = [row for row in mine if row.withdrawn is None]
    if not standing:
        raise Conflict(
            f"{kind} {id_} of {mine[0].period} is withdrawn already: {mine[-1].withdrawn}"
        )
    return standing[0]


def _require_unused(row: CameRow) -> None:
    again = (
        f"'tantieme {row.kind} import FILE --late' and 'tantieme adjust {row.period}' put in what"
        " is missing"
    )
    if row.used and row.late:
        raise Conflict(f"{row.period} was adjusted by it, so it stays; {again}")
    if row.used:
        raise PeriodClosed(f"period {row.period} was closed with it, so it stays; {again}")


def _act(connection: Connection, row: CameRow, reason: str, name: str) -> Act:
    """Say what was done; to what came late, in the month that is worked on."""
    late = ", late" if row.late else ""
    rows = f"{row.rows:,} row{'s' * (row.rows != 1)}"
    return Act(
        name=name,
        act="withdrawn",
        period=acting_in(connection) if row.late else row.period,
        subject=Path(row.source).name,
        content_sha256=row.snapshot,
        note=f"{row.kind} of {row.period}{late}: {rows}; {reason}",
    )
