"""Aliases: what files call a recording or a party that the books know by another name.

A person confirms each. It stands from then on, until the same alias is said to mean another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

from db import schema
from db.books.acts import record_done
from db.engine import Books, writing
from db.intake.called import NOUNS, Called, Noun, holders_of, in_books
from db.intake.faults import quoted
from db.intake.names import standing
from db.intake.receipt import Receipt
from db.intake.redating import redate
from db.intake.rows import Row, one_of, read_rows
from royalty.errors import BadInput, Problem

COLUMNS = ("noun", "alias", "id")
IGNORED = ("likeness", "name")  # what a file of guesses says besides, for the eye


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One row: what a recording or a party goes by, too."""

    row: Row
    noun: Noun
    alias: str
    id: str


def record(books: Books, path: Path, *, name: str | None = None, dry_run: bool = False) -> Receipt:
    """Record confirmed aliases; one that now means another ends the old row in recorded time.

    Each that is new is an act of `name`, if somebody is named. Raises `BadInput` with every fault.
    """
    problems: list[Problem] = []
    given = [each for row in read_rows(path, COLUMNS, problems, IGNORED) if (each := _read(row))]
    with writing(books, dry_run=dry_run) as connection:
        _judge(connection, given)
        if problems:
            raise BadInput(problems)
        rows = [{"noun": each.noun, "alias": each.alias, "noun_id": each.id} for each in given]
        record_done(connection, name, "aliased", _new(connection, given))
        changed = redate(connection, schema.alias, rows, ("noun", "alias"))
    return Receipt(kind="catalogue", rows={"aliases": len(given)}, already=not changed)


def _read(row: Row) -> _Given | None:
    """Read one row; None where it is faulty, and so says nothing about others."""
    before = len(row.problems)
    noun = row.given("noun", one_of(*NOUNS), "party")
    alias, id_ = row.text("alias"), row.id("id")
    if len(row.problems) > before:
        return None
    return _Given(row=row, noun=cast("Noun", noun), alias=alias, id=id_)


def _new(connection: Connection, given: Iterable[_Given]) -> list[tuple[str, str]]:
    """List what goes by another name from now on, and by which."""
    stand = {noun: standing(connection, noun) for noun in NOUNS}
    new = {
        (f"{each.noun}/{each.id}", f"also called {quoted(each.alias)}"): None
        for each in given
        if stand[each.noun].get(each.alias) != each.id
    }
    return list(new)


def _judge(connection: Connection, given: Iterable[_Given]) -> None:
    """Put down what is wrong with rows, against the books and among themselves."""
    called = {noun: in_books(connection, noun) for noun in NOUNS}
    first: dict[tuple[Noun, str], _Given] = {}
    for each in given:
        if each.id not in called[each.noun]:
            each.row.fault("id", f"there is no {each.noun} {quoted(each.id)}")
        for fault in _taken(each, called[each.noun]):
            each.row.fault("alias", f"{quoted(each.alias)} {fault}")
        before = first.setdefault((each.noun, each.alias), each)
        if before.id != each.id:
            row = before.row.number
            each.row.fault("id", f"row {row} says that {quoted(each.alias)} is {before.id}")


def _taken(each: _Given, called: Mapping[str, Called]) -> Iterator[str]:
    """Say what an alias means already, by itself."""
    if each.alias in called:
        another = "" if each.alias == each.id else " of another"
        yield f"is the id{another}; it cannot be an alias"
    held = holders_of([each.alias], each.noun, called.values())
    for other in held.get(each.alias, ()):
        if other.id != each.id:
            yield f"is an identifier of {other.id}, {other.shown}"
