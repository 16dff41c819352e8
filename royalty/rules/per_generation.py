"""Per generation: each generation's own revenue, by its own shares."""

from __future__ import annotations

from dataclasses import dataclass

from ibis import Table

from royalty.rules.arithmetic import carried, earned, exact_sum, royalties
from royalty.rules.facts import UNBOOKED, Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class PerGeneration:
    """The rule has no options."""


def per_generation(facts: Facts, _options: PerGeneration) -> Table:
    """Give each track the royalties of the revenue that was booked against it.

    R(g) = rate * r(g). What was booked against no track waits in suspense, unmatched.
    """
    return carried(booked(facts))


def booked(facts: Facts) -> Table:
    """Take the royalties of what was booked: what tracks earn of it, and `UNBOOKED` of the rest."""
    revenue = facts.revenue
    named = revenue.mutate(track=(revenue.track == "").ifelse(UNBOOKED, revenue.track))
    sums = named.group_by("pool", "track").agg(net_micros=exact_sum(named.net_micros))
    rows = sums.join(facts.pools, "pool")
    return earned(rows, royalties(rows.net_micros, rows.rate_ppm), 1)
