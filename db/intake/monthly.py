"""What comes in for a period, usage or revenue: one snapshot a period, each key once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from db import schema, snapshots
from db.books import periods
from db.engine import Books, now, reading, writing
from db.intake.bounds import Bound, beyond
from db.intake.columns import CURRENCY, PERIOD, Column
from db.intake.judging import judged, sound, where
from db.intake.keys import in_order
from db.intake.receipt import Receipt
from db.intake.sheets import ROW, Sheet
from db.snapshots import Encoded
from royalty.errors import BadInput, Problem
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


def record_sheet(
    books: Books, kind: Kind, sheet: Sheet, *, period: Period | None, dry_run: bool
) -> Receipt:
    """Record a sheet: all of it or, with every fault named, nothing.

    Raises `BadInput`, and `PeriodClosed` where one of its periods is.
    """
    sheet = judged(sheet, kind.columns, kind.keys)
    faults = [*sheet.problems, *_of_other_periods(sheet, period)]
    faults += kind.amiss(sound(sheet, kind.columns))
    with reading(books) as connection:
        faults += _of_other_currencies(connection, sheet)
    if faults:
        raise BadInput(faults)
    parts = _parts(kind, kind.counted(sheet.table))
    with writing(books, dry_run=dry_run) as connection:
        new = [part for part in parts if not _is_recorded(connection, part)]
        for part in new:
            periods.begin(connection, part.period)
        again = _of_other_currencies(connection, sheet)  # another may have come in meanwhile
        again += [fault for part in new for fault in _together(books, connection, sheet, part)]
        if again:
            raise BadInput(again)
        for part in new:
            _enter(connection, part, sheet.source)
        if not dry_run:
            for part in parts:  # those of before too: a file may have been lost
                snapshots.keep(books.home, part.encoded)
    return Receipt(
        kind=kind.name,
        rows={str(part.period): len(part.table) for part in parts},
        snapshot=parts[0].sha256,
        already=not new,
    )


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


def _of_other_currencies(connection: Connection, sheet: Sheet) -> list[Problem]:
    """Find rows in another currency than their period has: what came in stays, and is paid in one.

    A period that has none yet has that of its first row.
    """
    if CURRENCY.name not in sheet.table.column_names:
        return []
    came = schema.period_revenue.c
    first = dict(connection.execute(select(came.period, came.currency)).all())
    readable = sound(sheet, (PERIOD, CURRENCY))
    names = [PERIOD.name, CURRENCY.name]
    said = readable.table.group_by(names).aggregate([(ROW, "min")]).sort_by(f"{ROW}_min")
    faults = []
    for period, currency in zip(*(said[name].to_pylist() for name in names), strict=True):
        if (wanted := first.setdefault(period, currency)) != currency:
            rows = pc.and_(
                pc.equal(readable.table[PERIOD.name], period),
                pc.equal(readable.table[CURRENCY.name], currency),
            )
            message = f"is not {wanted}, and period {period} is paid in one currency"
            faults += where(readable, rows, CURRENCY.name, message)
    return faults


def _is_recorded(connection: Connection, part: _Part) -> bool:
    recorded = schema.period_input.c
    same = (recorded.period == str(part.period)) & (recorded.snapshot == part.sha256)
    return connection.scalar(select(recorded.kind).where(same)) is not None


def _together(books: Books, connection: Connection, sheet: Sheet, part: _Part) -> Iterator[Problem]:
    """Find what is wrong with a period's rows beside those that came in before."""
    recorded = schema.period_input.c
    mine = (recorded.period == str(part.period)) & (recorded.kind == part.kind.name)
    found = connection.execute(select(recorded.snapshot, recorded.source).where(mine))
    earlier = [(source, snapshots.read(books, sha256)) for sha256, source in found]
    for source, table in earlier:
        yield from _again(sheet, part, table, source)
    rows = pa.concat_tables([part.table, *(t for _, t in earlier)], promote_options="default")
    for bound in part.kind.bounds:
        yield from beyond(sheet, rows, bound)


def _again(sheet: Sheet, part: _Part, earlier: pa.Table, source: str) -> Iterator[Problem]:
    """Find rows whose key came in before, from another file: they would count twice."""
    keys = list(part.kind.keys)
    for row in part.table.join(earlier, keys=keys, join_type="left semi")[ROW].to_pylist():
        yield sheet.fault(row, None, f"its {', '.join(keys)} came in before, from {source}")


def _enter(connection: Connection, part: _Part, source: str) -> None:
    snapshots.register(connection, part.encoded.snapshot)
    entry = {"period": str(part.period), "snapshot": part.sha256}
    more = {"kind": part.kind.name, "source": source, "recorded_at": now()}
    connection.execute(schema.period_input.insert(), entry | more)
    for currency, micros in part.revenue():
        row = entry | {"currency": currency, "micros": micros}
        connection.execute(schema.period_revenue.insert(), row)
