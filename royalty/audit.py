"""Whether the money adds up, and what a click farm cost.

Pure: values in, values out. Amounts come as mappings from a payee (or a track) to `Money`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from royalty.money import Money, total
from royalty.period import Period

Amounts = Mapping[str, Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conservation:
    """The identity that every period must satisfy, to the micro, in one currency.

    revenue = paid + payable + suspense + reserve + recouped + withheld + platform
    """

    period: Period
    currency: str
    revenue: Money
    paid: Money
    payable: Money
    suspense: Mapping[str, Money]  # unmatched, unclaimed, held, disputed
    reserve: Money
    recouped: Money
    withheld: Money
    platform: Money

    @property
    def parts(self) -> dict[str, Money]:
        """The right-hand side, term by term, each suspense account apart."""
        return {
            "paid": self.paid,
            "payable": self.payable,
            **{f"suspense.{kind}": amount for kind, amount in sorted(self.suspense.items())},
            "reserve": self.reserve,
            "recouped": self.recouped,
            "withheld": self.withheld,
            "platform": self.platform,
        }

    @property
    def difference(self) -> Money:
        """What came in and is found nowhere: zero, or the books are wrong."""
        return self.revenue - total(self.parts.values(), self.currency)

    @property
    def holds(self) -> bool:
        """Whether not one micro is missing or too many."""
        return self.difference.micros == 0


def conservation(period: Period, currency: str, balances: Amounts) -> Conservation:
    """Read the identity off the balances of one period's accounts, debits positive.

    A pool that is not wholly divided, or an account this does not know, shows as a difference.
    """

    def debit(prefix: str) -> Money:
        mine = (amount for name, amount in balances.items() if f"{name}.".startswith(f"{prefix}."))
        return total(mine, currency)

    return Conservation(
        period=period,
        currency=currency,
        revenue=debit("receivable.platform"),
        paid=-debit("cash"),
        payable=-debit("payable"),
        suspense={
            name.removeprefix("suspense."): -amount
            for name, amount in balances.items()
            if name.startswith("suspense.")
        },
        reserve=-debit("reserve"),
        recouped=-debit("advance.unrecouped"),
        withheld=-debit("withheld"),
        platform=-debit("platform"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one payee gets with the farm and would get without it."""

    payee: str
    without: Money
    with_farm: Money

    @property
    def difference(self) -> Money:
        """What the farm brought this payee; negative where it cost something."""
        return self.with_farm - self.without


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmCost:
    """What a click farm did to everyone's money under one rule.

    `paid_in` is what the farm's own fees added to the pool; `moved` is what it took from others.
    """

    rule: str
    changes: tuple[Change, ...]  # largest loss first
    paid_in: Money
    gained: Money
    moved: Money

    @property
    def losers(self) -> tuple[Change, ...]:
        """Those who got less because of the farm, largest loss first."""
        return tuple(change for change in self.changes if change.difference.micros < 0)


def farm_cost(rule: str, with_farm: Amounts, without: Amounts, currency: str) -> FarmCost:
    """Compare a division of the whole pool with one without a set of listeners.

    Both leave out the usage *and* the revenue of those listeners in `without`. Suspense should be
    given as one of the payees, so that both sum to their pools.
    """
    zero = Money(0, currency)
    changes = [
        Change(payee=payee, without=without.get(payee, zero), with_farm=with_farm.get(payee, zero))
        for payee in {*with_farm, *without}
    ]
    changes.sort(key=lambda change: (change.difference.micros, change.payee))
    deltas = [change.difference for change in changes]
    return FarmCost(
        rule=rule,
        changes=tuple(changes),
        paid_in=total(with_farm.values(), currency) - total(without.values(), currency),
        gained=total((delta for delta in deltas if delta.micros > 0), currency),
        moved=-total((delta for delta in deltas if delta.micros < 0), currency),
    )
