"""Small files: CSV rows read one by one, each cell into a value or a `Problem`."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from db.intake.columns import ID_BYTES_MAX, ID_WORDS
from db.intake.faults import header_problems, is_unseen, opening_fault, printable, quoted, shown
from royalty.catalogue import PPM, WORLDWIDE
from royalty.errors import Problem
from royalty.money import parse_micros

T = TypeVar("T")

BYTES_MAX = 1 << 28  # of a file
TEXT_MAX = 1000  # characters of a title or a name

_ID = re.compile(r"[^\s/\x00-\x1f\x7f-\x9f\ufffd]+")  # as `columns.an_id`
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # or turns text round
_WHOLE = re.compile(r"[0-9]{1,15}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(slots=True)
class Row:
    """A row being read: what is wrong with it is put down, and reading goes on."""

    source: str
    number: int  # 1 is the header
    cells: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def fault(self, column: str | None, message: str) -> None:
        """Put down what is wrong with a cell, or with the whole row."""
        self.problems.append(Problem(self.source, self.number, column, printable(message)))

    def maybe(self, column: str, read: Callable[[str], T]) -> T | None:
        """Read a cell that may be empty."""
        text = self.cells[column].strip()
        if not text:
            return None
        try:
            return read(text)
        except ValueError as fault:
            self.fault(column, str(fault))
            return None

    def given(self, column: str, read: Callable[[str], T], otherwise: T) -> T:
        """Read a cell that must not be empty; after a fault, go on with something harmless."""
        if not self.cells[column].strip():
            self.fault(column, "is empty")
        value = self.maybe(column, read)
        return otherwise if value is None else value

    def id(self, column: str) -> str:
        """Read an id."""
        return self.given(column, read_id, "")

    def text(self, column: str) -> str:
        """Read text that must be there."""
        return self.given(column, read_text, "")

    def days(self, begin: str, end: str) -> tuple[date | None, date | None]:
        """Read a half-open interval of days; an empty cell is no bound."""
        first, last = self.maybe(begin, read_day), self.maybe(end, read_day)
        if first is not None and last is not None and last <= first:
            self.fault(end, f"{last} is not after {begin}, {first}")
        return first, last


def read_id(text: str) -> str:
    """Read an id: anything short without spaces, slashes and unseen characters."""
    if not _ID.fullmatch(text) or any(map(is_unseen, text)) or len(text.encode()) > ID_BYTES_MAX:
        raise ValueError(f"{quoted(text)} is not {ID_WORDS}")
    return text


def read_text(text: str) -> str:
    """Read a title or a name: one line."""
    if len(text) > TEXT_MAX or _CONTROL.search(text):
        limits = f"one line of at most {TEXT_MAX} characters, without control characters"
        raise ValueError(f"'{shown(text)}' is not {limits}")
    return text


def read_day(text: str) -> date:
    """Read a day, such as 2026-10-01."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"'{shown(text)}' is not a day, such as 2026-10-01")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None


def read_amount(text: str) -> int:
    """Read decimal text as micros that are not negative."""
    if not text.isascii():
        raise ValueError(f"'{shown(text)}' is not a decimal amount, such as 10.99")
    micros = parse_micros(shown(text))
    if micros < 0:
        raise ValueError(f"'{text}' is negative")
    return micros


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"'{shown(text)}' is not a whole number from {low} to {high}")
        return int(text)

    return read


def read_currency(text: str) -> str:
    """Read a currency, such as EUR."""
    if not re.fullmatch("[A-Z]{3}", text):
        raise ValueError(f"'{shown(text)}' is not a currency, such as EUR")
    return text


def read_territory(text: str) -> str:
    """Read a territory, such as DE, or the world, WW."""
    if not re.fullmatch("[A-Z]{2}", text):
        raise ValueError(f"'{shown(text)}' is not a territory, such as DE; WW is the world")
    return text


def read_country(text: str) -> str:
    """Read a territory that is not the world."""
    if read_territory(text) == WORLDWIDE:
        raise ValueError(f"'{text}' is the world; name one country, such as DE")
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """Make a reader of one word out of a few."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"'{shown(text)}' is none of {', '.join(words)}")
        return text

    return read


read_ppm = whole_number(0, PPM)


def read_rows(
    path: Path, columns: Sequence[str], problems: list[Problem], optional: Sequence[str] = ()
) -> Iterator[Row]:
    """Read a CSV file's rows; a fault of the file itself leaves no row.

    A column that is optional and not there reads as if all its cells were empty.
    """
    source = str(path)
    try:
        lines = _lines(path)
    except _Unreadable as fault:
        problems.append(Problem(source, None, None, str(fault)))
        return
    header = lines[0] if lines else []
    wrong = header_problems(source, header, columns, optional)
    problems.extend(wrong)
    if wrong:
        return
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) == len(header):
            filled = dict.fromkeys(optional, "") | dict(zip(header, cells, strict=True))
            yield Row(source, number, filled, problems)
        elif cells:
            message = f"has {len(cells)} cells, the header {len(header)}"
            problems.append(Problem(source, number, None, message))


class _Unreadable(Exception):
    """A file as a whole is at fault."""


def _lines(path: Path) -> list[list[str]]:
    try:
        if fault := opening_fault(path, BYTES_MAX):
            raise _Unreadable(fault)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file, strict=True))
    except FileNotFoundError:
        raise _Unreadable("there is no such file") from None
    except OSError as fault:
        raise _Unreadable(f"cannot be read: {fault.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as fault:
        raise _Unreadable(f"is not CSV in UTF-8: {fault}") from None
