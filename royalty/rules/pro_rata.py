"""Pro rata: all money in one pool, all plays alike."""

from __future__ import annotations

from ibis import Table

from royalty.rules.arithmetic import carried, exact_sum, quota, royalties


def pro_rata(usage: Table, revenue: Table, royalty_rate_ppm: int) -> Table:
    """Give each track the pool's royalties in proportion to its plays.

    R(g) = rate * sum of F(u) * plays(g) / all plays.
    Has: conservation, anonymity, neutrality, null payee, Sybil-proofness (dividing a payee changes
    nothing), engagement monotony, Pigou-Dalton consistency, invariance to scaling all plays.
    Lacks: resistance to fraud, bribery and click fraud (a fake listener moves more money than the
    fee paid), invariance to scaling one listener's plays, additivity over listeners.
    """
    played = usage.filter(usage.plays > 0)
    tracks = played.group_by("track").agg(plays=exact_sum(played.plays))
    whole = tracks.agg(of_plays=exact_sum(tracks.plays)).cross_join(
        revenue.agg(net_micros=exact_sum(revenue.net_micros))
    )
    joined = tracks.cross_join(whole)
    part = quota(
        royalties(joined.net_micros.fill_null(0), royalty_rate_ppm), joined.plays, joined.of_plays
    )
    return carried(joined.select("track", micros=part.micros, ppm=part.ppm))
