"""Two clocks: what is said anew of a subject ends, in recorded time, what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from db.engine import now

__all__ = ["Row", "redate"]

Row = Mapping[str, Any] | RowMapping

_RECORDED = ("id", "recorded_at", "recorded_to")


def redate(connection: Connection, table: Table, rows: Sequence[Row], about: Sequence[str]) -> bool:
    """End what the rows no longer say of their subjects, and add what is new; say whether any was.

    `about` names the columns that tell subjects apart: those that no row names stay as they are.
    """
    facts = [name for name in list(table.columns.keys()) if name not in _RECORDED]
    subjects = {_pick(row, about) for row in rows}
    current = connection.execute(select(table).where(table.c.recorded_to.is_(None))).mappings()
    standing = {_pick(row, facts): row["id"] for row in current if _pick(row, about) in subjects}
    said = {_pick(row, facts): row for row in rows}
    instant = now()
    ended = [number for fact, number in standing.items() if fact not in said]
    for number in ended:
        this = table.c.id == number
        connection.execute(table.update().where(this).values(recorded_to=instant))
    new = [{**row, "recorded_at": instant} for fact, row in said.items() if fact not in standing]
    if new:
        connection.execute(table.insert(), new)
    return bool(ended or new)


def _pick(row: Row, names: Sequence[str]) -> tuple[object, ...]:
    return tuple(row[name] for name in names)
