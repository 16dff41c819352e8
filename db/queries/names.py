"""What files may call recordings and parties, and what was corrected of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRow:
    """A name that a recording or a party goes by, too, and since when."""

    noun: str  # recording | party
    alias: str
    id: str
    name: str  # its title, or its name
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRow:
    """A field that was written over, and why."""

    noun: str  # recording | work | party
    noun_id: str
    field: str
    before: str | None
    after: str | None
    reason: str
    recorded_at: str


def aliases(viewer: Viewer, books: Books) -> list[AliasRow]:
    """List the aliases that stand, by noun and alias. Only for those who see all."""
    viewer.require_all("what recordings and parties are called, too")
    alias = schema.alias.c
    stands = select(schema.alias).where(alias.recorded_to.is_(None))
    names = {"recording": schema.recording.c.title, "party": schema.party.c.name}
    with reading(books) as connection:
        called = {
            kind: dict(connection.execute(select(column.table.c.id, column)).all())
            for kind, column in names.items()
        }
        return [
            noun(AliasRow, row, id=row.noun_id, name=called[row.noun][row.noun_id])
            for row in connection.execute(stands.order_by(alias.noun, alias.alias))
        ]


def corrections(viewer: Viewer, books: Books) -> list[CorrectionRow]:
    """List what was corrected, the first first. Only for those who see all."""
    viewer.require_all("what was corrected")
    wanted = select(schema.correction).order_by(schema.correction.c.id)
    with reading(books) as connection:
        return [noun(CorrectionRow, row) for row in connection.execute(wanted)]
