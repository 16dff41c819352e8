"""Hybrid: a fixed part for all licensed works, and attribution's part for what it can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import ibis
from ibis import Table

from royalty.catalogue import PPM
from royalty.rules.arithmetic import Parts, of_ppm, royalties
from royalty.rules.facts import EQUALLY, UNBOOKED, Facts
from royalty.rules.pro_rata import ProRata, pro_rata
from royalty.rules.rule import Within
from royalty.rules.user_centric import UserCentric, user_centric


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """How far attribution is trusted with the money, and by which rule its part is divided.

    The more informative attribution is, the more of the pool should follow it: noise speaks for a
    fixed fee (arXiv 2607.00641). `tantieme evaluate informativeness` measures it.
    """

    informativeness_ppm: Annotated[int, Within(0, PPM)] = 500_000
    base: Literal["pro_rata", "user_centric"] = "pro_rata"  # without options of its own


def hybrid(facts: Facts, options: Hybrid) -> Table:
    """Divide the informative part by the base rule, and the rest equally among licensed works.

    R(g) = lambda * R(g) of the base rule; (1 - lambda) * pool goes to all licensed works alike.
    Where nothing was played, the informative part waits in suspense.
    """
    if options.base == "pro_rata":
        tracks = pro_rata(facts, ProRata())
    else:
        tracks = user_centric(facts, UserCentric())
    trusted = options.informativeness_ppm
    silent = facts.takings.anti_join(tracks, "pool")
    return ibis.union(
        _scaled(tracks, Parts(tracks.micros, tracks.remainder), trusted),
        _of_pools(silent, UNBOOKED, trusted),
        _of_pools(facts.takings, EQUALLY, PPM - trusted),
        distinct=False,
    )


def _of_pools(takings: Table, track: str, ppm: int) -> Table:
    rows = takings.mutate(track=ibis.literal(track))
    return _scaled(rows, royalties(rows.net_micros, rows.rate_ppm), ppm)


def _scaled(rows: Table, amount: Parts, ppm: int) -> Table:
    part = of_ppm(amount, ppm)
    return rows.select("pool", "track", micros=part.micros, remainder=part.fine)
