"""How fair a month's division was: envy, what one listener moved, who looks suspicious, a farm.

Statistics of amounts that were divided exactly elsewhere: floats in between, money at the end.
Pure: values in, values out. What single listeners moved is in `royalty.silence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, inf

import numpy as np

from royalty.audit import Amounts, FarmCost
from royalty.listening import Listening
from royalty.money import Money

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
class Farm:
    """What some listeners paid, and what the month was to others with them and without."""

    listeners: int
    fees: Money  # gross: what it cost to be these listeners
    cost: FarmCost

    @property
    def profit(self) -> Money:
        """What all who gained can have made of it, at most, if they paid those fees."""
        return self.cost.gained - self.fees
