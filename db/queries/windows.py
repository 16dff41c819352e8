"""A part of a long list: what is looked for in it, where the part begins and how long it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

ROWS_MAX = 10_000  # that a page may hand to a browser
_NAMED_MAX = 10_000  # values in one query; SQLite takes 32,766


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows of a list are wanted. Raises `ValueError` for more than `ROWS_MAX`."""

    search: str = ""  # part of a name, in whatever case; nothing: all of them
    offset: int = 0
    limit: int = 50

    def __post_init__(self) -> None:
        if not 0 <= self.limit <= ROWS_MAX or self.offset < 0:
            raise ValueError(f"a page has up to {ROWS_MAX} rows from row 0 on, not {self}")

    def of(self, wanted: Select[Any]) -> Select[Any]:
        """Select those rows of an ordered query."""
        return wanted.limit(self.limit).offset(self.offset)


def named_like(search: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether one of the columns has a text in it; the empty text is in all."""
    return or_(*(func.coalesce(each, "").icontains(search, autoescape=True) for each in columns))


def counted(connection: Connection, wanted: Select[Any]) -> int:
    """Count the rows of a query."""
    return connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def among(
    connection: Connection, wanted: Select[Any], column: ColumnElement[str], values: Sequence[str]
) -> list[Row[Any]]:
    """Read the rows of a query in which a column has one of these values, however many."""
    parts = range(0, len(values), _NAMED_MAX)
    queries = (wanted.where(column.in_(values[start : start + _NAMED_MAX])) for start in parts)
    return [row for each in queries for row in connection.execute(each)]
