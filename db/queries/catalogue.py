"""Recordings, parties, interests and terms as the books have them now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, select, true

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.catalogue import Interest, Party, Recording, Use, Withdrawal
from royalty.rights import RIGHTS_SCHEMAS, Rights
from royalty.terms import Terms, rates

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


def recordings(viewer: Viewer, books: Books, *, placebo: bool = False) -> list[RecordingRow]:
    """List the recordings in order of their ids: all, or those in which the viewer has an interest.

    The placebos, where asked for.
    """
    wanted = described().where(schema.recording.c.placebo == placebo, interested(viewer))
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


def interested(viewer: Viewer) -> ColumnElement[bool]:
    """Whether a viewer may see a recording: a party of theirs has a part of it, or is paid one."""
    if viewer.parties is None:
        return true()
    interest, party, mine = schema.interest.c, schema.party.c, sorted(viewer.parties)
    theirs = select(party.id).where(party.id.in_(mine) | party.payee.in_(mine))
    held = select(interest.subject_id).where(
        interest.recorded_to.is_(None), interest.party.in_(theirs)
    )
    recordings = held.where(interest.subject == "recording")
    works = held.where(interest.subject == "work")
    return schema.recording.c.id.in_(recordings) | schema.recording.c.work.in_(works)


def parties(viewer: Viewer, books: Books) -> list[Party]:
    """List the parties in order of their ids: all, or the viewer's and those paid through them."""
    wanted = select(schema.party).order_by(schema.party.c.id)
    with reading(books) as connection:
        rows = connection.execute(wanted).all()
    return [noun(Party, row) for row in rows if viewer.sees(row.id) or viewer.sees(row.payee)]


def interests(viewer: Viewer, books: Books, on: date) -> list[Interest]:
    """List the interests that hold on a day, as far as is recorded now."""
    rows = _holding(schema.interest, books, on)
    return [noun(Interest, row) for row in rows if viewer.sees(row.party)]


def terms(viewer: Viewer, books: Books, on: date) -> list[Terms]:
    """List the terms that hold on a day, as far as is recorded now."""
    rows = _holding(schema.terms, books, on)
    return [noun(Terms, row) for row in rows if viewer.sees(row.party)]


def rights(viewer: Viewer, books: Books, on: date) -> Rights:
    """Read what holds on a day as tables: recordings, interests, payees and rates.

    Only for those who see all.
    """
    viewer.require_all("who holds which rights")
    recording, interest, party = schema.recording.c, schema.interest, schema.party.c
    agreed = rates(sorted(terms(viewer, books, on), key=lambda each: each.valid_from or date.min))
    named = (interest.c.right, interest.c.subject_id, interest.c.territory)
    found = {
        "recordings": select(recording.id, recording.artist, recording.work).where(
            recording.placebo.is_(False)
        ),
        "interests": select(*named, interest.c.party, interest.c.ppm).where(_holds(interest, on)),
        "payees": select(party.id, party.payee),
    }
    with reading(books) as connection:
        why = _kept_back(connection, "output", on)
        rows: dict[str, Iterable[Sequence[Sequence[Any]]]] = {
            name: connection.execute(each).partitions(_ROWS) for name, each in found.items()
        }
        rows["recordings"] = (
            [(*row, row[0] not in why, why.get(row[0])) for row in part]
            for part in rows["recordings"]
        )
        tables = {name: _table(parts, RIGHTS_SCHEMAS[name]) for name, parts in rows.items()}
    paid = [(*key, rate) for key, rate in sorted(agreed.items())]
    return Rights(**tables, rates=_table([paid], RIGHTS_SCHEMAS["rates"]))


def withdrawals(viewer: Viewer, books: Books) -> list[Withdrawal]:
    """List the withdrawals, of any day, as far as is recorded now; those taken back are none.

    All, or those of recordings in which the viewer has an interest.
    """
    table = schema.withdrawal
    stands = table.c.recorded_to.is_(None) & table.c.valid_to.is_distinct_from(table.c.valid_from)
    order = (table.c.recording, table.c.valid_from, table.c.id)
    mine = table.c.recording.in_(select(schema.recording.c.id).where(interested(viewer)))
    with reading(books) as connection:
        found = connection.execute(select(table).where(stands, mine).order_by(*order))
        return [noun(Withdrawal, row) for row in found]


def kept_back(viewer: Viewer, books: Books, use: Use, on: date) -> dict[str, str]:
    """Say why each recording that may not be put to a use on a day may not, by recording.

    All, or those in which the viewer has an interest.
    """
    with reading(books) as connection:
        found = _kept_back(connection, use, on)
        seen = set(connection.scalars(select(schema.recording.c.id).where(interested(viewer))))
    return {name: why for name, why in found.items() if name in seen}


def _kept_back(connection: Connection, use: Use, on: date) -> dict[str, str]:
    """Look at the recordings with a bounded licence, and at those that are withdrawn."""
    table, withdrawal = schema.recording, schema.withdrawal
    withdrawn: defaultdict[str, list[Withdrawal]] = defaultdict(list)
    for row in connection.execute(select(withdrawal).where(_holds(withdrawal, on))):
        withdrawn[row.recording].append(noun(Withdrawal, row))
    unlicensed = ~_within(on, table.c.licensed_from, table.c.licensed_to)
    named = table.c.id.in_(select(withdrawal.c.recording).where(_holds(withdrawal, on)))
    found = connection.execute(select(table).where(unlicensed | named).order_by(table.c.id))
    said = {
        row.id: noun(Recording, row, iswc=None).why_not(use, on, withdrawn[row.id]) for row in found
    }
    return {name: why for name, why in said.items() if why is not None}


def _table(parts: Iterable[Sequence[Sequence[Any]]], fields: pa.Schema) -> pa.Table:
    """Make a table of rows that come in parts."""
    batches = [_batch(list(zip(*part, strict=True)), fields) for part in parts if part]
    return pa.Table.from_batches(batches, schema=fields)


def _batch(columns: Sequence[Sequence[Any]], fields: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
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
