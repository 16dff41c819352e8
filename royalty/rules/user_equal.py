"""User equal: each listener's money goes in equal parts to all that the listener played."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis import Table

from royalty.rules.arithmetic import carried, each, earned, royalties
from royalty.rules.facts import Facts
from royalty.rules.user_centric import of_idle


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEqual:
    """The rule has no options."""


def user_equal(facts: Facts, _options: UserEqual) -> Table:
    """Divide each listener's royalties equally among the tracks played: the Shapley index.

    R(g) = rate * sum over u who played g of F(u) / number of tracks that u played. It counts
    tracks, not artists: an artist with more tracks in a listener's month has more parts of it.
    Idle money follows pro rata.
    """
    who = ["pool", "listener"]
    pairs = facts.played.select(*who, "track").distinct()
    tracks = pairs.group_by(who).agg(tracks=ibis._.count())
    rows = pairs.join(tracks, who).join(facts.payers, who)
    worth = each(royalties(rows.net_micros, rows.rate_ppm), rows.tracks)
    return carried(earned(rows, worth, 1), of_idle(facts))
