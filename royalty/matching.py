"""How alike two names are: what a file calls a recording or a party, and what the books call it.

A likeness is a whole number from 0 to 100; only a name that is the same to the letter has 100. It
says whom to ask about, never whom to pay: nothing that is guessed here is applied by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from rapidfuzz import fuzz

SAME = 100
READS_THE_SAME = 99  # but for case, accents, punctuation and the order of words
_REMARKS_COST = 3  # of leaving out what stands in brackets, and who is featured
_PART_COST = 8  # of reading a part of `Artist - Title` by itself
SHORTENED = 90  # `J. S. Bach` for `Johann Sebastian Bach`
WORD_COST = 5  # of a word that the shorter of the two leaves out
_TELLING = 3  # letters from which on a word tells names apart; less may be an initial


_BRACKETS = re.compile(r"\([^()]*\)|\[[^][]*\]|\{[^{}]*\}")
_DASH = re.compile(r"\s[-\u2013\u2014]\s")
_GUESTS = re.compile(rf"\b(?:feat|ft|featuring)\b(?:(?!{_DASH.pattern}).)*", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
    | dict.fromkeys("'`\u2018\u2019\u00b4", "")
    | {"&": " and ", "+": " and "}
)

Readings = Mapping[str, int]  # as plain words → what reading it so costs


def likeness(one: str, other: str) -> int:
    """Say how alike two names are, from 0 to 100; it does not matter which comes first."""
    return SAME if one == other else closest(readings(one), readings(other))


def plain(name: str) -> str:
    """Write a name without case, accents and punctuation, its words in alphabetical order."""
    folded = name.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKC", folded).casefold()
    text = folded.translate(_LETTERS)
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in apart if not unicodedata.combining(char))
    return " ".join(sorted(_WORD.findall(text)))


def readings(name: str) -> Readings:
    """List how a name may be read, each plain, with the points of likeness that it costs.

    As a whole; without remarks in brackets and featured guests; and where it is `Artist - Title`,
    each part by itself.
    """
    bare = _GUESTS.sub(" ", _BRACKETS.sub(" ", name))
    parts = _DASH.split(bare)
    said = [(name, 0)]
    said += [(bare, _REMARKS_COST)] * (bare != name)
    said += [(part, _PART_COST) for part in parts] * (len(parts) > 1)
    costs: dict[str, int] = {}
    for text, cost in said:
        if reading := plain(text):
            costs.setdefault(reading, cost)
    return costs


def closest(one: Readings, other: Readings) -> int:
    """Say how alike two names are in the readings that are most alike."""
    pairs = ((alike(x, y), one[x] + other[y]) for x in one for y in other)
    return max((like - cost for like, cost in pairs), default=0)


def alike(one: str, other: str) -> int:
    """Compare two plain readings: letter by letter, and as a short form of each other."""
    out = left_out(one, other)
    shortened = 0 if out is None else SHORTENED - WORD_COST * out
    return min(READS_THE_SAME, max(int(fuzz.ratio(one, other)), shortened))


def left_out(one: str, other: str) -> int | None:
    """Count the words that the shorter of two readings leaves out; None: it is no short form."""
    short, rest = sorted((one.split(), other.split()), key=lambda words: (len(words), words))
    for word in sorted(short, key=len, reverse=True):
        stands = [each for each in rest if each == word or (len(word) == 1 and each[0] == word)]
        if not stands:
            return None
        rest.remove(word if word in stands else stands[0])
    return len(rest) if any(map(is_telling, short)) else None


def is_telling(word: str) -> bool:
    """Whether a word is long enough to tell names apart by itself."""
    return len(word) >= _TELLING
