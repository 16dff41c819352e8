"""One source pays in one currency in one territory: what the revenue of a period is held to."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from db.intake.columns import CURRENCY, PERIOD, TERRITORY
from db.intake.faults import printable, quoted
from db.intake.sheets import ROW, Sheet
from royalty.errors import Problem

_PLACE = (PERIOD.name, "source", TERRITORY.name)
_WANTED = f"{CURRENCY.name}_first"


def other_currencies(sheet: Sheet) -> list[Problem]:
    """Find rows in another currency than the first of their period, source and territory."""
    said = sheet.table.group_by([*_PLACE, CURRENCY.name]).aggregate([(ROW, "min")])
    wanted = _first(said.sort_by(f"{ROW}_min"))
    if len(wanted) == len(said):
        return []
    return list(_other(sheet, sheet.table, wanted, "of the row before it"))


def other_than_before(
    sheet: Sheet, rows: pa.Table, earlier: pa.Table, source: str
) -> Iterator[Problem]:
    """Find rows in another currency than came in before for their source and territory."""
    yield from _other(sheet, rows, _first(earlier), f"in which it came in before, from {source}")


def _first(rows: pa.Table) -> pa.Table:
    places = rows.group_by(_PLACE, use_threads=False)
    return places.aggregate([(CURRENCY.name, "first")])


def _other(sheet: Sheet, rows: pa.Table, wanted: pa.Table, why: str) -> Iterator[Problem]:
    joined = rows.select([*_PLACE, CURRENCY.name, ROW]).join(
        wanted, list(_PLACE), join_type="inner"
    )
    for row in joined.filter(pc.not_equal(joined[CURRENCY.name], joined[_WANTED])).to_pylist():
        cell, of = quoted(row[CURRENCY.name]), f"{row['source']} in {row[TERRITORY.name]}"
        message = (
            f"{cell} is not {row[_WANTED]}, {why}; a source pays in one currency in one territory, "
            f"so put this money of {printable(of)} under a source of its own"
        )
        yield sheet.fault(row[ROW], CURRENCY.name, message)
