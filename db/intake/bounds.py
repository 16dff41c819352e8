"""What a month's rows may add up to: rules are exact up to there, and no month is divided beyond.

Judged by source, over all territories: whatever pools the settings make of them hold no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from db.intake import keys
from db.intake.faults import shown
from db.intake.sheets import ROW, Sheet
from royalty.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The most that a number of a snapshot may add up to over the rows of one key."""

    column: str  # what a file calls the number
    number: str
    by: tuple[str, ...]
    most: int
    unit: int = 1  # how much of the number is one in the file


def beyond(sheet: Sheet, rows: pa.Table, bound: Bound) -> Iterator[Problem]:
    """Find what adds up to too much, where rows of the sheet are part of it.

    `rows` are a period's, of this sheet and of earlier ones; those of earlier ones have no row.
    """
    for *key, total, row in _sums(rows, bound):
        of = " and ".join(f"{name} {shown(text)}" for name, text in zip(bound.by, key, strict=True))
        much, most = (f"{Decimal(number) / bound.unit:,f}" for number in (total, bound.most))
        message = (
            f"with all that came in for the period, {bound.column} of {of} are {much}, and rules "
            f"are exact up to {most}; correct them, or put some under a source of their own"
        )
        yield sheet.fault(row, bound.column, message)


def _sums(rows: pa.Table, bound: Bound) -> list[tuple[Any, ...]]:
    """List key, sum and first row of the sheet where the sum is too large."""
    names = [f'"{name}"' for name in bound.by]
    with keys.engine().cursor() as connection:
        found = connection.from_arrow(rows.select([*bound.by, bound.number, ROW]))
        sums = found.aggregate(
            ", ".join([*names, f'sum("{bound.number}") as total', f'min("{ROW}") as first'])
        )
        return list(sums.filter(f"total > {bound.most} and first is not null").fetchall())
