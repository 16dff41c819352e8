"""The ledger's postings: a period's, those that somebody looks for, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, or_, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.errors import NotFound
from royalty.holds import PostingId
from royalty.ledger import Posting, Transaction, TransactionKind, payable, payee_of
from royalty.money import Money
from royalty.period import Period

POSTED_MAX = 1_000  # postings given at once
ACCOUNTS = (  # kinds of them, in the order in which money passes through
    *("receivable", "exchange", "pool", "payable", "suspense"),
    *("advance", "reserve", "withheld", "platform", "cash"),
)
_LETTERS = 4  # by which the kinds are told apart, faster than by their names
_KIND_OF = {name[:_LETTERS]: name for name in ACCOUNTS}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which postings somebody looks for; what is empty leaves none out."""

    period: str = ""
    account: str = ""  # one, such as `payable.ann`, or all of a kind of `ACCOUNTS`
    kind: str = ""  # of the transaction
    payee: str = ""  # whose payable account
    pool: str = ""
    text: str = ""  # a part of the transaction's key or memo


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTotal:
    """What the postings on one kind of account come to in one currency."""

    account: str  # the kind: `payable` of `payable.ann`
    postings: int
    debit: Money
    credit: Money  # negative

    @property
    def balance(self) -> Money:
        """What stands on it by these postings: debits positive, credits negative."""
        return self.debit + self.credit


def postings(viewer: Viewer, books: Books, period: Period) -> list[PostingRow]:
    """List a period's postings in the chain's order: all, or those on the viewer's accounts."""
    wanted = selected().where(*_wanted(viewer, Sought(period=str(period))))
    with reading(books) as connection:
        return [posting_row(row) for row in connection.execute(wanted)]


def posted(
    viewer: Viewer, books: Books, sought: Sought, *, limit: int = POSTED_MAX, offset: int = 0
) -> list[PostingRow]:
    """List postings that are looked for, in the chain's order, `POSTED_MAX` of them at most.

    Of all, or of the viewer's accounts. Nothing where none is found, or beyond the last.
    """
    wanted = selected().where(*_wanted(viewer, sought))
    page = wanted.limit(min(max(limit, 0), POSTED_MAX)).offset(max(offset, 0))
    with reading(books) as connection:
        return [posting_row(row) for row in connection.execute(page)]


def posted_count(viewer: Viewer, books: Books, sought: Sought) -> int:
    """Count the postings that `posted` lists."""
    posting, of = schema.posting, schema.transaction_.c
    wanted = select(func.count()).join_from(
        posting, schema.transaction_, of.id == posting.c.transaction_id
    )
    with reading(books) as connection:
        return connection.scalar(wanted.where(*_wanted(viewer, sought))) or 0


def account_totals(viewer: Viewer, books: Books, sought: Sought) -> list[AccountTotal]:
    """Add up postings that are looked for, by kind of account in the order of `ACCOUNTS`.

    Seconds, where they are millions.
    """
    posting, of = schema.posting.c, schema.transaction_.c
    kind = func.substr(posting.account, 1, _LETTERS)
    debit, credit = (
        func.sum(case((side, posting.amount_micros), else_=0))
        for side in (posting.amount_micros > 0, posting.amount_micros < 0)
    )
    sums = (
        select(kind, posting.currency, func.count(), debit, credit)
        .join(schema.transaction_, of.id == posting.transaction_id)
        .where(*_wanted(viewer, sought))
        .group_by(kind, posting.currency)
    )
    with reading(books) as connection:
        found = [_account_total(*row) for row in connection.execute(sums)]
    order = {name: place for place, name in enumerate(ACCOUNTS)}
    return sorted(
        found, key=lambda each: (order.get(each.account, len(order)), each.debit.currency)
    )


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


def stood(connection: Connection, account: str, currency: str, to: Period) -> Money:
    """Sum what was posted to an account up to the end of a period: debits positive."""
    posted, of = schema.posting.c, schema.transaction_.c
    sums = (
        select(func.sum(posted.amount_micros))
        .join(schema.transaction_, of.id == posted.transaction_id)
        .where(posted.account == account, posted.currency == currency, of.period <= str(to))
    )
    return Money(int(connection.scalar(sums) or 0), currency)


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


def _wanted(viewer: Viewer, sought: Sought) -> list[ColumnElement[bool]]:
    """Turn what is looked for, and what the viewer may see of it, into conditions."""
    on, of = schema.posting.c, schema.transaction_.c
    payee = sought.payee and payable(sought.payee)
    equal = (
        *((of.period, sought.period), (of.kind, sought.kind)),
        *((on.pool, sought.pool), (on.account, payee)),
    )
    wanted = [column == value for column, value in equal if value]
    if sought.account:
        wanted.append(_on(sought.account))
    if sought.text:
        texts = (of.key, of.memo)
        wanted.append(or_(*(each.contains(sought.text, autoescape=True) for each in texts)))
    if viewer.parties is not None:
        wanted.append(on.account.in_([payable(party) for party in sorted(viewer.parties)]))
    return wanted


def _on(account: str) -> ColumnElement[bool]:
    """Say of postings whether they are on an account, or on one of this kind."""
    named = schema.posting.c.account
    if account not in ACCOUNTS:
        return named == account
    return or_(named == account, named.startswith(f"{account}.", autoescape=True))


def _account_total(
    letters: str, currency: str, postings: int, debit: int, credit: int
) -> AccountTotal:
    return AccountTotal(
        account=_KIND_OF.get(letters, letters),
        postings=postings,
        debit=Money(int(debit), currency),
        credit=Money(int(credit), currency),
    )


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
