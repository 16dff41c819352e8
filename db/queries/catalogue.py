"""Recordings, parties, interests and terms as the books have them now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Row, Table, select

from db import schema
from db.engine import Books, reading
from db.queries.viewer import Viewer
from royalty.catalogue import Interest, Party, Recording, Right
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
    recording, party, work = schema.recording, schema.party, schema.work
    wanted = (
        select(recording, party.c.name.label("artist_name"), work.c.iswc)
        .join(party, party.c.id == recording.c.artist)
        .join(work, work.c.id == recording.c.work)
        .where(recording.c.placebo == placebo)
        .order_by(recording.c.id)
    )
    with reading(books) as connection:
        return [_recording_row(row) for row in connection.execute(wanted)]


def parties(_viewer: Viewer, books: Books) -> list[Party]:
    """List the parties, in order of their ids."""
    wanted = select(schema.party).order_by(schema.party.c.id)
    with reading(books) as connection:
        return [
            Party(
                id=row.id,
                name=row.name,
                kind=row.kind,
                payee=row.payee,
                ipi=row.ipi,
                isni=row.isni,
            )
            for row in connection.execute(wanted)
        ]


def interests(viewer: Viewer, books: Books, on: date) -> list[Interest]:
    """List the interests that hold on a day, as far as is recorded now."""
    return [
        Interest(
            subject=row.subject,
            subject_id=row.subject_id,
            right=cast("Right", row.right),
            party=row.party,
            ppm=row.ppm,
            territory=row.territory,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in _holding(schema.interest, books, on)
        if viewer.sees(row.party)
    ]


def terms(viewer: Viewer, books: Books, on: date) -> list[Terms]:
    """List the terms that hold on a day, as far as is recorded now."""
    return [
        Terms(
            party=row.party,
            royalty_rate_ppm=row.royalty_rate_ppm,
            advance_micros=row.advance_micros,
            reserve_ppm=row.reserve_ppm,
            minimum_payment_micros=row.minimum_payment_micros,
            withholding_ppm=row.withholding_ppm,
            currency=row.currency,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in _holding(schema.terms, books, on)
        if viewer.sees(row.party)
    ]


def _holding(table: Table, books: Books, on: date) -> list[Row[Any]]:
    begun = table.c.valid_from.is_(None) | (table.c.valid_from <= on)
    lasts = table.c.valid_to.is_(None) | (table.c.valid_to > on)
    known = table.c.recorded_to.is_(None)
    with reading(books) as connection:
        wanted = select(table).where(known, begun, lasts).order_by(table.c.id)
        return list(connection.execute(wanted))


def _recording_row(row: Row[Any]) -> RecordingRow:
    return RecordingRow(
        recording=Recording(
            id=row.id,
            title=row.title,
            artist=row.artist,
            work=row.work,
            isrc=row.isrc,
            iswc=row.iswc,
            file=row.file,
            licensed_from=row.licensed_from,
            licensed_to=row.licensed_to,
        ),
        artist_name=row.artist_name,
        content_sha256=row.content_sha256,
        audio_sha256=row.audio_sha256,
        duration_ms=row.duration_ms,
        placebo=row.placebo,
    )
