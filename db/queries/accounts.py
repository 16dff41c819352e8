"""Accounts: what stands on them, what was agreed, and what of it waits to be undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from db import schema
from db.engine import Books, reading
from db.queries.ledger import transactions
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.ledger import Transaction, advance, cash
from royalty.money import Money
from royalty.period import Period
from royalty.settlement import Standing
from royalty.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBalance:
    """What stands on one account in one currency: debits positive, credits negative."""

    account: str
    owner: str  # whose it is: `ann` of `payable.ann`
    amount: Money


def balances(viewer: Viewer, books: Books, kind: str) -> list[AccountBalance]:
    """List what stands on the accounts of a kind, such as `payable`, that are not at zero.

    In order of account and currency: all, or those that are the viewer's own.
    """
    posted = schema.posting.c
    amount = func.sum(posted.amount_micros)
    mine = posted.account.startswith(f"{kind}.", autoescape=True)
    sums = select(posted.account, posted.currency, amount).where(mine).having(amount != 0)
    order = (posted.account, posted.currency)
    with reading(books) as connection:
        found = connection.execute(sums.group_by(*order).order_by(*order)).all()
    rows = [_balance(kind, *row) for row in found]
    return [row for row in rows if viewer.sees(row.owner)]


def agreements(viewer: Viewer, books: Books) -> list[Terms]:
    """List all agreements as far as is recorded now: those that hold, that did, and that will."""
    wanted = select(schema.terms).where(schema.terms.c.recorded_to.is_(None))
    with reading(books) as connection:
        rows = connection.execute(wanted.order_by(schema.terms.c.id)).all()
    return [noun(Terms, row) for row in rows if viewer.sees(row.party)]


def standing(viewer: Viewer, books: Books, currency: str) -> Standing:
    """Read what stands before a month of a currency is settled. Only for those who see all.

    What was advanced is counted whatever its currency was: an agreement's advance is paid once.
    """
    viewer.require_all("what is kept back and not recouped")
    owed = balances(viewer, books, advance("").removesuffix("."))
    of = schema.transaction_.c
    with reading(books) as connection:
        advances = not_reversed(connection, of.kind == "advance")
        reserves = not_reversed(connection, of.kind == "reserve")
    return Standing(
        advanced=_advanced(advances),
        unrecouped={
            row.owner: row.amount.micros for row in owed if row.amount.currency == currency
        },
        reserves=reserves,
    )


def currency_of(_viewer: Viewer, books: Books, period: Period) -> str | None:
    """Name the currency that a month is paid in; None where nothing of it was computed."""
    paid = schema.payout.c
    wanted = select(paid.currency).where(paid.period == str(period)).limit(1)
    with reading(books) as connection:
        return connection.scalar(wanted)


def not_reversed(connection: Connection, wanted: ColumnElement[bool]) -> list[Transaction]:
    """Read transactions back that nothing reverses, in the chain's order."""
    undoing = schema.transaction_.alias("undoing")
    undone = select(undoing.c.id).where(undoing.c.reverses == schema.transaction_.c.id).exists()
    return transactions(connection, wanted & ~undone)


def _advanced(advances: Iterable[Transaction]) -> dict[str, int]:
    """Sum what was paid out by party: an advance's key is `<period>/advance/<party>`."""
    sums: defaultdict[str, int] = defaultdict(int)
    for each in advances:
        party = each.key.rpartition("/")[2]
        sums[party] += sum(side.amount.micros for side in each.postings if side.account != cash())
    return dict(sums)


def _balance(kind: str, account: str, currency: str, micros: int) -> AccountBalance:
    owner = account.removeprefix(f"{kind}.")
    return AccountBalance(account=account, owner=owner, amount=Money(int(micros), currency))
