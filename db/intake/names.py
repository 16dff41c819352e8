"""Names in files: whom the books know by them, and who may be meant by the others.

A cell names a recording or a party by its id, else by a confirmed alias, else by an identifier of
the industry. By its title or name alone nothing is ever taken: that is guessed, and asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from db import schema
from db.intake.called import TABLES, Called, Noun, holders_of, in_books
from db.intake.faults import quoted
from db.intake.guesses import Guesses, did_you_mean, to_confirm
from db.intake.sheets import ROW, Sheet, with_cells
from royalty.errors import Problem
from royalty.guessing import Candidate, Guess, nearest
from royalty.matching import SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What names name: ids where that is certain; guesses, maybe none, where it is not."""

    ids: Mapping[str, str]
    guesses: Guesses = field(default_factory=dict)


def known(
    connection: Connection, cells: Iterable[str], noun: Noun, *, beside: Iterable[Called] = ()
) -> Known:
    """Find out what each cell names; `beside` are those that a file itself brings in.

    An identifier that two share names neither of them: both are guesses.
    """
    brought = {each.id: each for each in beside}
    there = {*connection.scalars(select(TABLES[noun].c.id)), *brought}
    wanted = set(cells)
    ids = {cell: cell for cell in wanted & there}
    strange = wanted - there
    if not strange:
        return Known(ids=ids)
    aliases = standing(connection, noun)
    ids |= {cell: aliases[cell] for cell in strange & aliases.keys()}
    called = brought | in_books(connection, noun)
    holders = holders_of(strange - aliases.keys(), noun, called.values())
    ids |= {cell: held[0].id for cell, held in holders.items() if len(held) == 1}
    shared = {cell: tuple(map(_certainly, held)) for cell, held in holders.items() if held[1:]}
    unlike = strange - ids.keys() - shared.keys()
    guesses = nearest(sorted(unlike), _candidates(called, aliases)) if unlike else {}
    return Known(ids=ids, guesses=guesses | shared)


def standing(connection: Connection, noun: Noun) -> dict[str, str]:
    """Read the confirmed aliases of a noun that stand: alias → id."""
    alias = schema.alias.c
    stands = alias.recorded_to.is_(None) & (alias.noun == noun)
    found = select(alias.alias, alias.noun_id).where(stands).order_by(alias.alias)
    return {row.alias: row.noun_id for row in connection.execute(found)}


def resolved(
    connection: Connection, sheet: Sheet, column: str, noun: Noun, *, home: Path
) -> tuple[Sheet, list[Problem]]:
    """Put ids in the place of known names in a column; every other cell that is filled is a fault.

    What is guessed is written under `home` to be confirmed, never taken.
    """
    cells = sheet.table[column].combine_chunks().dictionary_encode()
    said = cells.dictionary.to_pylist()
    names = known(connection, filter(None, said), noun)
    ids = pa.array([names.ids.get(cell, cell) for cell in said], pa.string())
    table = with_cells(sheet.table, column, pa.chunked_array([ids.take(cells.indices)]))
    return replace(sheet, table=table), [
        *_faults(sheet, column, noun, names.guesses),
        *to_confirm(home, sheet.source, {noun: names.guesses}),
    ]


def _faults(sheet: Sheet, column: str, noun: Noun, guesses: Guesses) -> list[Problem]:
    unknown = pc.is_in(sheet.table[column], value_set=pa.array(list(guesses), pa.string()))
    bad = sheet.table.filter(unknown)
    cells = zip(bad[ROW].to_pylist(), bad[column].to_pylist(), strict=True)
    return [
        sheet.fault(row, column, f"{quoted(cell)} {_is_none(noun, guesses[cell])}")
        for row, cell in cells
    ]


def _is_none(noun: Noun, guesses: Sequence[Guess]) -> str:
    return f"is no {noun} in the catalogue{did_you_mean(guesses) or '; import it first'}"


def _certainly(called: Called) -> Guess:
    return Guess(id=called.id, shown=called.shown, likeness=SAME)


def _candidates(called: Mapping[str, Called], aliases: Mapping[str, str]) -> list[Candidate]:
    others: defaultdict[str, list[str]] = defaultdict(list)
    for alias, id_ in aliases.items():
        others[id_].append(alias)
    return [
        Candidate(id=each.id, shown=each.shown, names=(*each.names, *others[each.id]))
        for each in called.values()
    ]
