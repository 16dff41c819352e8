"""Files that are not what their name says, and how a faulty cell is shown in a sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from royalty.errors import Problem

_OPENINGS = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PAR1": "Parquet",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_NO_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def shown(text: str, length: int = 60) -> str:
    """Quote what a file says: not all of a long cell, and nothing that would steer a terminal."""
    return printable(text if len(text) <= length else f"{text[:length]}…")


def quoted(text: str) -> str:
    """Quote a cell, and name the first character in it that takes no place at all."""
    unseen = None if text.isascii() else next(filter(is_unseen, text), None)
    return f"'{shown(text)}'" + (f", with an unseen U+{ord(unseen):04X}," if unseen else "")


def is_unseen(char: str) -> bool:
    """Whether a character only steers how others look: two ids would look the same."""
    return unicodedata.category(char) == "Cf"


def printable(text: str) -> str:
    """Write out, as escapes, the characters that would not be seen."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def opening_fault(path: Path, bytes_max: int, *, packed: bool = False) -> str | None:
    """Say why a file is not even opened: it is too large or, meant as text, it is not text."""
    size = path.stat().st_size
    if size > bytes_max:
        return f"has {size:,} bytes, more than the {bytes_max:,} that are read at once; split it"
    with path.open("rb") as file:
        start = file.read(5)
    if packed:
        return None
    if not start:
        return "is empty; the first row names the columns"
    kind = next((kind for opening, kind in _OPENINGS.items() if start.startswith(opening)), None)
    return f"is {kind}, not CSV in UTF-8" if kind else None


def header_problems(
    source: str, header: Sequence[str], columns: Sequence[str], optional: Sequence[str] = ()
) -> list[Problem]:
    """List the columns that are missing, unknown or there twice."""
    for mark, marks in _NO_SEPARATORS.items():
        if len(header) == 1 and mark in header[0]:
            message = f"columns are separated by {marks}; separate them by commas"
            return [Problem(source, 1, None, message)]
    missing = [(name, "the column is missing") for name in columns if name not in header]
    known = ", ".join([*columns, *optional])
    strange = sorted(set(header) - {*columns, *optional})
    unknown = [(shown(name), f"is no column of this file: {known}") for name in strange]
    twice = [
        (shown(name), "the column is there twice")
        for name in sorted(set(header))
        if header.count(name) > 1
    ]
    return [Problem(source, 1, name, message) for name, message in missing + unknown + twice]
