"""The payment file: what the bank is to pay, one row a payment.

UTF-8, bare line feeds, equal input gives equal bytes. Amounts have the decimal places of their
currency. Text that a spreadsheet would take for a formula is preceded by an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from royalty.money import MICROS, Money
from royalty.paying import minor_places, minor_unit
from royalty.reports.csv import no_formula

COLUMNS = ("payment", "payee", "name", "currency", "amount", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One payment, as the bank is told of it."""

    payment: str
    payee: str
    name: str
    amount: Money  # whole minor units


def payments_csv(transfers: Iterable[Transfer]) -> bytes:
    """Write a payment file, in order of payments' ids."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in sorted(transfers, key=lambda each: each.payment):
        said = (each.payment, each.payee, each.name)
        money = (each.amount.currency, minor_decimal(each.amount))
        writer.writerow([*map(no_formula, said), *money, f"royalties {each.payment}"])
    return text.getvalue().encode()


def minor_decimal(amount: Money) -> str:
    """Write whole minor units as decimal text: `38.64`, of yen `39`."""
    places = minor_places(amount.currency)
    whole, part = divmod(amount.micros, MICROS)
    return f"{whole}.{part // minor_unit(amount.currency):0{places}d}" if places else str(whole)
