"""User centric: each listener's money goes to what that listener played."""

from __future__ import annotations

from ibis import Table

from royalty.rules.arithmetic import carried, exact_sum, quota, royalties
from royalty.rules.pro_rata import pro_rata


def user_centric(usage: Table, revenue: Table, royalty_rate_ppm: int) -> Table:
    """Divide each listener's royalties among the tracks that listener played, by plays.

    R(g) = rate * sum over u of F(u) * plays(u, g) / plays(u). Money of listeners who played
    nothing is idle and divided pro rata.
    Has: conservation, anonymity, neutrality, null payee, resistance to fraud, bribery and click
    fraud (k listeners move at most their own k fees, and idle money), Sybil-proofness,
    engagement monotony, invariance to scaling all plays and to scaling one listener's, additivity
    over listeners.
    Lacks: strong Sybil-proofness, Pigou-Dalton consistency. Idle money follows pro rata, with what
    that rule lacks.
    """
    played = usage.filter(usage.plays > 0)
    listeners = played.group_by("listener").agg(of_plays=exact_sum(played.plays))
    fees = revenue.group_by("listener").agg(net_micros=exact_sum(revenue.net_micros))
    idle = fees.anti_join(listeners, "listener")
    joined = played.join(listeners, "listener").left_join(fees, "listener")
    part = quota(
        royalties(joined.net_micros.fill_null(0), royalty_rate_ppm), joined.plays, joined.of_plays
    )
    own = joined.select("track", micros=part.micros, ppm=part.ppm)
    shared = pro_rata(usage, idle, royalty_rate_ppm)
    return carried(own.union(shared.rename(ppm="remainder")))
