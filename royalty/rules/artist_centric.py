"""Artist centric: plays that count for more, and listeners who count for no more than so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import ibis
from ibis import Table
from ibis.expr.types import DecimalValue

from royalty.catalogue import PPM
from royalty.rules.arithmetic import (
    FINE,
    PLAYS_MAX,
    exact_sum,
    narrow,
    proportion,
    royalties,
    whole,
    wide,
    wide_sum,
)
from royalty.rules.facts import Facts
from royalty.rules.rule import Within

PPB = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistCentric:
    """Deezer's figures. `order` is not public: it decides whether boosts count towards the cap."""

    listener_plays: Annotated[int, Within(1, 100_000)] = 1000  # what one listener counts for: …
    how: Literal["cap", "normalise"] = "cap"  # … at most that, or as that
    order: Literal["cap_first", "boost_first"] = "cap_first"
    artist_plays: Annotated[int, Within(0, PLAYS_MAX)] = 1000  # an artist with as many plays, …
    artist_listeners: Annotated[int, Within(0, PLAYS_MAX)] = 500  # … of as many listeners, …
    artist_boost: Annotated[int, Within(1, 3)] = 2  # … counts so many times
    active_boost: Annotated[int, Within(1, 4)] = 2  # and so does a play that was asked for


def artist_centric(facts: Facts, options: ArtistCentric) -> Table:
    """Divide the pool by weighed plays.

    w(a) = sum over u, g of c(u) * plays(u, g) * A(g, a) * b(a) * b(play), pay in proportion to w,
    with c(u) = min(1, L / N(u)) (cap) or L / N(u) (normalise), N before or after the boosts. It
    sees artists: within a track, shares of boosted artists weigh more (`artist_boosts`).
    A listener's money and each part of it are floored at a millionth of a micro.
    """
    who = ["pool", "listener"]
    plays = _weighed(facts, options)
    listeners = _counting(plays, options)
    pools = listeners.group_by("pool").agg(of_weight=wide_sum(listeners.weight))
    rows = listeners.join(pools, "pool").join(facts.takings, "pool")
    money = rows.select(*who, "weighed", ppm=_money(rows))
    rows = plays.join(money, who)
    rows = rows.select("pool", "track", ppm=proportion(rows.ppm, rows.plays_ppb, rows.weighed))
    sums = rows.group_by("pool", "track").agg(ppm=wide_sum(rows.ppm))
    micros = proportion(sums.ppm, 1, PPM)
    below = narrow(sums.ppm - micros * PPM)
    return sums.select("pool", "track", micros=narrow(micros), remainder=below * (FINE // PPM))


def artist_boosts(facts: Facts, options: ArtistCentric) -> Table:
    """List the artists whose plays count for more: artist, boost.

    An artist's plays are those of the tracks, times the artist's part of each; the listeners are
    those who played any track the artist has a part of. The whole month counts, all pools.
    """
    credited = facts.credits.filter(facts.credits.artist != "", facts.credits.ppb > 0)
    heard = facts.played_in_month.join(credited, "track")
    artists = heard.group_by("artist").agg(
        ppb=wide_sum(wide(heard.plays) * wide(heard.ppb)), listeners=heard.listener.nunique()
    )
    enough = artists.filter(
        artists.ppb >= wide(ibis.literal(options.artist_plays * PPB, "int64")),
        artists.listeners >= options.artist_listeners,
    )
    return enough.select("artist", boost=ibis.literal(options.artist_boost, "int64"))


def _weighed(facts: Facts, options: ArtistCentric) -> Table:
    """Weigh plays by their boosts: pool, listener, track, plays, plays_ppb."""
    parts = facts.credits.left_join(artist_boosts(facts, options), "artist")
    parts = parts.select("track", ppb=parts.ppb * parts.boost.fill_null(1))
    tracks = parts.group_by("track").agg(ppb=exact_sum(parts.ppb))
    pairs = _pairs(facts.played).left_join(tracks, "track").drop("track_right")
    boosted = pairs.plays + pairs.active * (options.active_boost - 1)
    return pairs.select(
        "pool", "listener", "track", "plays", plays_ppb=boosted * pairs.ppb.fill_null(PPB)
    )


def _pairs(played: Table) -> Table:
    """Sum the rows of a listener and track, whose money is floored as one."""
    return played.group_by("pool", "listener", "track").agg(
        plays=exact_sum(played.plays), active=exact_sum(played.active)
    )


def _counting(plays: Table, options: ArtistCentric) -> Table:
    """Say what each listener counts for: pool, listener, weighed (10**-9 of a play), weight."""
    listeners = plays.group_by("pool", "listener").agg(
        of_plays=exact_sum(plays.plays), weighed=exact_sum(plays.plays_ppb)
    )
    return listeners.mutate(weight=_weight(listeners, options))


def _weight(listeners: Table, options: ArtistCentric) -> DecimalValue:
    """Return c(u) times the plays as boosted, in 10**-15 of a play."""
    weighed, of_plays, limit = listeners.weighed, listeners.of_plays, options.listener_plays
    normalise = options.how == "normalise"
    if options.order == "boost_first":
        most = ibis.literal(limit * PPB, "int64")
        return wide(most if normalise else ibis.least(weighed, most)) * PPM
    counted = ibis.literal(limit, "int64") if normalise else ibis.least(of_plays, limit)
    return proportion(weighed, counted * PPM, of_plays)


def _money(rows: Table) -> DecimalValue:
    """Divide the pool by weight, in two steps so that 38 digits hold: millionths of a micro."""
    pool = royalties(rows.net_micros, rows.rate_ppm)
    micros = proportion(pool.micros, rows.weight, rows.of_weight)
    left = wide(pool.micros) * rows.weight - micros * rows.of_weight
    left = left * PPM + wide(whole(pool.fine, FINE // PPM)) * rows.weight
    return micros * PPM + proportion(left, 1, rows.of_weight)
