"""Scaled user centric: one price a play, and no listener's plays cost more than was paid."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis import Table

from royalty.rules.arithmetic import (
    FINE,
    Parts,
    carried,
    each,
    earned,
    exact_sum,
    royalties,
    whole,
    whole_micros,
    wide,
)
from royalty.rules.facts import Facts, plays_of_tracks
from royalty.rules.user_centric import of_idle


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledUserCentric:
    """The rule has no options."""


def scaled_user_centric(facts: Facts, _options: ScaledUserCentric) -> Table:
    """Pay gamma a play, and of a listener who played more than the fee covers, the whole fee.

    R(g) = sum over u of min(gamma * plays(u), F(u)) * plays(u, g) / plays(u), with gamma such that
    all listeners' parts sum to rate * sum of F(u): SCALEDUSERPROP (arXiv 2511.04465), which is
    stated for one fee, with the cap at each listener's own. With rate 1 it is user centric; where
    nobody reaches the cap, pro rata. Idle money follows pro rata.
    """
    who = ["pool", "listener"]
    listeners = _sorted(facts.payers)
    used_up = listeners.filter(_reaches_the_cap(listeners))
    rows = facts.played.join(used_up.select(*who, "net_micros", "of_plays"), who)
    own = earned(rows, each(whole_micros(rows.net_micros), rows.of_plays), rows.plays)
    return carried(own, _at_one_price(facts, listeners, used_up), of_idle(facts))


def _sorted(listeners: Table) -> Table:
    """Put listeners in order of fee per play, each with the sums of those before and of all."""
    price = whole_micros(listeners.net_micros)
    first = each(price, listeners.of_plays)
    below = (listeners.net_micros % listeners.of_plays) * FINE
    # Fees per play differ by 10**-14 at least where they differ: eighteen places are their order.
    listeners = listeners.mutate(
        per_play=first.micros,
        ninth=first.fine,
        eighteenth=whole((below % listeners.of_plays) * FINE, listeners.of_plays),
    )
    order = ["per_play", "ninth", "eighteenth", "listener"]
    before = ibis.window(group_by="pool", order_by=order, preceding=(None, 1))
    pools = listeners.group_by("pool").agg(
        paid=exact_sum(listeners.net_micros), pool_plays=exact_sum(listeners.of_plays)
    )
    summed = listeners.mutate(
        net_before=exact_sum(listeners.net_micros, over=before).fill_null(0),
        plays_before=exact_sum(listeners.of_plays, over=before).fill_null(0),
    )
    return summed.join(pools, "pool")


def _reaches_the_cap(listeners: Table) -> ibis.expr.types.BooleanValue:
    """Tell whether gamma, of those not before, is at least the listener's fee per play.

    F * plays left <= (target - fees before) * plays(u), all whole numbers once what is below a
    micro of the target is floored.
    """
    target = royalties(listeners.paid, listeners.rate_ppm)
    left = target.micros - listeners.net_before
    fine = whole(target.fine * listeners.of_plays, FINE)
    own = wide(listeners.net_micros) * wide(listeners.pool_plays - listeners.plays_before)
    return own <= wide(left) * wide(listeners.of_plays) + wide(fine)


def _at_one_price(facts: Facts, listeners: Table, used_up: Table) -> Table:
    """Divide what the used up fees leave of the target over all other plays alike."""
    spent = used_up.group_by("pool").agg(
        spent=exact_sum(used_up.net_micros), spent_plays=exact_sum(used_up.of_plays)
    )
    pools = listeners.select("pool", "rate_ppm", "paid", "pool_plays")
    pools = pools.group_by("pool").agg(
        rate_ppm=pools.rate_ppm.max(),
        paid=pools.paid.max(),
        pool_plays=pools.pool_plays.max(),
    )
    pools = pools.left_join(spent, "pool").drop("pool_right")
    pools = pools.mutate(
        spent=pools.spent.fill_null(0), of_plays=pools.pool_plays - pools.spent_plays.fill_null(0)
    )
    rest = plays_of_tracks(facts.played.anti_join(used_up, ["pool", "listener"]))
    rows = rest.join(pools, "pool")
    target = royalties(rows.paid, rows.rate_ppm)
    worth = each(Parts(target.micros - rows.spent, target.fine), rows.of_plays)
    return earned(rows, worth, rows.plays)
