"""Exact integer arithmetic in table expressions: no float, no overflow within the bounds.

Ibis's `//` becomes the floor of a *floating* division, wrong above 2**53; `%` is exact, and so is
DuckDB's own integer `divide`. Every product below stays under 2**63 while a pool has at most
`PLAYS_MAX` plays and `MICROS_MAX` of money, and one listener at most `LISTENER_PLAYS_MAX`.
"""

from __future__ import annotations

from typing import NamedTuple

import ibis
from ibis import Table
from ibis.expr.types import IntegerValue

from royalty.catalogue import PPM

PLAYS_MAX = 3_000_000_000  # squared, still below 2**63
MICROS_MAX = 10**13  # ten million of a currency
LISTENER_PLAYS_MAX = 10**7


@ibis.udf.scalar.builtin(name="divide")  # type: ignore[untyped-decorator]
def whole(dividend: int, divisor: int) -> int:  # type: ignore[empty-body]
    """Divide integers that are not negative, without a float, and drop the remainder."""


def exact_sum(column: IntegerValue) -> IntegerValue:
    """Sum to a 64-bit integer; a sum that does not fit is an error, as DuckDB sums in 128 bits."""
    # A cast from int64 to int64 would be dropped as idle, hence the way round by decimals.
    return column.sum().cast("decimal(38, 0)").cast("int64")


class Parts(NamedTuple):
    """An amount as whole micros and parts per million of a micro."""

    micros: IntegerValue
    ppm: IntegerValue


def royalties(net_micros: IntegerValue, royalty_rate_ppm: int) -> Parts:
    """Take the royalty-bearing part of revenue, exactly: `ppm` is what is below a micro."""
    fine = (net_micros % PPM) * royalty_rate_ppm
    return Parts(whole(net_micros, PPM) * royalty_rate_ppm + whole(fine, PPM), fine % PPM)


def quota(amount: Parts, plays: IntegerValue, of_plays: IntegerValue) -> Parts:
    """Take the part that `plays` have among `of_plays`, floored at a ppm of a micro.

    Long division: the amount's quotient by `of_plays` first, then what is left of it. `ppm` may
    reach two micros; `carried` puts that right once all parts are summed.
    """
    left = (amount.micros % of_plays) * plays
    fine = whole((left % of_plays) * PPM + amount.ppm * plays, of_plays)
    return Parts(whole(amount.micros, of_plays) * plays + whole(left, of_plays), fine)


def carried(quotas: Table) -> Table:
    """Sum quotas (track, micros, ppm) to whole micros per track and a remainder below one micro."""
    sums = quotas.group_by("track").agg(micros=exact_sum(quotas.micros), ppm=exact_sum(quotas.ppm))
    return sums.select("track", micros=sums.micros + whole(sums.ppm, PPM), remainder=sums.ppm % PPM)
