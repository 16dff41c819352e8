"""Who did what in a period's books."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One thing that someone did. Names are as given; nothing proves them."""

    id: int
    name: str  # empty: none was given
    act: str  # prepared | approved | closed | …
    period: Period
    subject: str  # the rule, the payment, the hold
    content_sha256: str | None  # of what it was done to, where that can change
    note: str
    recorded_at: str


def acts(viewer: Viewer, books: Books, period: Period) -> list[ActRow]:
    """List what was done in a period's books, the first first; to auditors only."""
    viewer.require_all(f"who did what in {period}")
    done = select(schema.act).where(schema.act.c.period == str(period))
    with reading(books) as connection:
        rows = connection.execute(done.order_by(schema.act.c.id)).all()
    return [noun(ActRow, row, period=Period.parse(row.period)) for row in rows]
