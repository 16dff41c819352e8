"""Who gains and who loses by another rule, by how much the first rule pays them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, select, true

from db import schema
from db.engine import Books, reading
from db.queries.viewer import Viewer
from royalty.money import MICROS, Money

# Where bands begin: nothing, anything, one of the currency's unit, ten, a hundred, … 10^12.
_LOWS = (0, 1, *(MICROS * 10**tens for tens in range(13)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Payees whom the first rule pays about alike, and what both rules pay them together."""

    low: Money  # the first rule pays each of them this at least …
    below: Money | None  # … and less than this; None: the highest band
    payees: int
    gaining: int
    losing: int
    first: Money
    second: Money
    gained: Money  # by those of them who gain

    @property
    def difference(self) -> Money:
        """What the second rule gives them beyond the first."""
        return self.second - self.first

    @property
    def lost(self) -> Money:
        """What those of them lose who lose."""
        return self.gained - self.difference

    @property
    def change(self) -> float | None:
        """The difference as a part of what the first rule pays; None where that is nothing."""
        return self.difference.micros / self.first.micros if self.first.micros else None


def bands(
    viewer: Viewer, books: Books, payouts: tuple[str, str], currency: str
) -> tuple[Band, ...]:
    """Say by bands of what the first payout pays what the second changes, the lowest band first.

    Payouts are named by their ids, both in this currency. Everybody counts whom one of them pays
    and the viewer may see; a band in which there is nobody is left out.
    """
    paid = schema.payout_payee.c
    mine = true() if viewer.parties is None else paid.payee.in_(sorted(viewer.parties))
    first, second = (
        func.sum(case((paid.payout == payout, paid.micros), else_=0)) for payout in payouts
    )
    both = select(first.label("first"), second.label("second"))
    each = both.where(paid.payout.in_(payouts), mine).group_by(paid.payee).subquery().c
    more = each.second - each.first
    place = case(
        *((each.first < low, place) for place, low in enumerate(_LOWS[1:])), else_=len(_LOWS) - 1
    )
    wanted = select(
        place.label("place"),
        func.count().label("payees"),
        func.sum(case((more > 0, 1), else_=0)).label("gaining"),
        func.sum(case((more < 0, 1), else_=0)).label("losing"),
        func.sum(each.first).label("first"),
        func.sum(each.second).label("second"),
        func.sum(case((more > 0, more), else_=0)).label("gained"),
    )
    with reading(books) as connection:
        rows = connection.execute(wanted.group_by("place").order_by("place"))
        return tuple(_band(row, currency) for row in rows)


def _band(row: Row[Any], currency: str) -> Band:
    below = _LOWS[row.place + 1 : row.place + 2]
    return Band(
        low=Money(_LOWS[row.place], currency),
        below=Money(below[0], currency) if below else None,
        payees=row.payees,
        gaining=row.gaining,
        losing=row.losing,
        first=Money(int(row.first), currency),
        second=Money(int(row.second), currency),
        gained=Money(int(row.gained), currency),
    )
