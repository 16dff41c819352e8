"""Exact integer arithmetic in table expressions: no float, no overflow within the bounds.

Ibis's `//` becomes the floor of a *floating* division, wrong above 2**53. So expressions divide,
and go from 64 bits to more and back, by functions that they call by name and each engine defines in
its own integers (`db.engines`). An amount is whole micros and billionths of a micro, apart. Every
product of 64-bit integers below stays under 2**63 while a pool has at most `PLAYS_MAX` plays and
`MICROS_MAX` of money, and one listener at most `LISTENER_PLAYS_MAX`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import ibis
import ibis.expr.datatypes as dt
from ibis import Table
from ibis.expr.builders import WindowBuilder
from ibis.expr.types import DecimalValue, IntegerValue

from royalty.catalogue import PPM

FINE = 10**9  # billionths of a micro
PLAYS_MAX = 3_000_000_000  # times FINE, still below 2**63
MICROS_MAX = 10**14  # a hundred million of a currency
LISTENER_PLAYS_MAX = 10**7
WIDE = dt.Decimal(38, 0)
Whole: TypeAlias = IntegerValue | DecimalValue | int


@ibis.udf.scalar.builtin(name="whole", signature=((dt.int64, dt.int64), dt.int64))  # type: ignore[untyped-decorator]
def whole(dividend: int, divisor: int) -> int:  # type: ignore[empty-body]
    """Divide integers that are not negative, without a float, and drop the remainder."""


@ibis.udf.scalar.builtin(name="wide", signature=((dt.int64,), WIDE))  # type: ignore[untyped-decorator]
def wide(value: int) -> int:  # type: ignore[empty-body]
    """Take a 64-bit integer as one of 38 digits, which sums and products need."""


@ibis.udf.scalar.builtin(name="narrow", signature=((WIDE,), dt.int64))  # type: ignore[untyped-decorator]
def narrow(value: int) -> int:  # type: ignore[empty-body]
    """Take an integer as one of 64 bits; one that does not fit is an error."""


@ibis.udf.scalar.builtin(name="proportion", signature=((WIDE, WIDE, WIDE), WIDE))  # type: ignore[untyped-decorator]
def _proportion(amount: int, part: int, of: int) -> int:  # type: ignore[empty-body]
    """Multiply, then divide, with all of the product in between; drop the remainder."""


@ibis.udf.scalar.builtin(name="quotient", signature=((WIDE, WIDE), WIDE))  # type: ignore[untyped-decorator]
def _quotient(dividend: int, divisor: int) -> int:  # type: ignore[empty-body]
    """Divide where the quotient is below 10**15, which is quick; drop the remainder."""


def proportion(amount: Whole, part: Whole, of: Whole) -> DecimalValue:
    """Return the floor of amount * part / of, exact to 38 digits in between."""
    return _proportion(*map(_wide, (amount, part, of)))


def quotient(dividend: Whole, divisor: Whole) -> DecimalValue:
    """Return the floor of dividend / divisor, which must be below 10**15."""
    return _quotient(_wide(dividend), _wide(divisor))


def _wide(value: Whole) -> DecimalValue:
    if isinstance(value, int):
        return ibis.literal(value, WIDE)
    return value.cast(WIDE) if isinstance(value, DecimalValue) else wide(value)


@ibis.udf.agg.builtin(name="sum", signature=((WIDE,), WIDE))  # type: ignore[untyped-decorator]
def wide_sum(column: int) -> int:  # type: ignore[empty-body]
    """Sum wide integers; Ibis's own sum of them is of another type."""


def exact_sum(column: IntegerValue, over: WindowBuilder | None = None) -> IntegerValue:
    """Sum to a 64-bit integer; a sum that does not fit is an error. Engines sum in 128 bits."""
    return narrow(column.sum() if over is None else column.sum().over(over))


class Parts(NamedTuple):
    """An amount as whole micros and billionths of a micro."""

    micros: IntegerValue
    fine: IntegerValue


def whole_micros(amount: IntegerValue) -> Parts:
    """Take whole micros as an amount."""
    return Parts(amount, ibis.literal(0, "int64"))


def of_ppm(amount: Parts, ppm: IntegerValue | int) -> Parts:
    """Take so many millionths of an amount, floored at a billionth of a micro."""
    below = (amount.micros % PPM) * ppm
    fine = (below % PPM) * (FINE // PPM) + whole(amount.fine * ppm, PPM)
    micros = whole(amount.micros, PPM) * ppm + whole(below, PPM) + whole(fine, FINE)
    return Parts(micros, fine % FINE)


def royalties(net_micros: IntegerValue, rate_ppm: IntegerValue) -> Parts:
    """Take the royalty-bearing part of revenue, exactly."""
    return of_ppm(whole_micros(net_micros), rate_ppm)


def each(amount: Parts, count: IntegerValue) -> Parts:
    """Divide an amount among `count`, floored at a billionth of a micro: what one is worth."""
    below = (amount.micros % count) * FINE + amount.fine
    return Parts(whole(amount.micros, count), whole(below, count))


def earned(rows: Table, worth: Parts, plays: IntegerValue | int) -> Table:
    """Sum by track what plays are worth: pool, track, micros, fine (which may carry)."""
    priced = rows.select("pool", "track", micros=worth.micros * plays, fine=worth.fine * plays)
    return priced.group_by("pool", "track").agg(
        micros=exact_sum(priced.micros), fine=exact_sum(priced.fine)
    )


def carried(*earnings: Table) -> Table:
    """Add up earnings by track; whole micros, and a remainder below one."""
    rows = ibis.union(*earnings)
    if len(earnings) > 1:
        rows = rows.group_by("pool", "track").agg(
            micros=exact_sum(rows.micros), fine=exact_sum(rows.fine)
        )
    return rows.select(
        "pool", "track", micros=rows.micros + whole(rows.fine, FINE), remainder=rows.fine % FINE
    )
