"""Recordings, parties, interests and terms as the books have them now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, Table, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.catalogue import Interest, Party, Recording
from royalty.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRow:
    """A recording, with what was heard when it was imported."""

    recording: Recording
    artist_name: str
    content_sha256: str | None
    audio_sha256: str | None
    duration_ms: int | None
    placebo: bool


def recordings(_viewer: Viewer, books: Books, *, placebo: bool = False) -> list[RecordingRow]:
    """List the recordings, in order of their ids; the placebos, where asked for."""
    wanted = described().where(schema.recording.c.placebo == placebo)
    with reading(books) as connection:
        return [
            noun(RecordingRow, row, recording=noun(Recording, row))
            for row in connection.execute(wanted.order_by(schema.recording.c.id))
        ]


def described() -> Select[Any]:
    """Select recordings with what their artist and their work are known by."""
    recording, party, work = schema.recording, schema.party, schema.work
    artist = (party.c.name.label("artist_name"), party.c.isni.label("artist_isni"))
    return (
        select(recording, *artist, work.c.iswc)
        .join(party, party.c.id == recording.c.artist)
        .join(work, work.c.id == recording.c.work)
    )


def parties(_viewer: Viewer, books: Books) -> list[Party]:
    """List the parties, in order of their ids."""
    wanted = select(schema.party).order_by(schema.party.c.id)
    with reading(books) as connection:
        return [noun(Party, row) for row in connection.execute(wanted)]


def interests(viewer: Viewer, books: Books, on: date) -> list[Interest]:
    """List the interests that hold on a day, as far as is recorded now."""
    rows = _holding(schema.interest, books, on)
    return [noun(Interest, row) for row in rows if viewer.sees(row.party)]


def terms(viewer: Viewer, books: Books, on: date) -> list[Terms]:
    """List the terms that hold on a day, as far as is recorded now."""
    rows = _holding(schema.terms, books, on)
    return [noun(Terms, row) for row in rows if viewer.sees(row.party)]


def _holding(table: Table, books: Books, on: date) -> list[Row[Any]]:
    begun = table.c.valid_from.is_(None) | (table.c.valid_from <= on)
    lasts = table.c.valid_to.is_(None) | (table.c.valid_to > on)
    known = table.c.recorded_to.is_(None)
    with reading(books) as connection:
        wanted = select(table).where(known, begun, lasts).order_by(table.c.id)
        return list(connection.execute(wanted))
