"""The fairness properties: by how many micros an answer to a change of a world breaks each.

Payees are the tracks that a world lists, played or not: each an artist's of its own, and each a
licensed work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle import EQUALLY, World

Money = Mapping[str, Fraction]  # micros by payee


@dataclass(frozen=True)
class Change:
    """Worlds before and after, and what the property asks about."""

    before: World
    after: World
    rest: World = field(default_factory=lambda: World({}))  # the part of before not in after
    names: Mapping[str, str] = field(default_factory=dict)  # of payees, before to after
    stake: int = 0  # what the listeners who cheat pay, in micros
    payees: Sequence[str] = ()  # whom it is about

    @property
    def worlds(self) -> tuple[World, World, World]:
        return self.before, self.after, self.rest


def payees(world: World, amounts: Mapping[str, int | Fraction]) -> dict[str, Fraction]:
    """What each payee gets, with a part of what all works have alike."""
    names = sorted({track for _, track in [*world.plays, *world.booked]})
    alike = Fraction(amounts.get(EQUALLY, 0)) / max(len(names), 1)
    return {name: Fraction(amounts.get(name, 0)) + alike for name in names}


def _most(differences: Sequence[Fraction]) -> Fraction:
    return max((abs(each) for each in differences), default=Fraction())


def _moved(before: Money, after: Money) -> tuple[Fraction, Fraction]:
    """The most that any set of payees gains, and the most that any loses."""
    moves = [after.get(name, 0) - before.get(name, 0) for name in {*before, *after}]
    return sum((m for m in moves if m > 0), Fraction()), -sum(
        (m for m in moves if m < 0), Fraction()
    )


def of_renamed(change: Change, before: Money, after: Money, _rest: Money) -> Fraction:
    """Payees under other names, or joined under one, have together what they had."""
    sums: Counter[str] = Counter()
    for name, micros in before.items():
        sums[change.names.get(name, name)] += micros
    return _most([sums[name] - after.get(name, 0) for name in {*sums, *after}])


def of_nothing(change: Change, before: Money, _after: Money, _rest: Money) -> Fraction:
    return _most([before[name] for name in change.payees])


def of_gain(change: Change, before: Money, after: Money, _rest: Money) -> Fraction:
    return _moved(before, after)[0] - change.stake


def of_moves(change: Change, before: Money, after: Money, _rest: Money) -> Fraction:
    return max(_moved(before, after)) - change.stake


def of_one_move(change: Change, before: Money, after: Money, _rest: Money) -> Fraction:
    return _most([after.get(name, 0) - before.get(name, 0) for name in before]) - change.stake


def of_joint_amount(change: Change, before: Money, after: Money, _rest: Money) -> Fraction:
    both = (sum(money.get(name, Fraction()) for name in change.payees) for money in (before, after))
    first, second = both
    return abs(first - second)


def of_loss(change: Change, before: Money, after: Money, _rest: Money) -> Fraction:
    (payee,) = change.payees
    return before.get(payee, Fraction()) - after[payee]


def of_sum(_change: Change, before: Money, after: Money, rest: Money) -> Fraction:
    parts = {name: after.get(name, 0) + rest.get(name, 0) for name in before}
    return _most([before[name] - parts[name] for name in before])


def of_whole(change: Change, before: Money, _after: Money, _rest: Money) -> Fraction:
    """All of it is given out, or none: then it waits."""
    given = sum(before.values())
    return abs(given - change.before.rate * change.before.spent.total()) if given else Fraction()


# Where a breach is positive, the property does not hold.
BREACHES: dict[str, Callable[[Change, Money, Money, Money], Fraction]] = {
    "conservation": of_whole,
    "anonymity": of_renamed,
    "neutrality": of_renamed,
    "null_payee": of_nothing,
    "fraud_proof": of_gain,
    "bribery_proof": of_moves,
    "click_fraud_proof": of_one_move,
    "sybil_proof": of_renamed,
    "strong_sybil_proof": of_joint_amount,
    "engagement_monotone": of_loss,
    "pigou_dalton": of_loss,
    "scale_invariant": of_renamed,
    "listener_scale_invariant": of_renamed,
    "listener_additive": of_sum,
}


def breach(name: str, change: Change, amounts: Sequence[Mapping[str, int | Fraction]]) -> Fraction:
    """By how many micros the amounts in a change's worlds break a property."""
    money = (payees(world, each) for world, each in zip(change.worlds, amounts, strict=True))
    return BREACHES[name](change, *money)
