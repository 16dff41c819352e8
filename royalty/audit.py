"""Whether the money adds up.

Pure: values in, values out. Amounts come as mappings from a payee (or an account) to `Money`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from royalty.ledger import exchange
from royalty.money import Money, total
from royalty.period import Period

Amounts = Mapping[str, Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conservation:
    """The identity that every period must satisfy, to the micro, in each of its currencies.

    revenue = paid + payable + suspense + reserve + recouped + withheld + platform + exchanged
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
    exchanged: Money | None = None  # into other currencies, less what came of them; None: nothing

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
            **({} if self.exchanged is None else {"exchanged": self.exchanged}),
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
    """Read the identity off the balances of one period's accounts in a currency, debits positive.

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
        exchanged=-balances[exchange()] if exchange() in balances else None,
    )
