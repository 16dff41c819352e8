"""Pro rata: all money in one pool, all plays alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ibis import Table

from royalty.rules.arithmetic import PLAYS_MAX, carried, each, earned, exact_sum, royalties
from royalty.rules.facts import Facts
from royalty.rules.rule import Within


@dataclass(frozen=True, slots=True, kw_only=True)
class ProRata:
    """Which tracks take part: those with enough plays, by enough listeners, in twelve months.

    What the others would have had stays in the pool.
    """

    minimum_plays: Annotated[int, Within(0, PLAYS_MAX)] = 0
    minimum_listeners: Annotated[int, Within(0, PLAYS_MAX)] = 0


def pro_rata(facts: Facts, options: ProRata) -> Table:
    """Give each track the pool's royalties in proportion to its plays.

    R(g) = rate * sum of F(u) * plays(g) / all plays, of tracks that take part.
    """
    tracks = facts.tracks
    if options.minimum_plays or options.minimum_listeners:
        tracks = tracks.semi_join(_eligible(facts.history, options), "track")
    return carried(by_plays(tracks, facts.takings))


def by_plays(tracks: Table, takings: Table) -> Table:
    """Divide takings by plays (pool, track, plays): what tracks earn of them."""
    pools = tracks.group_by("pool").agg(of_plays=exact_sum(tracks.plays))
    rows = tracks.join(pools, "pool").join(takings, "pool")
    return earned(rows, each(royalties(rows.net_micros, rows.rate_ppm), rows.of_plays), rows.plays)


def _eligible(history: Table, options: ProRata) -> Table:
    return history.filter(
        history.plays >= options.minimum_plays, history.listeners >= options.minimum_listeners
    )
