"""How a payee's account came to stand where it does, by the ledger alone: no lines are read."""

from __future__ import annotations

from dataclasses import dataclass

from db import schema
from db.engine import Books, reading
from db.queries.ledger import posting_row, selected, stood
from db.queries.movements import movements
from db.queries.viewer import Viewer
from royalty.ledger import payable
from royalty.money import Money, total
from royalty.movements import EARNED, TERMS
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMonth:
    """One payee's account over one month in one currency, as a statement states it."""

    period: Period
    opening: Money
    terms: dict[str, Money]  # earned, and those of movements; they add up as they stand
    closing: Money


def account_month(
    viewer: Viewer, books: Books, payee: str, period: Period, currency: str
) -> AccountMonth:
    """Read how a payee's account moved in a month, term by term: zeros where nothing did.

    Raises `NotFound` for a payee whom the viewer may not see.
    """
    viewer.require(payee)
    posted, of = schema.posting.c, schema.transaction_.c
    mine = (posted.account == payable(payee), posted.currency == currency)
    with reading(books) as connection:
        opening = -stood(connection, payable(payee), currency, period.before(1))
        this = selected().where(*mine, of.period == str(period))
        rows = [posting_row(row) for row in connection.execute(this)]
        moved = movements(connection, rows)
    terms = {"earned": total((-row.amount for row in rows if row.kind == EARNED), currency)}
    for term in TERMS:
        terms[term] = total((each.amount for each in moved if each.term == term), currency)
    closing = total([opening, *terms.values()], currency)
    return AccountMonth(period=period, opening=opening, terms=terms, closing=closing)
