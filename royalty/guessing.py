"""Whom a name may mean: of many candidates the few most alike, without comparing it with all.

What reads the same is looked up, short forms are found by their rarest word, and only the other
names are compared letter by letter. `royalty.matching` says how alike two names are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from rapidfuzz import fuzz, process

from royalty.matching import (
    READS_THE_SAME,
    SAME,
    SHORTENED,
    WORD_COST,
    Readings,
    alike,
    is_telling,
    left_out,
    likeness,
    readings,
)

GUESSED_FROM = 75  # a name less alike than this is no guess

_WIDEST = 32  # readings that one is held against at last, those most alike first
_AT_ONCE = 256  # readings that are compared letter by letter in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Who a name may mean: a recording or a party, with all the names that it goes by."""

    id: str
    shown: str  # the name by which people are asked
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Who a name may mean, and how alike it is to one of the names that that one goes by."""

    id: str
    shown: str
    likeness: int  # from `GUESSED_FROM` to 100


def nearest(
    names: Iterable[str], candidates: Iterable[Candidate], *, few: int = 3
) -> dict[str, tuple[Guess, ...]]:
    """Guess whom each name may mean: at most a few of those most alike, best first.

    Of two equally alike, the one that is so by more of its names comes first, then the lesser id;
    in which order the candidates come does not matter. A name that reads the same as another is not
    held against the rest letter by letter, unless one of them could be more alike. A name that is
    like none has no guess.
    """
    index = _Index(sorted(candidates, key=lambda each: each.id))
    wanted = {name: readings(name) for name in names}
    hits = index.hits(wanted.values())
    return {name: index.best(name, read, hits, few) for name, read in wanted.items()}


class _Index:
    """Candidates by what their names read as."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self._named: defaultdict[str, set[int]] = defaultdict(set)
        self._owners: defaultdict[str, dict[int, int]] = defaultdict(dict)  # → place → cost
        for place, candidate in enumerate(candidates):
            for name in candidate.names:
                self._named[name].add(place)
                for reading, cost in readings(name).items():
                    owners = self._owners[reading]
                    owners[place] = min(cost, owners.get(place, cost))
        self._texts = sorted(self._owners, key=_by_length)
        self._lengths = list(map(len, self._texts))
        self._having: defaultdict[str, list[str]] = defaultdict(list)
        self._rarest: defaultdict[str, list[str]] = defaultdict(list)
        for text in self._texts:
            for word in _telling(text):
                self._having[word].append(text)
        for text in self._texts:
            self._rarest[self._rarest_word(text)].append(text)

    def hits(self, wanted: Iterable[Readings]) -> dict[str, dict[str, int]]:
        """Find, for each reading, readings of candidates that are alike, and how much."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        others: set[str] = set()
        for read in wanted:
            for reading in read:
                found[reading].update({reading} & self._owners.keys(), self._short_forms(reading))
            same = self._same(read)
            others.update(each for each, cost in read.items() if READS_THE_SAME - cost > same)
        for reading, text in self._near(others):
            found[reading].add(text)
        return {
            reading: {text: alike(reading, text) for text in texts}
            for reading, texts in found.items()
        }

    def best(
        self, name: str, read: Readings, hits: dict[str, dict[str, int]], few: int
    ) -> tuple[Guess, ...]:
        """Rank those that a name may mean, and keep a few."""
        scores = dict.fromkeys(self._named.get(name, ()), SAME)
        for reading, cost in read.items():
            for text, like in hits[reading].items():
                for place, its_cost in self._owners[text].items():
                    scores[place] = max(scores.get(place, 0), like - cost - its_cost)
        last = sorted(scores.values())[-few:][:1]
        top = [place for place in scores if scores[place] >= max(GUESSED_FROM, *last)]
        ranked = sorted((-scores[place], -self._in_all(name, place), place) for place in top)
        return tuple(self._guess(place, -score) for score, _, place in ranked[:few])

    def _guess(self, place: int, score: int) -> Guess:
        candidate = self._candidates[place]
        return Guess(id=candidate.id, shown=candidate.shown, likeness=score)

    def _in_all(self, name: str, place: int) -> int:
        return sum(likeness(name, its) for its in self._candidates[place].names)

    def _same(self, read: Readings) -> int:
        """Say how alike a name is to those that read the same; no letters make it more so."""
        there = [reading for reading in read if reading in self._owners]
        costs = (read[each] + min(self._owners[each].values()) for each in there)
        return max((READS_THE_SAME - cost for cost in costs), default=0)

    def _near(self, wanted: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Pair readings that are alike letter by letter; lengths alone rule out half of them."""
        for length, group in groupby(sorted(wanted, key=_by_length), key=len):
            same = list(group)
            first = bisect_left(self._lengths, length * GUESSED_FROM / (200 - GUESSED_FROM))
            last = bisect_right(self._lengths, length * (200 - GUESSED_FROM) / GUESSED_FROM)
            for start in range(0, len(same) if first < last else 0, _AT_ONCE):
                yield from _pairs(same[start : start + _AT_ONCE], self._texts[first:last])

    def _short_forms(self, reading: str) -> list[str]:
        """Find the readings that this one is a short form of, or that are one of this."""
        texts = {*self._having.get(self._rarest_word(reading), ())}
        texts.update(text for word in _telling(reading) for text in self._rarest.get(word, ()))
        most = (SHORTENED - GUESSED_FROM) // WORD_COST
        counted = ((left_out(reading, text), text) for text in texts)
        forms = sorted((out, text) for out, text in counted if out is not None and out <= most)
        return [text for _, text in forms[:_WIDEST]]

    def _rarest_word(self, text: str) -> str:
        rarity = ((len(self._having.get(word, ())), word) for word in _telling(text))
        return min(rarity, default=(0, ""))[1]


def _pairs(group: Sequence[str], texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    found = process.cdist(
        group, texts, scorer=fuzz.ratio, score_cutoff=GUESSED_FROM - 1, dtype=np.uint8, workers=-1
    )
    for reading, ratios in zip(group, found, strict=True):
        hits = np.flatnonzero(ratios)
        most = hits[np.argsort(-ratios[hits].astype(np.int64), kind="stable")[:_WIDEST]]
        yield from ((reading, texts[place]) for place in most)


def _telling(text: str) -> set[str]:
    return set(filter(is_telling, text.split()))


def _by_length(text: str) -> tuple[int, str]:
    return len(text), text
