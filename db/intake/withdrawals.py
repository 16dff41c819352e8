"""Withdrawals in bulk: a CSV file into the books; every fault listed, or all of it recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import cast

from db.books import withdrawals
from db.engine import Books, reading
from db.intake.faults import quoted
from db.intake.guesses import Guesses, did_you_mean, to_confirm
from db.intake.names import Known, known
from db.intake.receipt import Receipt
from db.intake.rows import Row, one_of, read_day, read_rows
from royalty.catalogue import USES_OF, Kind, Withdrawal
from royalty.errors import BadInput, Problem

COLUMNS = ("recording", "use", "kind", "from", "to", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a row says, and where."""

    row: Row
    withdrawals: tuple[Withdrawal, ...]


def record(books: Books, path: Path, *, name: str, dry_run: bool = False) -> Receipt:
    """Record the withdrawals of a file. Raises `BadInput` with every fault of every row.

    What unknown recordings may mean is written down to be confirmed, never taken.
    """
    problems: list[Problem] = []
    said, guesses = _named(books, [_said(row) for row in read_rows(path, COLUMNS, problems)])
    faulty = {problem.row for problem in problems}
    _require_one_word(one for one in said if one.row.number not in faulty)
    if problems:
        asked = to_confirm(books.home, str(path), {"recording": guesses})
        raise BadInput([*problems, *asked])
    found = list(dict.fromkeys(each for one in said for each in one.withdrawals))
    return withdrawals.withdraw(books, found, name=name, dry_run=dry_run)


def _said(row: Row) -> _Said:
    kind = row.given("kind", one_of("takedown", "opt_out"), "opt_out")
    whole = kind == "takedown"
    use = row.maybe("use", one_of(*USES_OF)) if whole else row.given("use", one_of(*USES_OF), "")
    if whole and use not in (None, "both"):
        row.fault("use", "a takedown is from both uses; opt_out is from one")
    begin, end = _days(row)
    first = Withdrawal(
        recording=row.id("recording"),
        use="training",
        kind=cast("Kind", kind),
        reason=row.text("reason"),
        valid_from=begin,
        valid_to=end,
    )
    uses = USES_OF.get(use or "both", ())
    return _Said(row=row, withdrawals=tuple(replace(first, use=each) for each in uses))


def _days(row: Row) -> tuple[date, date | None]:
    """Read the first day, and the first that is free again: the same day takes it back."""
    begin, end = row.given("from", read_day, date.min), row.maybe("to", read_day)
    if end is not None and end < begin:
        row.fault("to", f"{end} is before from, {begin}")
    return begin, end


def _named(books: Books, said: Sequence[_Said]) -> tuple[list[_Said], Guesses]:
    """Put ids for what is certainly a recording's name: its id, an alias, its ISRC."""
    cells = {each.recording for one in said for each in one.withdrawals} - {""}
    with reading(books) as connection:
        names = known(connection, cells, "recording")
    for one in said:
        for cell in {each.recording for each in one.withdrawals} & set(names.guesses):
            guess = did_you_mean(names.guesses[cell])
            one.row.fault("recording", f"there is no recording {quoted(cell)}{guess}")
    under = [replace(one, withdrawals=tuple(_under(names, one.withdrawals))) for one in said]
    return under, names.guesses


def _under(names: Known, said: Iterable[Withdrawal]) -> Iterator[Withdrawal]:
    for each in said:
        yield replace(each, recording=names.ids.get(each.recording, each.recording))


def _require_one_word(said: Iterable[_Said]) -> None:
    """Find rows that contradict an earlier one."""
    first: dict[tuple[object, ...], tuple[int, Withdrawal]] = {}
    for one in said:
        for each in one.withdrawals:
            about = tuple(getattr(each, field) for field in withdrawals.ABOUT)
            number, before = first.setdefault(about, (one.row.number, each))
            if before != each:
                one.row.fault(None, f"row {number} says otherwise of the same use from that day")
                break
