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
from royalty.period import Period
from royalty.reports.csv import no_formula
from royalty.reports.table import Column, Table

COLUMNS = ("payment", "payee", "name", "currency", "amount", "reference")
_COLUMNS = (
    Column(name="payment", title="Payment", kind="id"),
    Column(name="payee", title="Payee", kind="id"),
    Column(name="name", title="Name"),
    Column(name="amount", title="Amount", kind="money"),
    Column(name="reference", title="Reference"),
)


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
        writer.writerow([*map(no_formula, said), *money, _reference(each)])
    return text.getvalue().encode()


def minor_decimal(amount: Money) -> str:
    """Write whole minor units as decimal text: `38.64`, of yen `39`."""
    places = minor_places(amount.currency)
    whole, part = divmod(amount.micros, MICROS)
    return f"{whole}.{part // minor_unit(amount.currency):0{places}d}" if places else str(whole)


def payments_table(period: Period, transfers: Iterable[Transfer], root: str | None) -> Table:
    """Make the same payments a table: what a closed month left payable, and the bank is to pay."""
    ordered = sorted(transfers, key=lambda each: each.payment)
    return Table(
        name="payments",
        title=f"Payments of what {period} left payable",
        columns=_COLUMNS,
        rows=tuple(
            (each.payment, each.payee, each.name, each.amount, _reference(each)) for each in ordered
        ),
        period=period,
        root=root,
    )


def _reference(transfer: Transfer) -> str:
    return f"royalties {transfer.payment}"
