"""The catalogue into the books.

What a file says about a subject is the whole of it: interests in a recording that the file names,
or terms of a party that it names, which are not in the file any more end in recorded time.
Reading (`read_catalogue`) is apart, so that the caller can open the music in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, select

from db import schema
from db.books.acts import record_done
from db.engine import Books, now, reading, writing
from db.intake import agreements
from db.intake.amendments import ABOUT, amendments
from db.intake.catalogue_files import CatalogueFiles, read_catalogue
from db.intake.catalogue_names import identified
from db.intake.corrections import FIELDS
from db.intake.faults import printable, quoted
from db.intake.receipt import Receipt
from db.intake.redating import Row, redate
from royalty.catalogue import Party, Recording
from royalty.errors import BadInput, Conflict, Problem

__all__ = ["AudioFacts", "CatalogueFiles", "faults", "read_catalogue", "record"]

# A licence is renewed, and the same file may be rendered anew; all else of a recording is fixed.
_MAY_CHANGE = ("audio_sha256", "duration_ms", "licensed_from", "licensed_to")
_NOUNS = ("recordings", "parties", "interests", "terms")
_HEARD = ("content_sha256", "duration_ms", "audio_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFacts:
    """What opening a recording's music told."""

    content_sha256: str
    duration_ms: int
    audio_sha256: str | None = None  # of the rendered sound, where there is one


def record(  # noqa: PLR0913  what is imported, and how it is asked for
    books: Books,
    files: CatalogueFiles,
    audio: Mapping[str, AudioFacts],
    *,
    placebo: bool = False,
    name: str | None = None,
    dry_run: bool = False,
) -> Receipt:
    """Record a catalogue. Raises `BadInput` with every fault, `Conflict` where a row changed.

    `placebo` marks recordings that the model is never to see and that nobody is paid for. What
    changes the books is an act of `name`, if somebody is named.
    """
    kind = "placebos" if placebo else "catalogue"
    rows = {each: len(getattr(files, each)) for each in _NOUNS}
    with writing(books, dry_run=dry_run) as connection:
        files, found = _judged(connection, files, home=books.home, placebo=placebo)
        if found:
            raise BadInput(found)
        interests, terms = map(asdict, files.interests), map(asdict, files.terms)
        catalogued = (
            _add(connection, schema.party, _party_rows(files.parties)),
            _add(connection, schema.work, _work_rows(connection, files.recordings)),
            _add(connection, schema.recording, _recording_rows(files, audio, placebo=placebo)),
        )
        agreed = redate(connection, schema.terms, list(terms), ABOUT["agreement"])
        held = redate(connection, schema.interest, list(interests), ABOUT["interest"])
        changed = any((*catalogued, agreed, held))
        if changed:
            counts = ", ".join(f"{count:,} {noun}" for noun, count in rows.items() if count)
            record_done(connection, name, "imported", [(_folder(files), f"{kind}: {counts}")])
    amended = (*amendments("agreement", agreed), *amendments("interest", held))
    return Receipt(kind=kind, rows=rows, already=not changed, amended=amended)


def faults(books: Books, files: CatalogueFiles, *, placebo: bool = False) -> list[Problem]:
    """List the faults within the files, and between them and the books, before any recording."""
    with reading(books) as connection:
        return _judged(connection, files, home=books.home, placebo=placebo)[1]


def _folder(files: CatalogueFiles) -> str:
    """Name the folder that files were read from."""
    return next(Path(source).resolve().parent.name for source, _ in files.places.values())


def _judged(
    connection: Connection, files: CatalogueFiles, *, home: Path, placebo: bool
) -> tuple[CatalogueFiles, list[Problem]]:
    """Put ids in the place of names, and list every fault."""
    named, unknown = identified(connection, files, home=home)
    across = (*_paid_through(connection, named), *_leaked(connection, named, placebo=placebo))
    return named, [*files.problems, *unknown, *across]


def _paid_through(connection: Connection, files: CatalogueFiles) -> Iterator[Problem]:
    """Find parties paid through one who is itself paid through another, and what they agreed."""
    payees = _column(connection, schema.party, "payee") | {p.id: p.payee for p in files.parties}
    for party in files.parties:
        through = payees.get(party.payee)
        if through not in (None, party.payee):
            who, other = quoted(str(party.payee)), quoted(str(through))
            message = f"{who} is paid through {other}; name the party that is paid"
            yield files.problem(party, "payee", message)
    yield from agreements.paid_through(files.terms, payees, files.problem)


def _leaked(connection: Connection, files: CatalogueFiles, *, placebo: bool) -> Iterator[Problem]:
    """Find works that would be trained on and held back at once."""
    other = schema.recording.c.placebo != placebo
    works = set(connection.scalars(select(schema.recording.c.work).where(other)))
    for recording in files.recordings:
        if recording.work in works:
            there = "among those trained on" if placebo else "a placebo"
            yield files.problem(recording, "work", f"work {recording.work} is {there} already")


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
            f" {_instead(table, fixed)}"
        )
    return bool(different)


def _instead(table: Table, fixed: Sequence[str]) -> str:
    """Say what to do about what an import does not change."""
    if set(fixed) <= set(FIELDS[table.name]):
        return "what was recorded stays, but 'tantieme catalogue correct FILE' writes it over"
    return "what was recorded stays: give the changed one an id of its own"


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
