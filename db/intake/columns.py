"""The columns of large files: what every cell must look like, as a pattern and in words."""

from __future__ import annotations

from dataclasses import dataclass

ID_BYTES_MAX = 200
ID = r"[^\s\pZ\p{Cc}\p{Cf}/\x{FFFD}]+"  # U+FFFD stands where a file holds what is not UTF-8
ID_WORDS = f"an id: up to {ID_BYTES_MAX} bytes without spaces, slashes or unseen characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a file, and what its cells must be."""

    name: str
    pattern: str
    words: str
    few: bool = False  # few different cells, so that each of them is judged once
    optional: bool = False  # a file may leave it out, as if all its cells were empty


def an_id(name: str, *, few: bool = False) -> Column:
    """Describe a column of ids."""
    return Column(name=name, pattern=ID, words=ID_WORDS, few=few)


def maybe_an_id(name: str, empty: str, *, optional: bool = False) -> Column:
    """Describe a column of ids that may be empty, and what an empty one means."""
    words = f"{ID_WORDS}; empty is {empty}"
    return Column(name=name, pattern=f"({ID})?", words=words, optional=optional)


# Years from 1000 on, which have days.
PERIOD = Column(
    name="period",
    pattern=r"[1-9]\d{3}-(0[1-9]|1[0-2])",
    words="a period; write a month such as 2026-10",
    few=True,
)
TERRITORY = Column(
    name="territory", pattern="[A-Z]{2}", words="a territory, such as DE; WW is the world", few=True
)
CURRENCY = Column(name="currency", pattern="[A-Z]{3}", words="a currency, such as EUR", few=True)

# The bounds of `royalty.rules.arithmetic`: what comes in beyond them could never be paid out.
_PLAYS = r"0{0,7}(\d{1,7}|10000000)"
_PLAYS_WORDS = "a whole number from 0 to 10000000"
PLAYS = Column(name="plays", pattern=_PLAYS, words=_PLAYS_WORDS, few=True)
ACTIVE = Column(name="active", pattern=f"({_PLAYS})?", words=_PLAYS_WORDS, few=True, optional=True)
NET = Column(
    name="net",
    pattern=r"0{0,4}(\d{1,8}(\.\d{1,6})?|100000000(\.0{1,6})?)",
    words="a decimal amount from 0 to 100000000 with at most six places, such as 10.99",
)
