"""Small files: CSV rows read one by one, each cell into a value or a `Problem`."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from royalty.errors import Problem
from royalty.money import parse_micros

T = TypeVar("T")

_SLUG = re.compile(r"[^\s/]+")
_WHOLE = re.compile(r"\d{1,15}")


@dataclass(slots=True)
class Row:
    """A row being read: what is wrong with it is put down, and reading goes on."""

    source: str
    number: int  # 1 is the header
    cells: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def fault(self, column: str | None, message: str) -> None:
        """Put down what is wrong with a cell, or with the whole row."""
        self.problems.append(Problem(self.source, self.number, column, message))

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

    def slug(self, column: str) -> str:
        """Read an id."""
        return self.given(column, read_slug, "")

    def text(self, column: str) -> str:
        """Read text that must be there."""
        return self.given(column, str, "")

    def days(self, begin: str, end: str) -> tuple[date | None, date | None]:
        """Read a half-open interval of days; an empty cell is no bound."""
        first, last = self.maybe(begin, read_day), self.maybe(end, read_day)
        if first is not None and last is not None and last <= first:
            self.fault(end, f"{last} is not after {begin}, {first}")
        return first, last


def read_slug(text: str) -> str:
    """Read an id: anything without spaces and slashes."""
    if not _SLUG.fullmatch(text):
        raise ValueError(f"'{text}' is not an id: it may hold neither spaces nor slashes")
    return text


def read_day(text: str) -> date:
    """Read a day, such as 2026-10-01."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a day, such as 2026-10-01") from None


def read_amount(text: str) -> int:
    """Read decimal text as micros that are not negative."""
    micros = parse_micros(text)
    if micros < 0:
        raise ValueError(f"'{text}' is negative")
    return micros


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"'{text}' is not a whole number from {low} to {high}")
        return int(text)

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """Make a reader of one word out of a few."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"'{text}' is none of {', '.join(words)}")
        return text

    return read


def read_rows(path: Path, columns: Sequence[str], problems: list[Problem]) -> Iterator[Row]:
    """Read a CSV file's rows; a fault of the file itself leaves no row."""
    source = str(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        problems.append(Problem(source, None, None, "there is no such file"))
        return
    except OSError as fault:
        problems.append(Problem(source, None, None, f"cannot be read: {fault.strerror}"))
        return
    except (UnicodeDecodeError, csv.Error) as fault:
        problems.append(Problem(source, None, None, f"is not CSV in UTF-8: {fault}"))
        return
    header = lines[0] if lines else []
    wrong = header_problems(source, header, columns)
    problems.extend(wrong)
    if wrong:
        return
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) == len(header):
            yield Row(source, number, dict(zip(header, cells, strict=True)), problems)
        elif cells:
            message = f"has {len(cells)} cells, the header {len(header)}"
            problems.append(Problem(source, number, None, message))


def header_problems(source: str, header: Sequence[str], columns: Sequence[str]) -> list[Problem]:
    """List the columns that are missing, unknown or there twice."""
    missing = [(name, "the column is missing") for name in columns if name not in header]
    known = ", ".join(columns)
    unknown = [(n, f"is no column of this file: {known}") for n in header if n not in columns]
    twice = [(name, "the column is there twice") for name in columns if header.count(name) > 1]
    return [Problem(source, 1, name, message) for name, message in missing + unknown + twice]
