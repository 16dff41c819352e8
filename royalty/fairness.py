"""How fair a month's division was: envy, who looks suspicious, what a click farm cost.

Statistics of amounts that were divided exactly elsewhere: floats in between, money at the end.
Pure: values in, values out. What single listeners moved is in `royalty.silence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, inf
from typing import Any

import numpy as np

from royalty.audit import Amounts
from royalty.listening import Listening
from royalty.money import Money, total

HUNDREDTH = Fraction(1, 100)  # of those who played anything: few


@dataclass(frozen=True, slots=True, kw_only=True)
class Envy:
    """The best paid payee and the worst paid one, by what a stream of theirs brought."""

    ratio: float  # at least 1; infinite where somebody who was played got nothing
    most: str
    least: str


def maximum_envy(amounts: Amounts, streams: Mapping[str, float]) -> Envy | None:
    """Compare the pay per stream of payees who were streamed: the largest over the smallest.

    A payee's streams are plays, each counted by the payee's part of what the track earns. None
    where nobody who was streamed got anything (maximum envy: arXiv 2511.04465).
    """
    pay = {
        payee: amounts[payee].micros / count if payee in amounts else 0.0
        for payee, count in sorted(streams.items())
        if count > 0
    }
    if not any(pay.values()):
        return None
    most, least = max(pay, key=pay.__getitem__), min(pay, key=pay.__getitem__)
    return Envy(ratio=pay[most] / pay[least] if pay[least] else inf, most=most, least=least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A reason to look at how a payee was played; never proof of anything."""

    payee: str
    pooled: Money  # by pro_rata
    own: Money  # by user_centric: what those who played the payee paid themselves
    few: float  # part of its streams by those who played it most, a hundredth of all listeners

    @property
    def excess(self) -> Money:
        """What the pool gave beyond the listeners' own fees: suspicious profit, of one payee."""
        return self.pooled - self.own


def most_suspicious(
    pooled: Amounts, own: Amounts, listening: Listening, *, count: int = 5
) -> list[Suspicion]:
    """Name the payees to whom pro rata gives most beyond what user centric would.

    A heuristic, payee by payee: to find the *set* of payees with most suspicious profit is NP-hard
    (arXiv 2511.04465). A payee whose listeners play much for their fee stands here too, honest or
    not, so the second figure says whether few of them did.
    """
    zero = Money(0, listening.currency)
    found = [
        Suspicion(payee=payee, pooled=amount, own=own.get(payee, zero), few=0.0)
        for payee, amount in sorted(pooled.items())
    ]
    found = [each for each in found if each.excess.micros > 0]
    found.sort(key=lambda each: -each.excess.micros)
    return [replace(each, few=_of_few(each.payee, listening)) for each in found[:count]]


def _of_few(payee: str, listening: Listening) -> float:
    """Measure the part of a payee's streams that came from the hundredth of all who played."""
    streams = listening.streams_of(payee)
    few = ceil(len(listening.heaviest) * HUNDREDTH)
    return float(np.sort(streams)[-few:].sum() / streams.sum()) if streams.any() else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Everybody:
    """Whom all of the pools went to."""

    payees: Amounts
    suspense: Money
    platform: Money  # by parties' terms

    @property
    def whole(self) -> Money:
        """All that was divided."""
        return total((*self.payees.values(), self.suspense, self.platform), self.suspense.currency)


def everybody(posted: Iterable[Mapping[str, Any]], currency: str) -> Everybody:
    """Add up what a division posts, rows of payee (or none), kind and micros."""
    sums: dict[str, Money] = {}
    suspense = platform = zero = Money(0, currency)
    for row in posted:
        amount = Money(row["micros"], currency)
        if row["payee"]:
            sums[row["payee"]] = sums.get(row["payee"], zero) + amount
        elif row["kind"] == "platform":
            platform += amount
        else:
            suspense += amount
    return Everybody(payees=sums, suspense=suspense, platform=platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one payee gets with the farm and would get without it."""

    payee: str
    without: Money
    with_farm: Money

    @property
    def difference(self) -> Money:
        """What the farm brought this payee; negative where it cost something."""
        return self.with_farm - self.without


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmCost:
    """What a click farm did to everyone's money under one rule.

    paid in + taken = gained + what more waits + what more the platform keeps.
    """

    changes: tuple[Change, ...]  # of payees, largest loss first
    paid_in: Money  # what the farm's own fees added to the pools
    gained: Money  # by payees who have more with the farm
    taken: Money  # from payees who have less
    suspense: Money  # more, or less, in suspense
    platform: Money  # more, or less, with the platform by parties' terms

    @property
    def losers(self) -> tuple[Change, ...]:
        """Those who got less because of the farm, largest loss first."""
        return tuple(change for change in self.changes if change.difference.micros < 0)


def farm_cost(with_farm: Everybody, without: Everybody) -> FarmCost:
    """Compare a division of the pools with one without a set of listeners.

    `without` leaves out the usage *and* the revenue of those listeners.
    """
    zero = Money(0, with_farm.suspense.currency)
    before, after = without.payees, with_farm.payees
    changes = [
        Change(payee=payee, without=before.get(payee, zero), with_farm=after.get(payee, zero))
        for payee in {*before, *after}
    ]
    changes.sort(key=lambda change: (change.difference.micros, change.payee))
    moves = [change.difference for change in changes]
    return FarmCost(
        changes=tuple(changes),
        paid_in=with_farm.whole - without.whole,
        gained=total((move for move in moves if move.micros > 0), zero.currency),
        taken=-total((move for move in moves if move.micros < 0), zero.currency),
        suspense=with_farm.suspense - without.suspense,
        platform=with_farm.platform - without.platform,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Farm:
    """What some listeners paid, and what the month was to others with them and without."""

    listeners: int
    fees: Money  # gross: what it cost to be these listeners
    cost: FarmCost

    @property
    def profit(self) -> Money:
        """What all payees who gained can have made of it, at most, if they paid those fees."""
        return self.cost.gained - self.fees
