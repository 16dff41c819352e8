"""Corrections: what the books say of a recording, a work or a party, written over with a reason.

Each is kept beside what it wrote over. Closed months stay as they were paid. What has dates
(interests, terms, licences) is not corrected here, but by importing its file again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, select

from db import schema
from db.books.acts import record_done
from db.engine import Books, now, writing
from db.intake import agreements, identifiers
from db.intake.faults import quoted
from db.intake.guesses import Guesses, did_you_mean, to_confirm
from db.intake.names import known
from db.intake.rows import Row, one_of, read_rows, read_text
from db.queries import nouns
from royalty.errors import BadInput, Problem
from royalty.terms import Terms

COLUMNS = ("noun", "id", "field", "value", "reason")

# What may be corrected of what, and how it is read.
_READERS: Mapping[str, Mapping[str, Callable[[str], str]]] = {
    "recording": {"title": read_text, "artist": read_text, "isrc": identifiers.read_isrc},
    "work": {"iswc": identifiers.read_iswc},
    "party": {
        "name": read_text,
        "kind": read_text,
        "payee": read_text,
        "ipi": identifiers.read_ipi,
        "isni": identifiers.read_isni,
    },
}
FIELDS = {noun: tuple(readers) for noun, readers in _READERS.items()}
_IDENTIFIERS = ("isrc", "iswc", "ipi", "isni")  # which may be empty: there is none
_PARTIES = ("artist", "payee")  # which name a party
_TABLES = {"recording": schema.recording, "work": schema.work, "party": schema.party}


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One field of a recording, a work or a party, before and after."""

    noun: str
    noun_id: str
    field: str
    before: str | None  # None: there was no such identifier
    after: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One row: what a field is to be."""

    row: Row
    noun: str
    id: str
    field: str
    value: str | None
    reason: str


def correct(
    books: Books, path: Path, *, name: str | None = None, dry_run: bool = False
) -> list[Correction]:
    """Write over what a file says is wrong; return what that changed, in the order of the file.

    Each change is an act of `name`, if somebody is named. What the books say already is no change.
    Raises `BadInput` with every fault.
    """
    problems: list[Problem] = []
    given = [each for row in read_rows(path, COLUMNS, problems) if (each := _read(row))]
    with writing(books, dry_run=dry_run) as connection:
        given, guesses = _with_parties(connection, given)
        _judge(connection, given)
        if problems:
            raise BadInput([*problems, *to_confirm(books.home, str(path), {"party": guesses})])
        changes = list(_changes(connection, given))
        for change in changes:
            _write(connection, change)
        record_done(connection, name, "corrected", map(_done, changes))
    return changes


def _read(row: Row) -> _Given | None:
    """Read one row; None where it is faulty, and so says nothing about others."""
    before = len(row.problems)
    noun, id_ = row.given("noun", one_of(*_READERS), ""), row.id("id")
    readers = _READERS.get(noun, {})
    field = row.given("field", one_of(*readers) if readers else str, "")
    read = readers.get(field, str)
    value = row.maybe("value", read) if field in _IDENTIFIERS else row.given("value", read, "")
    reason = row.text("reason")
    if len(row.problems) > before:
        return None
    return _Given(row=row, noun=noun, id=id_, field=field, value=value, reason=reason)


def _with_parties(connection: Connection, given: Sequence[_Given]) -> tuple[list[_Given], Guesses]:
    """Put ids in the place of the parties that values name; put down who is unknown."""
    parties = [each for each in given if each.field in _PARTIES]
    names = known(connection, [str(each.value) for each in parties], "party")
    for each in parties:
        if (name := str(each.value)) not in names.ids:
            guess = did_you_mean(names.guesses[name])
            each.row.fault("value", f"there is no party {quoted(name)}{guess}")
    named = [
        replace(each, value=names.ids.get(str(each.value))) if each.field in _PARTIES else each
        for each in given
    ]
    return named, names.guesses


def _judge(connection: Connection, given: Sequence[_Given]) -> None:
    """Put down what is wrong with rows, against the books and among themselves."""
    there = {noun: set(connection.scalars(select(_TABLES[noun].c.id))) for noun in _TABLES}
    first: dict[tuple[str, str, str], _Given] = {}
    for each in given:
        if each.id not in there[each.noun]:
            each.row.fault("id", f"there is no {each.noun} {quoted(each.id)}")
        before = first.setdefault((each.noun, each.id, each.field), each)
        if before.value != each.value:
            each.row.fault("value", f"row {before.row.number} says {_said(before.value)}")
    _judge_payees(connection, [each for each in given if each.field == "payee"])


def _judge_payees(connection: Connection, given: Sequence[_Given]) -> None:
    """Put down whom it would leave paid through one who is itself paid through another."""
    party = schema.party.c
    stood = {row.id: row.payee for row in connection.execute(select(party.id, party.payee))}
    payees = stood | {each.id: each.value for each in given}
    through: dict[str | None, str] = {payee: id_ for id_, payee in payees.items() if payee != id_}
    for each in given:
        paid = payees.get(each.value)
        if each.value != each.id and paid not in (None, each.value):
            named = f"{quoted(str(each.value))} is paid through {quoted(paid)}"
            each.row.fault("value", f"{named}; name the party that is paid")
        if each.value != each.id and each.id in through:
            other = quoted(through[each.id])
            each.row.fault("id", f"{other} is paid through {quoted(each.id)}; correct that, too")
    _judge_terms(connection, given, payees)


def _judge_terms(
    connection: Connection, given: Sequence[_Given], payees: Mapping[str, object]
) -> None:
    """Put down what they agreed that only whoever is paid can have agreed."""
    rows = {each.id: each.row for each in given}
    stands = schema.terms.c.recorded_to.is_(None) & schema.terms.c.party.in_(rows)
    agreed = [
        nouns.noun(Terms, row) for row in connection.execute(select(schema.terms).where(stands))
    ]

    def fault(terms: Terms, column: str, message: str) -> Problem:
        row = rows[terms.party]
        return Problem(row.source, row.number, "value", f"its terms have {column}: {message}")

    if given:
        given[0].row.problems.extend(agreements.paid_through(agreed, payees, fault))


def _changes(connection: Connection, given: Sequence[_Given]) -> Iterator[Correction]:
    for each in {(each.noun, each.id, each.field): each for each in given}.values():
        column = _TABLES[each.noun].c
        before = connection.scalar(select(column[each.field]).where(column.id == each.id))
        if before != each.value:
            yield Correction(
                noun=each.noun,
                noun_id=each.id,
                field=each.field,
                before=before,
                after=each.value,
                reason=each.reason,
            )


def _write(connection: Connection, change: Correction) -> None:
    table = _TABLES[change.noun]
    this = table.c.id == change.noun_id
    connection.execute(table.update().where(this).values({change.field: change.after}))
    row = asdict(change) | {"recorded_at": now()}
    connection.execute(schema.correction.insert(), row)


def _done(change: Correction) -> tuple[str, str]:
    """Name what was corrected, and say how and why."""
    before, after = (value or "none" for value in (change.before, change.after))
    note = f"{change.field}: {before} → {after}; {change.reason}"
    return f"{change.noun}/{change.noun_id}", note


def _said(value: str | None) -> str:
    return "that there is none" if value is None else quoted(value)
