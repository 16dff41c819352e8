"""Rates of exchange, as they were imported: none is inverted, and none made of two others."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.fx import FxRate


def rate(_viewer: Viewer, books: Books, base: str, quote: str, day: date) -> FxRate | None:
    """Find the latest rate from `base` to `quote` on or before a day."""
    stated = schema.fx_rate.c
    wanted = select(schema.fx_rate).where(
        stated.base == base, stated.quote == quote, stated.day <= day
    )
    with reading(books) as connection:
        latest = connection.execute(wanted.order_by(stated.day.desc()).limit(1)).one_or_none()
    return None if latest is None else noun(FxRate, latest)


def rates(_viewer: Viewer, books: Books) -> list[FxRate]:
    """List all rates, by pair of currencies, the earliest first."""
    stated = schema.fx_rate.c
    wanted = select(schema.fx_rate).order_by(stated.base, stated.quote, stated.day)
    with reading(books) as connection:
        return [noun(FxRate, row) for row in connection.execute(wanted)]
