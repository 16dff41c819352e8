"""Artist centric: plays that count for more, and listeners who count for no more than so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ibis
from ibis import Table
from ibis.expr.types import DecimalValue

from royalty.catalogue import PPM
from royalty.rules.arithmetic import FINE, WIDE, exact_sum, proportion, royalties, whole
from royalty.rules.facts import Facts

PPB = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistCentric:
    """Deezer's figures. `order` is not public: it decides whether boosts count towards the cap."""

    listener_plays: int = 1000  # what one listener counts for: at most (cap), or as (normalise)
    how: Literal["cap", "normalise"] = "cap"
    order: Literal["cap_first", "boost_first"] = "cap_first"
    artist_plays: int = 1000  # an artist with as many plays in the month, of as many listeners …
    artist_listeners: int = 500
    artist_boost: int = 2  # … counts so many times
    active_boost: int = 2  # and so does a play that the listener asked for

    def __post_init__(self) -> None:
        bounds = {
            "listener_plays": (1, 100_000),
            "artist_boost": (1, 3),
            "active_boost": (1, 4),
        }
        for name, (least, most) in bounds.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from {least} to {most}")


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
    pools = listeners.group_by("pool").agg(of_weight=listeners.weight.sum())
    rows = listeners.join(pools, "pool").join(facts.takings, "pool")
    money = rows.select(*who, "weighed", ppm=_money(rows))
    rows = plays.join(money, who)
    rows = rows.select("pool", "track", ppm=proportion(rows.ppm, rows.plays_ppb, rows.weighed))
    sums = rows.group_by("pool", "track").agg(ppm=rows.ppm.sum())
    micros = proportion(sums.ppm, 1, PPM)
    below = (sums.ppm - micros * PPM).cast("int64")
    return sums.select(
        "pool", "track", micros=micros.cast("int64"), remainder=below * (FINE // PPM)
    )


def artist_boosts(facts: Facts, options: ArtistCentric) -> Table:
    """List the artists whose plays count for more: artist, boost.

    An artist's plays are those of the tracks, times the artist's part of each; the listeners are
    those who played any track the artist has a part of. The whole month counts, all pools.
    """
    credited = facts.credits.filter(facts.credits.artist != "", facts.credits.ppb > 0)
    heard = facts.played.join(credited, "track")
    artists = heard.group_by("artist").agg(
        ppb=(heard.plays.cast(WIDE) * heard.ppb).sum(), listeners=heard.listener.nunique()
    )
    enough = artists.filter(
        artists.ppb >= ibis.literal(options.artist_plays * PPB).cast(WIDE),
        artists.listeners >= options.artist_listeners,
    )
    return enough.select("artist", boost=ibis.literal(options.artist_boost, "int64"))


def _weighed(facts: Facts, options: ArtistCentric) -> Table:
    """Weigh plays by their boosts: pool, listener, track, plays, plays_ppb."""
    parts = facts.credits.left_join(artist_boosts(facts, options), "artist")
    parts = parts.select("track", ppb=parts.ppb * parts.boost.fill_null(1))
    tracks = parts.group_by("track").agg(ppb=exact_sum(parts.ppb))
    played = facts.played.left_join(tracks, "track").drop("track_right")
    boosted = played.plays + played.active * (options.active_boost - 1)
    return played.select(
        "pool", "listener", "track", "plays", plays_ppb=boosted * played.ppb.fill_null(PPB)
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
        return (most if normalise else ibis.least(weighed, most)).cast(WIDE) * PPM
    counted = ibis.literal(limit, "int64") if normalise else ibis.least(of_plays, limit)
    return proportion(weighed, counted * PPM, of_plays)


def _money(rows: Table) -> DecimalValue:
    """Divide the pool by weight, in two steps so that 38 digits hold: millionths of a micro."""
    pool = royalties(rows.net_micros, rows.rate_ppm)
    micros = proportion(pool.micros, rows.weight, rows.of_weight)
    left = pool.micros.cast(WIDE) * rows.weight - micros * rows.of_weight
    left = left * PPM + whole(pool.fine, FINE // PPM).cast(WIDE) * rows.weight
    return micros * PPM + proportion(left, 1, rows.of_weight)
