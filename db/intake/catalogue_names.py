"""The names in a catalogue's folder: known ones become ids, and every other one is a fault."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, select

from db import schema
from db.intake.called import Called, party_called, recording_called
from db.intake.catalogue_files import CatalogueFiles
from db.intake.faults import quoted
from db.intake.guesses import did_you_mean, to_confirm
from db.intake.names import Known, known
from royalty.catalogue import Interest
from royalty.errors import Problem

T = TypeVar("T")

Kind = Literal["recordings", "parties", "interests", "terms"]

# The columns that name someone or something, and what.
_REFERENCES: tuple[tuple[Kind, str, str], ...] = (
    ("recordings", "artist", "party"),
    ("parties", "payee", "party"),
    ("interests", "party", "party"),
    ("interests", "subject_id", "subject"),
    ("terms", "party", "party"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """A cell that names a recording, a work or a party."""

    kind: Kind
    value: Hashable
    column: str
    noun: str
    name: str


def identified(
    connection: Connection, files: CatalogueFiles, *, home: Path
) -> tuple[CatalogueFiles, list[Problem]]:
    """Put ids in the place of known names; list the unknown, with the best guess at each.

    What is guessed is written under `home` to be confirmed, never taken.
    """
    references = list(_references(files))
    names = _known(connection, files, references)
    unknown = [
        files.problem(each.value, each.column, _there_is_none(each, names[each.noun]))
        for each in references
        if each.name not in names[each.noun].ids
    ]
    in_two_ways = list(_in_two_ways(files, references, names))
    guesses = {noun: each.guesses for noun, each in names.items()}
    asked = [each for first in unknown[:1] for each in to_confirm(home, first.source, guesses)]
    return _with_ids(files, references, names), [*unknown, *in_two_ways, *asked]


def _references(files: CatalogueFiles) -> Iterator[_Reference]:
    for kind, column, noun in _REFERENCES:
        for value in getattr(files, kind):
            of = value.subject if noun == "subject" else noun
            if name := getattr(value, column):
                yield _Reference(kind=kind, value=value, column=column, noun=of, name=name)


def _known(
    connection: Connection, files: CatalogueFiles, references: Iterable[_Reference]
) -> dict[str, Known]:
    cells: dict[str, list[str]] = {"party": [], "recording": [], "work": []}
    for each in references:
        cells[each.noun].append(each.name)
    works = {*connection.scalars(select(schema.work.c.id)), *(r.work for r in files.recordings)}
    parties, recordings = _brought(files)
    return {
        "party": known(connection, cells["party"], "party", beside=parties),
        "recording": known(connection, cells["recording"], "recording", beside=recordings),
        "work": Known(ids={name: name for name in cells["work"] if name in works}),
    }


def _brought(files: CatalogueFiles) -> tuple[list[Called], list[Called]]:
    """Say what the parties and recordings that the files bring in are called."""
    artists = {party.id: party.name for party in files.parties}
    recordings = [
        recording_called(each, artists.get(each.artist, each.artist)) for each in files.recordings
    ]
    return list(map(party_called, files.parties)), recordings


def _there_is_none(reference: _Reference, names: Known) -> str:
    guesses = names.guesses.get(reference.name, ())
    return f"there is no {reference.noun} {quoted(reference.name)}{did_you_mean(guesses)}"


def _in_two_ways(
    files: CatalogueFiles, references: Iterable[_Reference], names: Mapping[str, Known]
) -> Iterator[Problem]:
    """Find rows that would be held against each other did they not name the same in other words.

    What rows of interests and terms may not say together was judged by the words.
    """
    first: dict[Hashable, _Reference] = {}
    for each in references:
        if each.kind not in ("interests", "terms") or each.name not in names[each.noun].ids:
            continue
        id_ = names[each.noun].ids[each.name]
        before = first.setdefault((each.kind, each.column, _among(each, names), id_), each)
        if before.name != each.name:
            _, row = files.places[before.value]
            said = f"{quoted(each.name)} is {id_}, whom row {row} calls {quoted(before.name)}"
            yield files.problem(each.value, each.column, f"{said}; name both alike")


def _among(reference: _Reference, names: Mapping[str, Known]) -> Hashable:
    """Say within what a name must have one spelling: a party, among the owners of one subject."""
    value = reference.value
    if reference.column != "party" or not isinstance(value, Interest):
        return reference.noun
    return value.subject, names[value.subject].ids.get(value.subject_id)


def _with_ids(
    files: CatalogueFiles, references: Iterable[_Reference], names: Mapping[str, Known]
) -> CatalogueFiles:
    """Put the ids in, where names are something else; every row keeps its place."""
    changes: dict[Hashable, dict[str, str]] = {}
    for each in references:
        id_ = names[each.noun].ids.get(each.name, each.name)
        if id_ != each.name:
            changes.setdefault(each.value, {})[each.column] = id_

    def changed(value: Any) -> Any:  # noqa: ANN401  any of the four nouns
        return replace(value, **changes[value]) if value in changes else value

    return replace(
        files,
        recordings=tuple(map(changed, files.recordings)),
        parties=tuple(map(changed, files.parties)),
        interests=tuple(map(changed, files.interests)),
        terms=tuple(map(changed, files.terms)),
        places={changed(value): place for value, place in files.places.items()},
    )
