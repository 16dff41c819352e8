"""Reversal by hand: the exact negation of one transaction, in the open month."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, select

from db import schema
from db.books.acts import Act, record_act
from db.books.ledger import post_within
from db.books.periods import open_period
from db.engine import Books, today, writing
from db.queries.accounts import not_reversed
from royalty.errors import Conflict, NotFound
from royalty.ledger import Transaction, cash, reverse
from royalty.money import Money

# Kinds that are undone by a command of their own, which does what else belongs to it. Half of a
# division, reversed, would leave its pool open and its parties with earnings that nobody has.
_DIVIDES = "'tantieme adjust' divides its month again and posts what differs"
_UNDONE_BY = {
    "revenue": _DIVIDES,
    "allocation": _DIVIDES,
    "adjustment": _DIVIDES,
    "payment": "'tantieme payment fail' or 'tantieme payment return' says that it did not arrive",
    "withholding": "it is given back with its payment, by 'tantieme payment fail' or 'return'",
    "hold": "'tantieme release {key}' lets it go",
    "reserve": "'tantieme close' releases it in the month in which it is due",
}


def reverse_one(
    books: Books, reference: str, reason: str, *, name: str, dry_run: bool = False
) -> Transaction:
    """Post the negation of one transaction, named by its key or its number in the chain.

    Raises `NotFound`, and `Conflict` where it is reversed already, is itself a reversal, is undone
    by a command of its own, or is an advance that was recouped in part.
    """
    with writing(books, dry_run=dry_run) as connection:
        undone = _reversible(connection, reference)
        period = open_period(connection)
        day = period.nearest(today())
        reversal = replace(reverse(undone, period=period, effective_on=day), memo=reason)
        post_within(connection, [reversal])
        act = Act(name=name, act="reversed", period=period, subject=undone.key, note=reason)
        record_act(connection, act)
    return reversal


def _reversible(connection: Connection, reference: str) -> Transaction:
    of = schema.transaction_.c
    this = of.id == int(reference) if reference.isdecimal() else of.key == reference
    row = connection.execute(select(of.id, of.key, of.kind).where(this)).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no transaction '{reference}'; give its key or its number, as 'tantieme "
            "trail' shows them"
        )
    if row.kind == "reversal":
        raise Conflict(f"{row.key} is a reversal, which is not reversed; post what it undid anew")
    if (why := _UNDONE_BY.get(row.kind)) is not None:
        raise Conflict(f"{row.key} is a {row.kind}: {why.format(key=row.key)}")
    found = not_reversed(connection, of.id == row.id)
    if not found:
        raise Conflict(f"{row.key} is reversed already; nothing changed")
    _require_unrecouped(connection, found[0])
    return found[0]


def _require_unrecouped(connection: Connection, undone: Transaction) -> None:
    """Refuse to take back an advance of which a part was taken back already."""
    if undone.kind != "advance":
        return
    posted = schema.posting.c
    for each in undone.postings:
        there = (posted.account == each.account) & (posted.currency == each.amount.currency)
        left = connection.scalar(select(func.sum(posted.amount_micros)).where(there)) or 0
        if each.account != cash() and left < each.amount.micros:
            unrecouped = Money(int(left), each.amount.currency)
            raise Conflict(
                f"of {undone.key}, {each.amount}, only {unrecouped} is not recouped yet; reverse "
                "its recoupments first"
            )
