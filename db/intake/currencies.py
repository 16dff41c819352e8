"""One source pays in one currency in one territory: what the revenue of a period is held to.

Of a month that was closed with one pool a source, it is one currency in all territories: another
could never be adjusted, since a closed month keeps its pools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from db import schema
from db.intake.columns import CURRENCY, PERIOD, TERRITORY
from db.intake.faults import printable, quoted
from db.intake.sheets import ROW, Sheet
from royalty.errors import Problem
from royalty.period import Period

_PLACE = (PERIOD.name, "source", TERRITORY.name)
_WANTED = f"{CURRENCY.name}_first"


def other_currencies(sheet: Sheet) -> list[Problem]:
    """Find rows in another currency than the first of their period, source and territory."""
    said = sheet.table.group_by([*_PLACE, CURRENCY.name]).aggregate([(ROW, "min")])
    wanted = _first(said.sort_by(f"{ROW}_min"), _PLACE)
    if len(wanted) == len(said):
        return []
    return list(_other(sheet, sheet.table, wanted, "of the row before it", _PLACE))


def other_than_before(
    sheet: Sheet, rows: pa.Table, earlier: pa.Table, source: str, *, whole: bool = False
) -> Iterator[Problem]:
    """Find rows in another currency than came in before for their source and territory.

    For their source in any territory, where a source is a `whole` pool.
    """
    place = _PLACE[:2] if whole else _PLACE
    why = f"in which it came in before, from {source}"
    yield from _other(sheet, rows, _first(earlier, place), why, place)


def is_whole(connection: Connection, period: Period) -> bool:
    """Whether a month was closed with one pool a source, whatever its territories."""
    month, paid = schema.period.c, schema.payout.c
    closed = select(paid.settings).join(schema.period, month.payout == paid.id)
    kept = connection.scalar(closed.where(month.id == str(period), month.status == "closed"))
    return kept is not None and not json.loads(kept)["pool_by_territory"]


def _first(rows: pa.Table, place: Sequence[str]) -> pa.Table:
    places = rows.group_by(list(place), use_threads=False)
    return places.aggregate([(CURRENCY.name, "first")])


def _other(
    sheet: Sheet, rows: pa.Table, wanted: pa.Table, why: str, place: Sequence[str]
) -> Iterator[Problem]:
    joined = rows.select([*_PLACE, CURRENCY.name, ROW]).join(wanted, list(place), join_type="inner")
    where = "in one territory" if TERRITORY.name in place else "in a month of one pool a source"
    for row in joined.filter(pc.not_equal(joined[CURRENCY.name], joined[_WANTED])).to_pylist():
        cell, of = quoted(row[CURRENCY.name]), f"{row['source']} in {row[TERRITORY.name]}"
        message = (
            f"{cell} is not {row[_WANTED]}, {why}; a source pays in one currency {where}, "
            f"so put this money of {printable(of)} under a source of its own"
        )
        yield sheet.fault(row[ROW], CURRENCY.name, message)
