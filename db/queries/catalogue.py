"""Recordings, parties, interests and terms as the books have them now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, ColumnElement, Row, Select, Table, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.catalogue import Interest, Party, Recording
from royalty.rights import RIGHTS_SCHEMAS, Rights
from royalty.terms import Terms

_ROWS = 1 << 10  # read at a time: the collector goes through all that are there


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


def rights(viewer: Viewer, books: Books, on: date) -> Rights:
    """Read what holds on a day as tables: recordings, interests, payees and rates."""
    recording, interest, party = schema.recording.c, schema.interest, schema.party.c
    agreed = sorted(terms(viewer, books, on), key=lambda each: each.valid_from or date.min)
    rates = {each.party: each.royalty_rate_ppm for each in agreed}
    licensed = _within(on, recording.licensed_from, recording.licensed_to)
    named = (interest.c.right, interest.c.subject_id, interest.c.territory)
    held = select(*named, interest.c.party, interest.c.ppm).where(_holds(interest, on))
    found = {
        "recordings": select(recording.id, recording.artist, recording.work, licensed).where(
            recording.placebo.is_(False)
        ),
        "interests": held,
        "payees": select(party.id, party.payee),
    }
    with reading(books) as connection:
        tables = {
            name: _table(connection.execute(wanted).partitions(_ROWS), RIGHTS_SCHEMAS[name])
            for name, wanted in found.items()
        }
    return Rights(**tables, rates=_table([sorted(rates.items())], RIGHTS_SCHEMAS["rates"]))


def _table(parts: Iterable[Sequence[Sequence[Any]]], fields: pa.Schema) -> pa.Table:
    """Make a table of rows that come in parts."""
    batches = [_batch(list(zip(*part, strict=True)), fields) for part in parts if part]
    return pa.Table.from_batches(batches, schema=fields)


def _batch(columns: Sequence[Sequence[Any]], fields: pa.Schema) -> pa.RecordBatch:
    arrays = [
        pa.array(map(bool, column) if field.type == pa.bool_() else column, field.type)
        for column, field in zip(columns, fields, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=fields)


def _within(on: date, begin: Column[Any], end: Column[Any]) -> ColumnElement[bool]:
    return (begin.is_(None) | (begin <= on)) & (end.is_(None) | (end > on))


def _holds(table: Table, on: date) -> ColumnElement[bool]:
    """Whether an interest or terms hold on a day, as far as is recorded now."""
    return table.c.recorded_to.is_(None) & _within(on, table.c.valid_from, table.c.valid_to)


def _holding(table: Table, books: Books, on: date) -> list[Row[Any]]:
    with reading(books) as connection:
        wanted = select(table).where(_holds(table, on)).order_by(table.c.id)
        return list(connection.execute(wanted))
