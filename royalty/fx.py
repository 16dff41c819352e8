"""Rates of exchange: what one unit of a currency is worth in another, on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from royalty.errors import CurrencyMismatch
from royalty.money import Money

UNIT_PPB = 1_000_000_000  # a rate of exactly one


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRate:
    """One unit of `base` is `rate_ppb` / 10⁹ units of `quote` on a day."""

    day: date
    base: str
    quote: str
    rate_ppb: int  # above zero
    source: str = ""  # who stated it

    @property
    def id(self) -> str:
        """The id that postings carry, such as `2026-10-30/USD/EUR`."""
        return f"{self.day}/{self.base}/{self.quote}"

    @property
    def decimal(self) -> str:
        """The rate as plain decimal text: `0.92`."""
        whole, part = divmod(self.rate_ppb, UNIT_PPB)
        return f"{whole}.{part:09d}".rstrip("0").removesuffix(".")

    def convert(self, amount: Money) -> Money:
        """Change an amount of `base` into `quote`, floored to the micro.

        Raises `CurrencyMismatch` where the amount is in another currency.
        """
        if amount.currency != self.base:
            raise CurrencyMismatch(f"rate {self.id} does not convert {amount.currency}")
        return Money(amount.micros * self.rate_ppb // UNIT_PPB, self.quote)

    def cost(self, bought: Money) -> Money:
        """Return the least amount of `base` that converts to an amount of `quote`.

        Raises `CurrencyMismatch` where that amount is in another currency.
        """
        if bought.currency != self.quote:
            raise CurrencyMismatch(f"rate {self.id} does not convert to {bought.currency}")
        return Money(-(-bought.micros * UNIT_PPB // self.rate_ppb), self.base)
