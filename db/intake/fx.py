"""Rates of exchange, each once: a rate that stands in the books never changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from db import schema
from db.books.acts import record_done
from db.engine import Books, now, writing
from db.intake.columns import CURRENCY, Column
from db.intake.faults import quoted
from db.intake.judging import judged, sound
from db.intake.receipt import Receipt
from db.intake.sheets import ROW, Sheet, read_sheet
from royalty.errors import BadInput, Problem
from royalty.fx import UNIT_PPB, FxRate

_PLACES = 9
DAY = Column(
    name="day",
    pattern=r"[1-9]\d{3}-\d{2}-\d{2}",
    words="a day, such as 2026-10-30",
    few=True,
)
RATE = Column(
    name="rate",
    pattern=rf"\d{{1,8}}(\.\d{{1,{_PLACES}}})?",
    words=f"a decimal rate with at most {_PLACES} places, such as 0.92",
)
RATES = (
    DAY,
    replace(CURRENCY, name="base"),
    replace(CURRENCY, name="quote"),
    RATE,
    Column(name="source", pattern=r"\P{C}*", words="one line of text", optional=True),
)
_KEYS = ("day", "base", "quote")


def record(books: Books, path: Path, *, name: str | None = None, dry_run: bool = False) -> Receipt:
    """Record a CSV or Parquet file of rates: day, base, quote, rate and, perhaps, source.

    New ones are an act of `name`, if somebody is named. Raises `BadInput` with every fault; another
    rate than stands in the books is one.
    """
    sheet = judged(read_sheet(path, RATES), RATES, _KEYS)
    rows = {row[ROW]: row for row in sound(sheet, RATES).table.to_pylist()}
    faults = [*sheet.problems, *_amiss(sheet, rows)]
    faulty = {fault.row for fault in faults}
    rates = {number: _rate(row) for number, row in rows.items() if number not in faulty}
    with writing(books, dry_run=dry_run) as connection:
        there = _standing(connection)
        faults += _changed(sheet, rates, there)
        if faults:
            raise BadInput(faults)
        new = [rate for rate in rates.values() if rate.id not in there]
        if new:
            connection.execute(schema.fx_rate.insert(), list(map(_row, new)))
            note = f"{len(new):,} rate{'s' * (len(new) > 1)} of exchange"
            record_done(connection, name, "imported", [(path.name, note)])
    return Receipt(kind="fx", rows={"rates": len(rates)}, already=not new)


def _amiss(sheet: Sheet, rows: Mapping[int, Mapping[str, str]]) -> Iterator[Problem]:
    """Find what is wrong with cells that look as they should."""
    for number, row in rows.items():
        if not _is_day(row["day"]):
            yield sheet.fault(number, "day", f"there is no day {row['day']}")
        if row["base"] == row["quote"]:
            yield sheet.fault(number, "quote", f"{quoted(row['quote'])} is the base, too")
        if not _ppb(row["rate"]):
            yield sheet.fault(number, "rate", f"{quoted(row['rate'])} is not above zero")


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _rate(row: Mapping[str, Any]) -> FxRate:
    named = {name: row[name] for name in ("base", "quote", "source")}
    day = date.fromisoformat(row["day"])
    return FxRate(day=day, rate_ppb=_ppb(row["rate"]), **named)


def _ppb(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * UNIT_PPB + int(part.ljust(_PLACES, "0"))


def _standing(connection: Connection) -> dict[str, int]:
    rate = schema.fx_rate.c
    return dict(connection.execute(select(rate.id, rate.rate_ppb)).all())


def _changed(
    sheet: Sheet, rates: Mapping[int, FxRate], there: Mapping[str, int]
) -> Iterator[Problem]:
    """Find rates that are other than the books have for their day."""
    for number, rate in rates.items():
        stands = there.get(rate.id, rate.rate_ppb)
        if stands != rate.rate_ppb:
            known = replace(rate, rate_ppb=stands).decimal
            message = f"'{rate.decimal}' is not {known}, which {rate.id} is; rates never change"
            yield sheet.fault(number, "rate", message)


def _row(rate: FxRate) -> dict[str, Any]:
    return {"id": rate.id, **asdict(rate), "recorded_at": now()}
