"""Two clocks: what is said anew of a subject ends, in recorded time, what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from db.engine import now

__all__ = ["Redated", "Row", "redate"]

Row = Mapping[str, Any] | RowMapping

_RECORDED = ("id", "recorded_at", "recorded_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redated:
    """What was said of some subjects before, and is said now; true where that differs."""

    kept: Sequence[Row]
    ended: Sequence[Row]
    added: Sequence[Row]

    def __bool__(self) -> bool:
        """Whether anything was ended or added."""
        return bool(self.ended or self.added)


def redate(
    connection: Connection, table: Table, rows: Sequence[Row], about: Sequence[str]
) -> Redated:
    """End what the rows no longer say of their subjects, and add what is new; say what that was.

    `about` names the columns that tell subjects apart: those that no row names stay as they are.
    """
    facts = [name for name in list(table.columns.keys()) if name not in _RECORDED]
    subjects = {_pick(row, about) for row in rows}
    current = connection.execute(select(table).where(table.c.recorded_to.is_(None))).mappings()
    standing = {_pick(row, facts): row for row in current if _pick(row, about) in subjects}
    said = {_pick(row, facts): row for row in rows}
    instant = now()
    ended = [row for fact, row in standing.items() if fact not in said]
    for row in ended:
        this = table.c.id == row["id"]
        connection.execute(table.update().where(this).values(recorded_to=instant))
    added = [row for fact, row in said.items() if fact not in standing]
    if added:
        connection.execute(table.insert(), [{**row, "recorded_at": instant} for row in added])
    kept = [row for fact, row in standing.items() if fact in said]
    return Redated(kept=kept, ended=ended, added=added)


def _pick(row: Row, names: Sequence[str]) -> tuple[object, ...]:
    return tuple(row[name] for name in names)
