"""The catalogue into the books.

What a file says about a subject is the whole of it: interests in a recording that the file names,
or terms of a party that it names, which are not in the file any more end in recorded time.
Reading (`read_catalogue`) is apart, so that the caller can open the music in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from db import schema
from db.engine import Books, now, reading, writing
from db.intake.catalogue_files import CatalogueFiles, read_catalogue
from db.intake.faults import printable
from db.intake.receipt import Receipt
from royalty.catalogue import Interest, Party, Recording
from royalty.errors import BadInput, Conflict, Problem
from royalty.terms import Terms

__all__ = ["AudioFacts", "CatalogueFiles", "faults", "read_catalogue", "record"]

Row = Mapping[str, Any] | RowMapping

# A licence is renewed, and the same file may be rendered anew; all else of a recording is fixed.
_MAY_CHANGE = ("audio_sha256", "duration_ms", "licensed_from", "licensed_to")
_RECORDED = ("id", "recorded_at", "recorded_to")
_HEARD = ("content_sha256", "duration_ms", "audio_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFacts:
    """What opening a recording's music told."""

    content_sha256: str
    duration_ms: int
    audio_sha256: str | None = None  # of the rendered sound, where there is one


def record(
    books: Books,
    files: CatalogueFiles,
    audio: Mapping[str, AudioFacts],
    *,
    placebo: bool = False,
    dry_run: bool = False,
) -> Receipt:
    """Record a catalogue. Raises `BadInput` with every fault, `Conflict` where a row changed.

    `placebo` marks recordings that the model is never to see and that nobody is paid for.
    """
    with writing(books, dry_run=dry_run) as connection:
        found = _faults(connection, files, placebo=placebo)
        if found:
            raise BadInput(found)
        interests, terms = map(asdict, files.interests), map(asdict, files.terms)
        changes = (
            _add(connection, schema.party, _party_rows(files.parties)),
            _add(connection, schema.work, _work_rows(connection, files.recordings)),
            _add(connection, schema.recording, _recording_rows(files, audio, placebo=placebo)),
            _redate(connection, schema.interest, list(interests), ("subject", "subject_id")),
            _redate(connection, schema.terms, list(terms), ("party",)),
        )
    kinds = ("recordings", "parties", "interests", "terms")
    return Receipt(
        kind="placebos" if placebo else "catalogue",
        rows={kind: len(getattr(files, kind)) for kind in kinds},
        already=not any(changes),
    )


def faults(books: Books, files: CatalogueFiles, *, placebo: bool = False) -> list[Problem]:
    """List the faults within the files, and between them and the books, before any recording."""
    with reading(books) as connection:
        return _faults(connection, files, placebo=placebo)


def _faults(connection: Connection, files: CatalogueFiles, *, placebo: bool) -> list[Problem]:
    return [
        *files.problems,
        *_unknown(connection, files),
        *_paid_through(connection, files),
        *_leaked(connection, files, placebo=placebo),
    ]


def _unknown(connection: Connection, files: CatalogueFiles) -> Iterator[Problem]:
    """Find references to what is neither in the files nor in the books."""
    parties = {each.id for each in files.parties} | _ids(connection, schema.party)
    subjects = {
        "recording": {each.id for each in files.recordings} | _ids(connection, schema.recording),
        "work": {each.work for each in files.recordings} | _ids(connection, schema.work),
    }
    owned: list[Interest | Terms] = [*files.interests, *files.terms]
    references = [
        *((each, "artist", "party", each.artist, parties) for each in files.recordings),
        *((each, "party", "party", each.party, parties) for each in owned),
        *(
            (each, "subject_id", each.subject, each.subject_id, subjects[each.subject])
            for each in files.interests
        ),
        *((each, "payee", "party", each.payee, parties) for each in files.parties),
    ]
    for value, column, noun, name, known in references:
        if name and name not in known:
            yield files.problem(value, column, f"there is no {noun} '{name}'")


def _paid_through(connection: Connection, files: CatalogueFiles) -> Iterator[Problem]:
    """Find parties paid through one who is itself paid through another."""
    payees = _column(connection, schema.party, "payee") | {p.id: p.payee for p in files.parties}
    for party in files.parties:
        through = payees.get(party.payee)
        if through not in (None, party.payee):
            message = f"'{party.payee}' is paid through '{through}'; name the party that is paid"
            yield files.problem(party, "payee", message)


def _leaked(connection: Connection, files: CatalogueFiles, *, placebo: bool) -> Iterator[Problem]:
    """Find works that would be trained on and held back at once."""
    other = schema.recording.c.placebo != placebo
    works = set(connection.scalars(select(schema.recording.c.work).where(other)))
    for recording in files.recordings:
        if recording.work in works:
            there = "among those trained on" if placebo else "a placebo"
            yield files.problem(recording, "work", f"work {recording.work} is {there} already")


def _ids(connection: Connection, table: Table) -> set[str]:
    return set(connection.scalars(select(table.c.id)))


def _column(connection: Connection, table: Table, name: str) -> dict[str, object]:
    found = connection.execute(select(table.c.id, table.c[name]))
    return {row[0]: row[1] for row in found}


def _add(connection: Connection, table: Table, rows: Sequence[Row]) -> bool:
    """Insert the rows that are new; renew what may change. Say whether anything did."""
    there = {row["id"]: row for row in connection.execute(select(table)).mappings()}
    new = [row for row in rows if row["id"] not in there]
    if new:
        connection.execute(table.insert(), [{**row, "recorded_at": now()} for row in new])
    renewed = [row for row in rows if row["id"] in there and _renewed(table, there[row["id"]], row)]
    for row in renewed:
        changed = {name: row[name] for name in _MAY_CHANGE}
        connection.execute(table.update().where(table.c.id == row["id"]).values(changed))
    return bool(new or renewed)


def _renewed(table: Table, old: Row, new: Row) -> bool:
    different = [name for name in new if new[name] != old[name]]
    fixed = [name for name in different if name not in _MAY_CHANGE]
    if fixed:
        raise Conflict(
            f"{table.name} {printable(new['id'])} is in the books with another {', '.join(fixed)};"
            " what was recorded stays: give the changed one an id of its own"
        )
    return bool(different)


def _party_rows(parties: Sequence[Party]) -> list[Row]:
    """Write parties, those that are paid themselves first, since others refer to them."""
    return [asdict(party) for party in sorted(parties, key=lambda party: party.payee != party.id)]


def _work_rows(connection: Connection, recordings: Sequence[Recording]) -> list[Row]:
    """Write the works of recordings; a row that is silent on the ISWC changes nothing."""
    known = _column(connection, schema.work, "iswc")
    stated = {each.work: each.iswc for each in recordings if each.iswc}
    works = dict.fromkeys(each.work for each in recordings)
    return [{"id": work, "iswc": stated.get(work, known.get(work))} for work in works]


def _recording_rows(
    files: CatalogueFiles, audio: Mapping[str, AudioFacts], *, placebo: bool
) -> list[Row]:
    rows: list[Row] = []
    for recording in files.recordings:
        facts = audio.get(recording.id)
        heard = asdict(facts) if facts else dict.fromkeys(_HEARD)
        row = asdict(recording) | heard | {"placebo": placebo}
        del row["iswc"]  # the work's
        rows.append(row)
    return rows


def _redate(
    connection: Connection, table: Table, rows: Sequence[Row], about: Sequence[str]
) -> bool:
    """End, in recorded time, what the rows no longer say of their subjects; add what is new."""
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
