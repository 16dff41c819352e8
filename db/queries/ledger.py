"""The ledger's postings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.ledger import payee_of
from royalty.money import Money
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingRow:
    """One posting, with the transaction it belongs to."""

    id: str  # <transaction>.<line>
    transaction: int
    key: str
    kind: str
    period: Period
    effective_on: date
    recorded_at: str
    account: str
    amount: Money  # debit positive, credit negative
    right: str | None
    pool: str | None
    fx_rate: str | None  # at which the amount was converted
    memo: str
    adjusts: int | None
    reverses: int | None
    content_sha256: str  # what the transaction says; the same wherever it is posted
    hash: str  # the transaction's in this chain

    @property
    def payee(self) -> str | None:
        """Whose payable account it is on, if it is on one."""
        return payee_of(self.account)


def postings(viewer: Viewer, books: Books, period: Period) -> list[PostingRow]:
    """List a period's postings in the chain's order: all, or those on the viewer's accounts."""
    wanted = selected().where(schema.transaction_.c.period == str(period))
    with reading(books) as connection:
        rows = [posting_row(row) for row in connection.execute(wanted)]
    return [row for row in rows if may_see(viewer, row)]


def selected() -> Select[Any]:
    """Select postings with their transactions, in the chain's order."""
    posting, transaction = schema.posting, schema.transaction_
    joined = select(posting, transaction).join(
        transaction, transaction.c.id == posting.c.transaction_id
    )
    return joined.order_by(transaction.c.id, posting.c.line)


def posting_row(row: Row[Any]) -> PostingRow:
    """Make one row of what `selected` gives."""
    return noun(
        PostingRow,
        row,
        id=f"{row.transaction_id}.{row.line}",
        transaction=row.transaction_id,
        period=Period.parse(row.period),
        amount=Money(row.amount_micros, row.currency),
    )


def may_see(viewer: Viewer, row: PostingRow) -> bool:
    """Whether a viewer may see a posting: their own accounts', or all."""
    return viewer.sees_all or (row.payee is not None and viewer.sees(row.payee))
