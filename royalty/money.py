"""Money: integer micros of a currency. A float never touches it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from royalty.errors import CurrencyMismatch

MICROS = 1_000_000
_DECIMAL = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,6}))?")
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in micros (1 EUR = 1 000 000) of an ISO 4217 currency."""

    micros: int
    currency: str

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"cannot add {other.currency} to {self.currency}")
        return Money(self.micros + other.micros, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.micros, self.currency)

    def __sub__(self, other: Money) -> Money:
        return self + -other

    def __str__(self) -> str:
        """Show the amount in full: whole cents as `€12.35`, anything finer as `€12.352891`."""
        whole, part = divmod(abs(self.micros), MICROS)
        cents, finer = divmod(part, MICROS // 100)
        decimals = f"{part:06d}" if finer else f"{cents:02d}"
        return f"{self._sign}{self._symbol}{whole:,}.{decimals}"

    @property
    def signed(self) -> str:
        """The amount in full as a difference: `+€2.35`, `-€0.77`, `€0.00`."""
        return f"+{self}" if self.micros > 0 else str(self)

    @property
    def rounded(self) -> str:
        """The amount to the cent, half up, for people's eyes only: `€12.35`."""
        cents = (abs(self.micros) + 5_000) // 10_000
        sign = "-" if self.micros < 0 and cents else ""
        return f"{sign}{self._symbol}{cents // 100:,}.{cents % 100:02d}"

    @property
    def rounded_signed(self) -> str:
        """The amount to the cent as a difference: `+€2.35`."""
        return f"+{self.rounded}" if self.micros > 0 else self.rounded

    @property
    def decimal(self) -> str:
        """The amount as plain decimal text with six places: `12.352891`."""
        whole, part = divmod(abs(self.micros), MICROS)
        return f"{self._sign}{whole}.{part:06d}"

    @property
    def json(self) -> dict[str, int | str]:
        """The amount as every JSON document of ours carries it."""
        return {"micros": self.micros, "currency": self.currency}

    @property
    def _sign(self) -> str:
        return "-" if self.micros < 0 else ""

    @property
    def _symbol(self) -> str:
        return _SYMBOLS.get(self.currency, f"{self.currency} ")


def parse_micros(text: str) -> int:
    """Read decimal text with at most six places, such as `10.99`, as micros.

    Raises `ValueError` with a sentence when the text is anything else.
    """
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a decimal amount with at most six places, such as 10.99")
    sign, whole, part = match.groups()
    micros = int(whole) * MICROS + int((part or "").ljust(6, "0"))
    return -micros if sign else micros


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Sum amounts of one currency; nothing sums to zero of it."""
    return sum(amounts, Money(0, currency))
