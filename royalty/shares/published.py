"""The mappings that others publish by: scores made positive, weighed, and normalised to 1.

Two choices make one. What becomes of a negative score: `relu` cuts it to 0, `shift` subtracts the
lowest score from all, `absolute` drops the sign, `raw` refuses. And what a score x of rank r is
worth: x^power · r^-decay, for the best `top` part of the works and 0 for the others; works that
score alike share the worth of their ranks. This is the family in the code of "Generative Content
ID"; its cuts at the best 500 of 28,000 rows are taken as a part of the catalogue, so that they mean
the same for a catalogue of another size (`docs/decisions/0008-mappings.md`).

They are given the evidence that `gated` is given and ignore its gate: no work is unattributed, so
noise is paid. A negative score is nowhere charged. The formula is applied to the estimate, as its
authors do; the interval comes from applying it to every replicate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import ceil, fsum

from royalty.errors import RoyaltyError
from royalty.shares.evidence import Share, WorkEvidence, assembled, drawn, in_order

_TOP = Fraction(500, 28_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    """What a score x of rank r is worth: x^power · r^-decay among the best `top` part, else 0."""

    power: float = 1.0
    decay: float = 0.0
    top: Fraction = Fraction(1)

    def __call__(self, values: Sequence[float]) -> list[float]:
        """Weigh scores, none of them negative; what scores 0 is worth nothing."""
        largest = max(values, default=0.0)
        return [
            (value / largest) ** self.power * worth if value > 0 else 0.0
            for value, worth in zip(values, self._by_rank(values), strict=True)
        ]

    def _by_rank(self, values: Sequence[float]) -> list[float]:
        """Return what each value's rank is worth, on average over those that are equal."""
        kept = ceil(len(values) * self.top)
        worth = [rank**-self.decay if rank <= kept else 0.0 for rank in range(1, len(values) + 1)]
        found = [0.0] * len(values)
        start = 0
        best_first = sorted(range(len(values)), key=lambda place: -values[place])
        for _, equals in groupby(best_first, key=values.__getitem__):
            places = list(equals)
            ranks = worth[start : start + len(places)]
            start += len(places)
            for place in places:
                found[place] = fsum(ranks) / len(ranks)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One mapping of the family: `Sequence[WorkEvidence]` → shares, normalised to 1."""

    negative: str  # what becomes of a negative score: relu, shift, absolute or raw
    weighting: Weighting

    def __call__(self, evidence: Sequence[WorkEvidence]) -> list[Share]:
        """Share a track. Raises `RoyaltyError` where `raw` meets a negative score.

        Where no score is above 0 all is unattributed. A negative replicate is cut to 0 by `raw`.
        """
        works = in_order(evidence)
        estimates = [work.estimate for work in works]
        if self.negative == "raw":
            _require_none_negative(works)
        return assembled(works, self._formula(estimates, works), drawn(works, self._formula))

    def _formula(self, scores: Sequence[float], _works: Sequence[WorkEvidence]) -> list[float]:
        weights = self.weighting(_MADE_POSITIVE[self.negative](scores))
        whole = fsum(weights)
        return [*(weight / whole for weight in weights), 0.0] if whole else [*weights, 1.0]


def _relu(scores: Sequence[float]) -> list[float]:
    return [max(0.0, score) for score in scores]


def _shift(scores: Sequence[float]) -> list[float]:
    lowest = min(scores, default=0.0)
    return [score - lowest for score in scores]


def _absolute(scores: Sequence[float]) -> list[float]:
    return [abs(score) for score in scores]


_MADE_POSITIVE: Mapping[str, Callable[[Sequence[float]], list[float]]] = {
    "relu": _relu,
    "shift": _shift,
    "absolute": _absolute,
    "raw": _relu,  # of the replicates alone: a negative estimate is refused
}


def _require_none_negative(works: Sequence[WorkEvidence]) -> None:
    below = [work for work in works if work.estimate < 0]
    if below:
        raise RoyaltyError(
            f"{len(below)} of {len(works)} works score below zero, '{below[0].work}' first, and a "
            "raw mapping makes no share of that; choose one that says what becomes of it, as relu"
        )


_PROPORTIONAL = Weighting()
_TOP_EQUAL = Weighting(power=0.0, top=_TOP)
_TOP_PROPORTIONAL = Weighting(top=_TOP)
_INVERSE_RANK = Weighting(power=0.0, decay=1.0, top=_TOP)
_SOFT_POWER = Weighting(power=2.0)

PUBLISHED: Mapping[str, Published] = {
    f"{negative}_{name}": Published(negative=negative, weighting=weighting)
    for negative, name, weighting in (
        ("relu", "proportional", _PROPORTIONAL),
        ("relu", "top_equal", _TOP_EQUAL),
        ("relu", "top_proportional", _TOP_PROPORTIONAL),
        ("relu", "inverse_rank", _INVERSE_RANK),
        ("relu", "soft_power", _SOFT_POWER),
        ("shift", "proportional", _PROPORTIONAL),
        ("shift", "top_equal", _TOP_EQUAL),
        ("shift", "top_proportional", _TOP_PROPORTIONAL),
        ("shift", "inverse_rank", _INVERSE_RANK),
        ("absolute", "proportional", _PROPORTIONAL),
        ("raw", "proportional", _PROPORTIONAL),
    )
}
