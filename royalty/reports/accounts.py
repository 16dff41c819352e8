"""Statement of account: all that was ever posted to a payee's account, with what then stood on it.

A statement explains one month; this goes over all of them, and its last balance of a month is the
closing of that month's statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from royalty.money import Money
from royalty.period import Period
from royalty.reports.table import Cell, Column, Table

COLUMNS = (
    Column(name="payee", title="Payee", kind="id"),
    Column(name="name", title="Name"),
    Column(name="period", title="Month", kind="id"),
    Column(name="effective_on", title="Day", kind="date"),
    Column(name="what", title="What"),
    Column(name="why", title="Why"),
    Column(name="right", title="Right"),
    Column(name="pool", title="Pool", kind="id"),
    Column(name="posting", title="Posting", kind="id"),
    Column(name="amount", title="Amount", kind="money"),
    Column(name="balance", title="Balance", kind="money"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One posting on a payee's account; what is taken is negative."""

    payee: str
    name: str
    period: Period  # in whose books it stands
    effective_on: date
    what: str  # in plain words: earnings, payment, correction of 2026-10
    why: str
    right: str | None
    pool: str | None
    posting: str  # 12.3
    amount: Money


def account_table(period: Period, entries: Iterable[Entry], root: str | None) -> Table:
    """Draw up accounts to a month's end; the balance runs, for each payee and currency apart.

    `entries` come in the ledger's order; an account opens at zero.
    """
    by_account = sorted(entries, key=lambda e: (e.payee, e.amount.currency, e.period))
    return Table(
        name="account",
        title=f"Statement of account to {period.last_day}",
        columns=COLUMNS,
        rows=tuple(_rows(by_account)),
        notes=("Every account opens at zero; what is taken from it is negative.",),
        period=period,
        root=root,
    )


def _rows(entries: Iterable[Entry]) -> Iterator[tuple[Cell, ...]]:
    stood: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in entries:
        account = (each.payee, each.amount.currency)
        stood[account] += each.amount.micros
        balance = Money(stood[account], each.amount.currency)
        named = (each.payee, each.name, str(each.period), each.effective_on)
        said = (each.what, each.why, each.right, each.pool, each.posting)
        yield (*named, *said, each.amount, balance)
