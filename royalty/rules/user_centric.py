"""User centric: each listener's money goes to what that listener played."""

from __future__ import annotations

from dataclasses import dataclass

from ibis import Table

from royalty.rules.arithmetic import carried, each, earned, exact_sum, royalties
from royalty.rules.facts import Facts
from royalty.rules.pro_rata import by_plays


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCentric:
    """The rule has no options."""


def user_centric(facts: Facts, _options: UserCentric) -> Table:
    """Divide each listener's royalties among the tracks that listener played, by plays.

    R(g) = rate * sum over u of F(u) * plays(u, g) / plays(u). Idle money follows pro rata.
    """
    rows = facts.played.join(facts.payers, ["pool", "listener"])
    worth = each(royalties(rows.net_micros, rows.rate_ppm), rows.of_plays)
    return carried(earned(rows, worth, rows.plays), of_idle(facts))


def of_idle(facts: Facts) -> Table:
    """Divide the money of listeners who played nothing pro rata: what tracks earn of it."""
    unheard = facts.fees.anti_join(facts.listeners, ["pool", "listener"])
    takings = unheard.group_by("pool", "rate_ppm").agg(net_micros=exact_sum(unheard.net_micros))
    return by_plays(facts.tracks, takings)
