"""Pay what a closed month left payable: work it out, post it, write the bank's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from attribution.files import write_whole
from cli.workspace import Workspace
from db import queries
from db.books import payments as books_of_payments
from db.engine import Books, today
from db.queries import EVERYONE
from royalty.errors import NotFound, PeriodClosed, PeriodNotClosed
from royalty.fx import FxRate
from royalty.paying import Account, Carried, Payment, decide
from royalty.period import Period
from royalty.reports.payments import Transfer, payments_csv
from royalty.settlement import agreements_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who is paid on a day, and who is not and why. Nothing is posted yet."""

    period: Period  # the closed month
    day: date
    payments: tuple[Payment, ...]
    carried: tuple[Carried, ...]
    names: Mapping[str, str]  # payee → name

    @property
    def is_ahead(self) -> bool:
        """Whether the month that is paid in has not begun: the one before was closed early."""
        return self.period.next.start > today()


def work_out(
    books: Books, period: Period, payees: Collection[str] = (), *, day: date | None = None
) -> Plan:
    """Work out what each account is paid; only these payees', where any are named.

    On the day given, else today; where the month before was closed before it had ended, on the
    first day of the open month, since no closed month takes a posting.
    Raises `PeriodNotClosed`, `PeriodClosed` where the month after is closed too or a day of it is
    asked for, and `NotFound` for payees that are none.
    """
    _require_last_closed(books, period)
    day = _day(period, day)
    names = {each.id: each.name for each in queries.parties(EVERYONE, books)}
    _require_known(payees, names)
    numbers = Counter(each.payee for each in _made(books, period))
    payments, carried = [], []
    for account in _accounts(books, payees, day):
        found = decide(account, _rate(books, account, day))
        if isinstance(found, Carried):
            carried.append(found)
            continue
        numbers[account.payee] += 1
        id_ = f"{period.next}/{account.payee}/{numbers[account.payee]}"
        payments.append(
            Payment(id=id_, period=period.next, day=day, account=account, amounts=found)
        )
    return Plan(
        period=period, day=day, payments=tuple(payments), carried=tuple(carried), names=names
    )


def pay(workspace: Workspace, plan: Plan, *, name: str) -> Path:
    """Post a plan's payments, and write the file of what the bank has to pay; return it."""
    books = workspace.books()
    books_of_payments.pay(books, plan.payments, name=name)
    path = workspace.folder("reports") / str(plan.period) / "payments.csv"
    path.parent.mkdir(exist_ok=True)
    write_whole(path, payments_csv(_awaited(books, plan.period)))
    return path


def day_of_word(books: Books, payment: str) -> date:
    """Choose the day of what the bank says: today, but not before the payment.

    Raises `NotFound`.
    """
    return max(today(), queries.payment(EVERYONE, books, payment).day)


def _require_last_closed(books: Books, period: Period) -> None:
    closed = queries.closed_periods(EVERYONE, books)
    if period not in closed:
        raise PeriodNotClosed(f"period {period} is not closed; run 'tantieme close {period}'")
    if period != closed[-1]:
        raise PeriodClosed(
            f"what {period} left payable was paid in {period.next}, which is closed; "
            f"what is left of it is paid by 'tantieme pay {closed[-1]}'"
        )


def _day(period: Period, day: date | None) -> date:
    if day is not None and day < period.next.start:
        raise PeriodClosed(f"{day} is in a closed month; pay on {period.next.start} or later")
    return day or max(today(), period.next.start)


def _require_known(payees: Collection[str], names: Mapping[str, str]) -> None:
    unknown = sorted(set(payees) - names.keys())
    if unknown:
        raise NotFound(f"there is no payee '{unknown[0]}'; 'tantieme catalogue show' lists them")


def _accounts(books: Books, payees: Collection[str], day: date) -> list[Account]:
    """Read what stands on payable accounts, with each payee's own agreement of the day."""
    agreed = agreements_on(queries.agreements(EVERYONE, books), day)
    return [
        Account(payee=row.owner, balance=-row.amount, agreement=agreed.get(row.owner))
        for row in queries.balances(EVERYONE, books, "payable")
        if not payees or row.owner in payees
    ]


def _rate(books: Books, account: Account, day: date) -> FxRate | None:
    if account.currency == account.balance.currency:
        return None
    return queries.rate(EVERYONE, books, account.balance.currency, account.currency, day)


def _made(books: Books, period: Period) -> list[queries.PaymentRow]:
    return queries.payments(EVERYONE, books, period=period.next)


def _awaited(books: Books, period: Period) -> list[Transfer]:
    """List the payments of a month that the bank has not said anything of yet."""
    return [
        Transfer(payment=row.id, payee=row.payee, name=row.payee_name, amount=row.paid)
        for row in _made(books, period)
        if row.state == "sent"
    ]
