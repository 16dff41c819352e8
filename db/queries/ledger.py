"""The ledger's postings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.errors import NotFound
from royalty.holds import PostingId
from royalty.ledger import Posting, Transaction, TransactionKind, payee_of
from royalty.money import Money
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingRow:
    """One posting, with the transaction it belongs to."""

    id: str  # <transaction>.<line>
    transaction: int
    key: str
    kind: TransactionKind
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


def posting(viewer: Viewer, books: Books, id_: PostingId) -> PostingRow:
    """Find a posting. Raises `NotFound`, also where it is not the viewer's to see."""
    posted = schema.posting.c
    this = selected().where(posted.transaction_id == id_.transaction, posted.line == id_.line)
    with reading(books) as connection:
        found = connection.execute(this).one_or_none()
    if found is None or not may_see(viewer, row := posting_row(found)):
        raise NotFound(f"there is no posting {id_} that {viewer.name} may see")
    return row


def transactions(
    connection: Connection,
    wanted: ColumnElement[bool],
    undoes: Mapping[int, str] | None = None,
) -> list[Transaction]:
    """Read transactions back as they were posted, in the chain's order.

    `undoes` gives the keys of what they reverse, by their numbers; what they adjust is left out.
    """
    rows = map(posting_row, connection.execute(selected().where(wanted)))
    return [
        _transaction(list(each), (undoes or {}).get(number))
        for number, each in groupby(rows, lambda row: row.transaction)
    ]


def selected() -> Select[Any]:
    """Select postings with their transactions, in the chain's order."""
    posted, of = schema.posting, schema.transaction_
    joined = select(posted, of).join(of, of.c.id == posted.c.transaction_id)
    return joined.order_by(of.c.id, posted.c.line)


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


def _transaction(rows: Sequence[PostingRow], undoes: str | None) -> Transaction:
    head = rows[0]
    return Transaction(
        kind=head.kind,
        key=head.key,
        period=head.period,
        effective_on=head.effective_on,
        postings=tuple(map(_posting, rows)),
        reverses=undoes,
        memo=head.memo,
    )


def _posting(row: PostingRow) -> Posting:
    return Posting(
        account=row.account, amount=row.amount, right=row.right, pool=row.pool, fx_rate=row.fx_rate
    )
