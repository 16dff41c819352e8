"""What recordings and parties are called: by people, and by the industry's identifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from db import schema
from db.intake import faults
from db.intake.identifiers import read_ipi, read_isni, read_isrc
from royalty.catalogue import Party, Recording

Noun = Literal["recording", "party"]
NOUNS: tuple[Noun, ...] = ("recording", "party")
TABLES = {"recording": schema.recording, "party": schema.party}

_READERS: Mapping[Noun, Sequence[Callable[[str], str]]] = {
    "recording": (read_isrc,),
    "party": (read_isni, read_ipi),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What one recording or party is called."""

    id: str
    shown: str  # to people, who are asked whether it is meant
    names: tuple[str, ...]
    identifiers: tuple[str | None, ...]


def in_books(connection: Connection, noun: Noun) -> dict[str, Called]:
    """Read what all recordings or parties of the books are called, by id."""
    read = {"recording": _recordings, "party": _parties}[noun]
    return {each.id: each for each in read(connection)}


def party_called(party: Party) -> Called:
    """Say what a party is called."""
    return _party(party.id, party.name, (party.isni, party.ipi))


def recording_called(recording: Recording, artist: str) -> Called:
    """Say what a recording is called, by an artist of that name."""
    return _recording(recording.id, recording.title, artist, recording.isrc)


def holders_of(
    cells: Iterable[str], noun: Noun, called: Iterable[Called]
) -> dict[str, list[Called]]:
    """Find, for the cells that are an identifier, those that have it, in order of their ids."""
    having: defaultdict[str | None, list[Called]] = defaultdict(list)
    for each in sorted(called, key=lambda each: each.id):
        for identifier in each.identifiers:
            having[identifier].append(each)
    read = {cell: _identifiers(cell, noun) & having.keys() for cell in cells}
    return {
        cell: [each for identifier in sorted(found) for each in having[identifier]]
        for cell, found in read.items()
        if found
    }


def _identifiers(cell: str, noun: Noun) -> set[str]:
    """Read a cell as an identifier, in the one spelling that the books have; mostly it is none."""
    found = set()
    for read in _READERS[noun]:
        with suppress(ValueError):
            found.add(read(cell))
    return found


def _recordings(connection: Connection) -> Iterator[Called]:
    recording, party = schema.recording.c, schema.party.c
    columns = (recording.id, recording.title, party.name, recording.isrc)
    found = select(*columns).join(schema.party, party.id == recording.artist)
    return (_recording(*row) for row in connection.execute(found))


def _parties(connection: Connection) -> Iterator[Called]:
    party = schema.party.c
    found = connection.execute(select(party.id, party.name, party.isni, party.ipi))
    return (_party(id_, name, tuple(identifiers)) for id_, name, *identifiers in found)


def _recording(id_: str, title: str, artist: str, isrc: str | None) -> Called:
    return Called(
        id=id_,
        shown=f"'{faults.shown(title)}' by {faults.shown(artist)}",
        names=(title, f"{artist} {title}"),
        identifiers=(isrc,),
    )


def _party(id_: str, name: str, identifiers: tuple[str | None, ...]) -> Called:
    return Called(id=id_, shown=f"'{faults.shown(name)}'", names=(name,), identifiers=identifiers)
