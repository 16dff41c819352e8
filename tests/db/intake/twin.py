# ruff: noqa: E501  one rule a column reads best
"""What is wrong with a plain file of a month, found slowly: Python's own reader, row by row."""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal

Cells = dict[str, str]
Place = tuple[int | None, str | None]

CURRENT = "2026-11"
CLOSED = "2026-10"

_ID = re.compile(r"[^\s/\x00-\x1f\x7f-\x9f\ufffd]+")
_WHOLE = re.compile(r"[0-9]{1,15}")
_NET = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def _is_id(text: str) -> bool:
    seen = all(unicodedata.category(char) != "Cf" for char in text)
    return bool(_ID.fullmatch(text)) and seen and len(text.encode()) <= 200


def _is_maybe_id(text: str) -> bool:
    return not text or _is_id(text)


def _is_plays(text: str) -> bool:
    return bool(_WHOLE.fullmatch(text)) and int(text) <= 10**7


def _is_net(text: str) -> bool:
    return bool(_NET.fullmatch(text)) and Decimal(text) <= 10**8


def _is_period(text: str) -> bool:
    return bool(re.fullmatch("[1-9][0-9]{3}-(0[1-9]|1[0-2])", text))


def _letters(number: int) -> Callable[[str], bool]:
    return lambda text: bool(re.fullmatch("[A-Z]" * number, text))


USAGE = {
    "period": _is_period, "listener": _is_id, "track": _is_id, "source": _is_id,
    "territory": _letters(2), "plays": _is_plays, "active": lambda text: not text or _is_plays(text),
}  # fmt: skip
REVENUE = {
    "period": _is_period, "listener": _is_maybe_id, "track": _is_maybe_id, "source": _is_id,
    "territory": _letters(2), "currency": _letters(3), "net": _is_net,
}  # fmt: skip
OPTIONAL = {"active", "track"}
NUMBERS = {"plays", "active", "net"}


def read(content: bytes) -> list[list[str]]:
    """Read what a writer of CSV wrote."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def rows_of(lines: list[list[str]]) -> list[tuple[int, Cells]]:
    """Return the rows that are any, with their numbers and trimmed cells."""
    header, *rest = lines
    return [
        (number, dict(zip(header, map(str.strip, cells), strict=True)))
        for number, cells in enumerate(rest, start=2)
        if len(cells) == len(header) and any(map(str.strip, cells))
    ]


def header_is_sound(header: list[str], kind: dict[str, Callable[[str], bool]]) -> bool:
    optional = OPTIONAL - ({"track"} if "plays" in kind else {"active"})
    return len(set(header)) == len(header) and set(kind) - optional <= set(header) <= set(kind)


def faults(lines: list[list[str]], kind: dict[str, Callable[[str], bool]]) -> set[Place]:
    """Find every faulty place of a file whose header is sound."""
    rows = rows_of(lines)
    odd = {
        (number, None)
        for number, cells in enumerate(lines[1:], start=2)
        if cells and len(cells) != len(lines[0])
    }
    found = odd | {(n, c) for n, cells in rows for c in cells if not kind[c](cells[c])}
    found |= {
        (n, "period") for n, c in rows if (n, "period") not in found and c["period"] > CURRENT
    }
    found |= set(_twice(rows, kind))
    found |= set(_between(rows, found))
    return found if rows else found | {(None, None)}


def _twice(rows: list[tuple[int, Cells]], kind: dict) -> Iterator[Place]:
    seen = set()
    for number, cells in rows:
        key = tuple(cells.get(name, "") for name in kind if name not in NUMBERS)
        if key in seen:
            yield number, None
        seen.add(key)


def _between(rows: list[tuple[int, Cells]], found: set[Place]) -> Iterator[Place]:
    """Find faults between sound cells: of a row and of a period."""
    currencies: dict[tuple[str, ...], str] = {}
    for number, cells in rows:
        bad = {column for row, column in found if row == number and column}
        if int(cells.get("active") or 0 if not bad else 0) > int(
            cells.get("plays", 0) if not bad else 0
        ):
            yield number, "active"
        if "currency" in cells and not bad:
            place = tuple(cells[name] for name in ("period", "source", "territory"))
            wanted = currencies.setdefault(place, cells["currency"])
            if wanted != cells["currency"]:
                yield number, "currency"


def is_over(cells: Cells) -> bool:
    """Say whether a row is of a month that takes no more: closed, or before it and of money."""
    return cells["period"] == CLOSED or ("net" in cells and cells["period"] < CLOSED)


def too_much(rows: list[tuple[int, Cells]]) -> bool:
    """Say whether sound rows of one file alone add up to more than a rule divides."""
    sums: Counter[tuple[str, ...]] = Counter()
    for _, cells in rows:
        if "plays" in cells:
            sums["listener", cells["period"], cells["source"], cells["listener"]] += int(
                cells["plays"]
            )
        else:
            sums["all", cells["period"], cells["source"]] += Decimal(cells["net"])
    return any(much > (10**7 if key[0] == "listener" else 10**8) for key, much in sums.items())


def texts(cells: dict) -> list[str]:
    """Return a row's cells as plain text, from a file or from a snapshot."""
    plain = {name: str(cell) for name, cell in cells.items()}
    if "net" in plain:
        plain["net_micros"] = str(int(Decimal(plain.pop("net")) * 10**6))
    for name in ("plays", "active"):
        if "net_micros" not in plain:
            plain[name] = str(int(plain.get(name) or 0))
    plain.setdefault("track", "")
    return [plain[name] for name in sorted(plain)]
