"""One plain table, and its bytes: what every report but a statement is.

A report is a function from values to a `Table`; how a table is written is nobody's business but
this file's and `royalty.reports.xlsx`'s. Equal tables give equal bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from royalty.money import Money
from royalty.period import Period
from royalty.reports.csv import no_formula
from royalty.reports.json import SCHEMA, written

Kind = Literal["text", "id", "money", "count", "percent", "date"]
Cell = str | int | float | date | Money | None
_OF_KIND: dict[Kind, tuple[type, ...]] = {
    "text": (str,),
    "id": (str,),
    "money": (Money,),
    "count": (int,),
    "percent": (float,),
    "date": (date,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: what files call it, what people do, and what its cells are.

    Cells of `money` are `Money`, of `percent` parts from 0 to 1, of `count` whole numbers, of
    `date` days, of `text` and `id` text; an identifier is never to be taken for a number. None is
    an empty cell in any column.
    """

    name: str  # running_balance
    title: str  # Balance
    kind: Kind = "text"
    foreign: bool = False  # of money that may be of another currency than the rest of its row


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A report, ready to be written; `rows` have a cell for every column."""

    name: str  # suspense; of a file, a sheet
    title: str  # Suspense by age, 2026-10
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()  # plain sentences: what a cell cannot say
    period: Period | None = None
    root: str | None = None  # of the Merkle tree over the period's postings and accounts

    def __post_init__(self) -> None:
        for row in self.rows:
            for column, cell in zip(self.columns, row, strict=True):
                assert cell is None or isinstance(cell, _OF_KIND[column.kind]), (
                    f"{self.name}.{column.name} is no {column.kind}: {cell!r}"
                )


def table_csv(table: Table) -> bytes:
    """Write a table's rows under its columns' names.

    An amount is decimal text with six places. A column `currency` follows the others, where any is
    of money; what is foreign has its own, `<name>_currency`, beside it. Notes are left out.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    shared = any(column.kind == "money" and not column.foreign for column in table.columns)
    names = (name for column in table.columns for name in _names(column))
    writer.writerow([*names, *(["currency"] * shared)])
    for row in table.rows:
        pairs = list(zip(table.columns, row, strict=True))
        cells = (cell for column, value in pairs for cell in _cells(column, value))
        writer.writerow([*cells, *([_currency(pairs)] * shared)])
    return text.getvalue().encode()


def table_json(table: Table) -> bytes:
    """Write a table as a JSON document: a row is an object, keys in the order of its columns."""
    names = [column.name for column in table.columns]
    document = {
        "schema": SCHEMA,
        "report": table.name,
        "title": table.title,
        "period": None if table.period is None else str(table.period),
        "root": table.root,
        "notes": list(table.notes),
        "rows": [dict(zip(names, map(_value, row), strict=True)) for row in table.rows],
    }
    return written(document)


def _names(column: Column) -> Sequence[str]:
    return [column.name, f"{column.name}_currency"] if column.foreign else [column.name]


def _cells(column: Column, value: Cell) -> Sequence[str | int | None]:
    currency = value.currency if isinstance(value, Money) else None
    return [_cell(value), currency] if column.foreign else [_cell(value)]


def _cell(value: Cell) -> str | int | None:
    if isinstance(value, Money):
        return value.decimal
    if isinstance(value, float):
        return f"{value:.6f}"
    return value.isoformat() if isinstance(value, date) else no_formula(value)


def _currency(pairs: Iterable[tuple[Column, Cell]]) -> str | None:
    """Name the one currency of a row's amounts, but for the foreign ones."""
    found = {
        value.currency for column, value in pairs if isinstance(value, Money) and not column.foreign
    }
    assert len(found) <= 1, f"amounts of one row are in {sorted(found)}"
    return next(iter(found), None)


def _value(value: Cell) -> object:
    if isinstance(value, Money):
        return value.json
    return value.isoformat() if isinstance(value, date) else value
