"""How unequally something is divided: Gini, top parts, Atkinson, Herfindahl and Hirschman.

Statistics, not money: floats, of amounts that somebody else divided exactly. Every measure takes
the amounts of all who could have got some, zeros included, and none changes with the unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, fsum, isclose, sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """How unequally something is divided among `count` receivers; every measure is from 0 to 1."""

    count: int
    gini: float  # 0: all alike; (count - 1) / count: one has all
    top_1_percent: float  # the part of the hundredth who have most, at least one of them
    top_10_percent: float
    largest: float  # the part of the one who has most
    atkinson: float  # the part that could be given up if the rest were equal, by aversion 1/2
    hhi: float  # the sum of squared parts; 1 / hhi receivers alike would be as concentrated


def concentration(amounts: Sequence[float | Fraction]) -> Concentration:
    """Measure how unequally amounts are divided. Raises `ValueError` unless some is positive."""
    whole = _whole(amounts)
    if whole <= 0 or min(amounts) < 0:
        raise ValueError("amounts to measure must not be negative, and one of them positive")
    parts = sorted(_part(amount, whole) for amount in amounts)
    return Concentration(
        count=len(parts),
        gini=gini(parts),
        top_1_percent=_top(parts, Fraction(1, 100)),
        top_10_percent=_top(parts, Fraction(1, 10)),
        largest=parts[-1],
        atkinson=max(0.0, 1 - fsum(map(sqrt, parts)) ** 2 / len(parts)),
        hhi=fsum(part**2 for part in parts),
    )


def gini(parts: Sequence[float]) -> float:
    """Return the mean difference between two receivers, in units of twice the mean.

    `parts` sum to 1, the smallest first: sum of (2 i - n - 1) x_i / n, for i from 1 to n.
    """
    count = len(parts)
    weighed = ((2 * place - count - 1) * part for place, part in enumerate(parts, start=1))
    return max(0.0, fsum(weighed) / count)


def total_variation(
    one: Mapping[str, float | Fraction], other: Mapping[str, float | Fraction]
) -> float:
    """Return the part that must change hands to get from one division to another of the same."""
    whole = _whole(one.values())
    assert isclose(whole, _whole(other.values())), "two divisions of different wholes"
    differences = (
        abs(Fraction(one.get(name, 0)) - Fraction(other.get(name, 0))) for name in {*one, *other}
    )
    return float(sum(differences, Fraction(0)) / whole / 2)


def _part(amount: float | Fraction, whole: Fraction) -> float:
    """Divide and round once; whole numbers need no fraction for that."""
    if isinstance(amount, int) and whole.denominator == 1:
        return amount / whole.numerator
    return float(Fraction(amount) / whole)


def _whole(amounts: Iterable[float | Fraction]) -> Fraction:
    amounts = list(amounts)
    if all(isinstance(amount, int) for amount in amounts):
        return Fraction(sum(amounts))
    return sum((Fraction(amount) for amount in amounts), Fraction(0))


def _top(parts: Sequence[float], part: Fraction) -> float:
    return fsum(parts[-ceil(len(parts) * part) :])
