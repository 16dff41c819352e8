"""The rules: how a pool's revenue is divided among tracks, as table expressions.

A rule sees one pool: `usage` (listener, track, plays: one row per listener and track) and `revenue`
(listener, net_micros), both already of one period, source, territory and currency. It returns a row
per played track (track, micros, remainder): floored micros and what was cut off, in parts per
million of a micro. `royalty.division.settle` gives out what the floors leave of the pool.

    totals = PoolTotals(**run(pool_totals(usage, revenue, rate)))      # refuses beyond the bounds
    micros = settle(run(RULES["pro_rata"].divide(usage, revenue, rate)), totals.pool_micros)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ibis import Table

from royalty.errors import RoyaltyError
from royalty.rules.arithmetic import (
    LISTENER_PLAYS_MAX,
    MICROS_MAX,
    PLAYS_MAX,
    exact_sum,
    royalties,
)
from royalty.rules.pro_rata import pro_rata
from royalty.rules.user_centric import user_centric

__all__ = ["RULES", "PoolTotals", "Rule", "pool_totals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named, versioned way to divide a pool; `divide` takes usage, revenue, the rate in ppm."""

    name: str
    version: str
    sees: Literal["tracks", "artists"]
    divide: Callable[[Table, Table, int], Table]


RULES = {
    rule.name: rule
    for rule in (
        Rule(name="pro_rata", version="pro_rata-1", sees="tracks", divide=pro_rata),
        Rule(name="user_centric", version="user_centric-1", sees="tracks", divide=user_centric),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTotals:
    """What one pool comes to. Raises `RoyaltyError` beyond what the rules divide exactly."""

    gross_micros: int
    pool_micros: int  # floor of the gross times the royalty rate
    idle_micros: int  # of which, floored, from listeners who played nothing
    plays: int
    listener_plays_max: int

    def __post_init__(self) -> None:
        bounds = {
            "revenue in micros": (self.gross_micros, MICROS_MAX),
            "plays": (self.plays, PLAYS_MAX),
            "plays of one listener": (self.listener_plays_max, LISTENER_PLAYS_MAX),
        }
        for what, (value, bound) in bounds.items():
            if not 0 <= value <= bound:
                raise RoyaltyError(
                    f"a pool's {what} are {value:,}, outside 0 to {bound:,}, within which rules "
                    "are exact; divide the period's revenue into smaller pools"
                )


def pool_totals(usage: Table, revenue: Table, royalty_rate_ppm: int) -> Table:
    """One row with the fields of `PoolTotals`."""
    played = usage.filter(usage.plays > 0)
    listeners = played.group_by("listener").agg(plays=exact_sum(played.plays))
    idle = revenue.anti_join(listeners, "listener")
    row = (
        revenue.agg(gross_micros=exact_sum(revenue.net_micros))
        .cross_join(idle.agg(idle_net=exact_sum(idle.net_micros)))
        .cross_join(
            listeners.agg(
                plays=exact_sum(listeners.plays), listener_plays_max=listeners.plays.max()
            )
        )
    )
    row = row.mutate(**{name: row[name].fill_null(0) for name in row.columns})
    return row.select(
        "gross_micros",
        "plays",
        "listener_plays_max",
        pool_micros=royalties(row.gross_micros, royalty_rate_ppm).micros,
        idle_micros=royalties(row.idle_net, royalty_rate_ppm).micros,
    )
