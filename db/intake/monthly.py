"""What comes in for a period, usage or revenue: one snapshot a file and period, each key once.

What comes late, for a closed period, is kept beside what the period was closed with; the same is
asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from db import schema, snapshots
from db.books import periods
from db.books.acts import record_done
from db.books.inputs import record_event
from db.engine import Books, now, writing
from db.intake.bounds import Bound, beyond
from db.intake.columns import CURRENCY, PERIOD, Column
from db.intake.currencies import is_whole, other_than_before
from db.intake.judging import judged, sound, where
from db.intake.keys import in_order
from db.intake.receipt import Receipt
from db.intake.sheets import ROW, Sheet
from db.queries.came import CameRow, came_within
from db.snapshots import Encoded
from royalty.errors import BadInput, PeriodClosed, Problem
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of monthly file."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]  # no two rows of a period may share them
    counted: Callable[[pa.Table], pa.Table]  # texts → the snapshot's columns, beside the row
    bounds: tuple[Bound, ...]
    amiss: Callable[[Sheet], list[Problem]] = lambda _: []  # faults between sound cells of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How an import is asked for."""

    period: Period | None = None  # the only one that rows may be of
    late: bool = False  # for closed periods
    name: str | None = None  # of who brings what is late, if somebody does
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One period's rows of a file."""

    kind: Kind
    period: Period
    table: pa.Table
    encoded: Encoded

    @property
    def sha256(self) -> str:
        return self.encoded.snapshot.sha256

    def revenue(self) -> list[tuple[str, int]]:
        """Sum what came in by currency; nothing where these rows are no money."""
        if "net_micros" not in self.table.column_names:
            return []
        sums = self.table.group_by("currency").aggregate([("net_micros", "sum")]).to_pylist()
        return sorted((row["currency"], row["net_micros_sum"]) for row in sums)


def of_begun_months(sheet: Sheet) -> Sheet:
    """Hold a file to months that have begun. What we simulate ourselves may lie ahead."""
    cells = sheet.table[PERIOD.name]
    said = pc.unique(cells)
    months = pc.match_substring_regex(said, f"^(?:{PERIOD.pattern})$")
    ahead = said.filter(pc.and_(months, pc.greater(said, str(periods.current()))))
    later = pc.is_in(cells, value_set=ahead)
    faults = where(sheet, later, PERIOD.name, "is a period that has not begun")
    return replace(sheet, problems=(*sheet.problems, *faults))


def record_sheet(books: Books, kind: Kind, sheet: Sheet, asked: Asked) -> Receipt:
    """Record a sheet: all of it or, with every fault named, nothing.

    Raises `BadInput`, and `PeriodClosed` where one of its periods is and it does not come late.
    """
    sheet = judged(sheet, kind.columns, kind.keys)
    faults = [*sheet.problems, *_of_other_periods(sheet, asked.period)]
    faults += kind.amiss(sound(sheet, kind.columns))
    if faults:
        raise BadInput(faults)
    parts = _parts(kind, kind.counted(sheet.table))
    with writing(books, dry_run=asked.dry_run) as connection:
        new = [part for part in parts if not _is_recorded(connection, part)]
        again = _begun(connection, sheet, new, late=asked.late)
        again += [fault for part in new for fault in _together(books, connection, sheet, part)]
        if again:
            raise BadInput(again)
        for part in new:
            _enter(connection, part, sheet.source, late=asked.late)
        if asked.late:
            record_done(connection, asked.name, "imported", _late(sheet, new))
        if not asked.dry_run:
            for part in parts:  # those of before too: a file may have been lost
                snapshots.keep(books.home, part.encoded)
    return Receipt(
        kind=kind.name,
        rows={str(part.period): len(part.table) for part in parts},
        snapshots=[part.sha256 for part in parts],
        already=not new,
        late=asked.late,
    )


def _begun(
    connection: Connection, sheet: Sheet, parts: Iterable[_Part], *, late: bool
) -> list[Problem]:
    """Have the periods of new rows begin; what comes late is of closed ones only."""
    faults = []
    for part in parts:
        closed = _is_closed(connection, part.period)
        if closed and not late:
            command = f"tantieme {part.kind.name} import FILE --late"
            raise PeriodClosed(
                f"period {part.period} is closed; what comes late for it is imported by "
                f"'{command}', and 'tantieme adjust {part.period}' then posts what that changes"
            )
        if late and not closed:
            mine = pc.equal(sheet.table[PERIOD.name], str(part.period))
            message = "is not closed; import its rows without --late"
            faults += where(sheet, mine, PERIOD.name, message)
        elif not late:
            _require_turn(connection, part)
            periods.begin(connection, part.period)
    return faults


def _is_closed(connection: Connection, period: Period) -> bool:
    month = schema.period.c
    return connection.scalar(select(month.status).where(month.id == str(period))) == "closed"


def _parts(kind: Kind, table: pa.Table) -> list[_Part]:
    parts = []
    for name in sorted(pc.unique(table[PERIOD.name]).to_pylist()):
        rows = in_order(table.filter(pc.equal(table[PERIOD.name], name)), kind.keys)
        encoded = snapshots.encode(kind.name, rows)
        parts.append(_Part(kind=kind, period=Period.parse(name), table=rows, encoded=encoded))
    return parts


def _of_other_periods(sheet: Sheet, period: Period | None) -> list[Problem]:
    if period is None:
        return []
    other = pc.not_equal(sheet.table[PERIOD.name], str(period))
    return where(sheet, other, PERIOD.name, f"is not {period}, the period asked for")


def _is_recorded(connection: Connection, part: _Part) -> bool:
    return part.sha256 in {row.snapshot for row in _before(connection, part)}


def _together(books: Books, connection: Connection, sheet: Sheet, part: _Part) -> Iterator[Problem]:
    """Find what is wrong with a period's rows beside those that came in before."""
    before = _before(connection, part)
    earlier = [(row.source, snapshots.read(books, row.snapshot)) for row in before]
    for source, table in earlier:
        yield from _again(sheet, part, table, source)
    if CURRENCY.name in part.table.column_names:
        whole = is_whole(connection, part.period)
        for source, table in [*earlier, *([("this file", part.table)] if whole else [])]:
            yield from other_than_before(sheet, part.table, table, source, whole=whole)
    rows = pa.concat_tables([part.table, *(t for _, t in earlier)], promote_options="default")
    for bound in part.kind.bounds:
        yield from beyond(sheet, rows, bound)


def _require_turn(connection: Connection, part: _Part) -> None:
    """Refuse money of a month that can never be closed, since a later one is."""
    last = periods.last_closed(connection)
    if last is not None and part.period < last and part.revenue():
        raise PeriodClosed(
            f"period {last} is closed, and months close in order, so revenue of {part.period} can "
            f"only come in for {last.next}; correct the period in the file"
        )


def _late(sheet: Sheet, parts: Iterable[_Part]) -> Iterator[tuple[str, str]]:
    """Name the file, and say of each closed month what came late for it."""
    for part in parts:
        rows = len(part.table)
        note = f"{part.kind.name} of {part.period}, late: {rows:,} row{'s' * (rows != 1)}"
        yield Path(sheet.source).name, note


def _before(connection: Connection, part: _Part) -> list[CameRow]:
    """List what counts for a part's period already, in time or late."""
    rows = came_within(connection, part.kind.name)
    return [row for row in rows if row.period == part.period and row.withdrawn is None]


def _again(sheet: Sheet, part: _Part, earlier: pa.Table, source: str) -> Iterator[Problem]:
    """Find rows whose key came in before, from another file: they would count twice."""
    keys = list(part.kind.keys)
    for row in part.table.join(earlier, keys=keys, join_type="left semi")[ROW].to_pylist():
        yield sheet.fault(row, None, f"its {', '.join(keys)} came in before, from {source}")


def _enter(connection: Connection, part: _Part, source: str, *, late: bool) -> None:
    snapshots.register(connection, part.encoded.snapshot)
    entry = {"period": str(part.period), "snapshot": part.sha256}
    more = {"kind": part.kind.name, "source": source, "recorded_at": now()}
    table = schema.late_input if late else schema.period_input
    there = table.c.period == str(part.period), table.c.snapshot == part.sha256
    if connection.scalar(select(table.c.kind).where(*there)) is not None:  # and withdrawn
        record_event(connection, part.period, part.sha256, "imported", source, late=late)
        return
    connection.execute(table.insert(), entry | more)
    if late:
        return  # what a period brought in stays what it was closed with
    for currency, micros in part.revenue():
        row = entry | {"currency": currency, "micros": micros}
        connection.execute(schema.period_revenue.insert(), row)
