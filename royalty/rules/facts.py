"""What a rule may look at: a month's tables, all pools at once, and what the pools come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ibis import Table

from royalty.errors import RoyaltyError
from royalty.rules.arithmetic import (
    LISTENER_PLAYS_MAX,
    MICROS_MAX,
    PLAYS_MAX,
    exact_sum,
    royalties,
)

# Tracks that are none, since no id holds a slash: whose money goes to all licensed works alike, and
# whose money waits in suspense.
EQUALLY = "/equally"
UNBOOKED = "/unbooked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The tables of a month. A pool is a number here; ids are text, whole numbers int64.

    Pairs of listener and track may stand in several rows of `usage`, and a listener in several of
    `revenue`: both are summed. A revenue's `track` is empty where it was booked against none, its
    `listener` where it is not one listener's.
    """

    usage: Table  # pool, listener, track, plays, active
    revenue: Table  # pool, listener, track, net_micros
    pools: Table  # pool, rate_ppm: one row a pool
    history: Table  # track, plays, listeners: the twelve months that end with this one
    credits: Table  # track, artist, ppb: shares summed by artist; artist '' is unattributed
    whole_usage: Table | None = None  # of all the month's pools, where only some are left
    kept_listeners: Table | None = None
    kept_tracks: Table | None = None

    def kept(self, keep: Callable[[Table], Table]) -> Facts:
        """Have the sums of plays that most rules need worked out once, and kept by `keep`."""
        return replace(self, kept_listeners=keep(self.listeners), kept_tracks=keep(self.tracks))

    def of_pools(self, pools: Table) -> Facts:
        """Leave only the facts of some pools; history, credits and the month are everybody's."""
        names = ("usage", "revenue", "pools", "kept_listeners", "kept_tracks")
        found = {name: getattr(self, name) for name in names}
        left = {
            name: each.semi_join(pools, "pool") for name, each in found.items() if each is not None
        }
        return replace(self, whole_usage=self._usage_of_month, **left)

    def with_usage(self, usage: Table) -> Facts:
        """Have other usage of the month, and forget the sums that were kept of the old."""
        nothing = dict.fromkeys(("whole_usage", "kept_listeners", "kept_tracks"))
        return replace(self, usage=usage, **nothing)

    @property
    def played(self) -> Table:
        """Usage without the rows of no plays."""
        return _played(self.usage)

    @property
    def played_in_month(self) -> Table:
        """The same of all the month's pools, also where only some are left."""
        return _played(self._usage_of_month)

    @property
    def _usage_of_month(self) -> Table:
        return self.usage if self.whole_usage is None else self.whole_usage

    @property
    def listeners(self) -> Table:
        """How much each listener played in a pool: pool, listener, of_plays."""
        if self.kept_listeners is not None:
            return self.kept_listeners
        played = self.played
        return played.group_by("pool", "listener").agg(of_plays=exact_sum(played.plays))

    @property
    def payers(self) -> Table:
        """What each listener who played brought in: `listeners` with net_micros and rate_ppm."""
        who = ["pool", "listener"]
        rows = self.listeners.left_join(self.fees, who).drop("pool_right", "listener_right")
        return rows.mutate(
            net_micros=rows.net_micros.fill_null(0), rate_ppm=rows.rate_ppm.fill_null(0)
        )

    @property
    def tracks(self) -> Table:
        """How much each track was played in a pool: pool, track, plays."""
        return plays_of_tracks(self.played) if self.kept_tracks is None else self.kept_tracks

    @property
    def fees(self) -> Table:
        """What each listener brought in: pool, listener, net_micros, rate_ppm."""
        revenue = self.revenue
        fees = revenue.group_by("pool", "listener").agg(net_micros=exact_sum(revenue.net_micros))
        return fees.join(self.pools, "pool")

    @property
    def takings(self) -> Table:
        """What each pool brought in: pool, net_micros, rate_ppm."""
        revenue = self.revenue
        sums = revenue.group_by("pool").agg(net_micros=exact_sum(revenue.net_micros))
        return sums.join(self.pools, "pool")


def _played(usage: Table) -> Table:
    return usage.filter(usage.plays > 0)


def plays_of_tracks(played: Table) -> Table:
    """Sum plays: pool, track, plays."""
    return played.group_by("pool", "track").agg(plays=exact_sum(played.plays))


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTotals:
    """What one pool comes to. Raises `RoyaltyError` beyond what the rules divide exactly."""

    pool: int
    gross_micros: int
    pool_micros: int  # floor of the gross times the royalty rate
    idle_micros: int  # of which, floored, of who played nothing here, or of no listener
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


def pool_totals(facts: Facts) -> Table:
    """One row a pool with the fields of `PoolTotals`."""
    listeners, fees = facts.listeners, facts.fees
    unheard = fees.anti_join(listeners, ["pool", "listener"])
    idle = unheard.group_by("pool").agg(idle_net=exact_sum(unheard.net_micros))
    plays = listeners.group_by("pool").agg(
        plays=exact_sum(listeners.of_plays), listener_plays_max=listeners.of_plays.max()
    )
    row = facts.pools.left_join(facts.takings.drop("rate_ppm"), "pool").drop("pool_right")
    row = row.left_join(idle, "pool").drop("pool_right")
    row = row.left_join(plays, "pool").drop("pool_right")
    row = row.mutate(**{name: row[name].fill_null(0) for name in row.columns if name != "pool"})
    return row.select(
        "pool",
        "plays",
        "listener_plays_max",
        gross_micros="net_micros",
        pool_micros=royalties(row.net_micros, row.rate_ppm).micros,
        idle_micros=royalties(row.idle_net, row.rate_ppm).micros,
    )
