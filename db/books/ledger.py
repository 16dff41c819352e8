"""Posting: transactions into the chain, sealed, each key once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from db import chain
from db.books import periods
from db.engine import Books, now, reading, writing
from db.schema import posting, transaction_
from royalty.errors import Conflict, NotFound, PeriodClosed
from royalty.ledger import Transaction
from royalty.period import Period


def post(books: Books, transactions: Sequence[Transaction]) -> list[int]:
    """Post transactions, all of them or none, and say where each stands in the chain.

    A key that is there with the same content is left as it is. Raises `Conflict` where its content
    differs, `PeriodClosed` where the period or a later one is, and `NotFound` where it reverses or
    adjusts nothing.
    """
    with writing(books) as connection:
        return post_within(connection, transactions)


def post_within(connection: Connection, transactions: Iterable[Transaction]) -> list[int]:
    """Post transactions as part of a larger write."""
    closed = periods.last_closed(connection)
    return [_post(connection, transaction, closed) for transaction in transactions]


def last_posted(books: Books) -> int:
    """Name the last transaction; 0 where there is none."""
    with reading(books) as connection:
        return chain_head(connection)[0]


def chain_head(connection: Connection) -> tuple[int, str]:
    """Name the last transaction and its hash; 0 and the genesis where there is none."""
    last = select(transaction_.c.id, transaction_.c.hash).order_by(transaction_.c.id.desc())
    found = connection.execute(last.limit(1)).one_or_none()
    return (0, chain.GENESIS) if found is None else (found.id, found.hash)


def _post(connection: Connection, transaction: Transaction, closed: Period | None) -> int:
    """Post a transaction, unless it is there; `closed` is the latest month that is closed."""
    content = chain.content(transaction)
    there = _posted(connection, transaction.key, content)
    if there is not None:
        return there
    if closed is not None and transaction.period < closed:
        raise PeriodClosed(
            f"period {closed} is closed with what accounts stood at before it, so nothing is posted"
            f" in {transaction.period} any more; post it in {closed.next}"
        )
    periods.begin(connection, transaction.period)
    last, previous = chain_head(connection)
    header = {
        "id": last + 1,
        "key": transaction.key,
        "kind": transaction.kind,
        "period": str(transaction.period),
        "effective_on": transaction.effective_on,
        "recorded_at": now(),
        "reverses": _id(connection, transaction.reverses),
        "adjusts": _id(connection, transaction.adjusts),
        "memo": transaction.memo,
        "content_sha256": content,
        "prev_hash": previous,
    }
    _enter(connection, header, chain.lines(transaction))
    return last + 1


def _enter(
    connection: Connection, header: dict[str, object], lines: Sequence[dict[str, object]]
) -> None:
    """Header, postings, seal: after the last step nothing about them can change."""
    link = chain.link(header, lines)
    connection.execute(transaction_.insert(), header | {"hash": link, "sealed": False})
    mine = {"transaction_id": header["id"]}
    connection.execute(posting.insert(), [mine | line for line in lines])
    this = transaction_.c.id == header["id"]
    connection.execute(transaction_.update().where(this).values(sealed=True))


def _posted(connection: Connection, key: str, content: str) -> int | None:
    found = connection.execute(
        select(transaction_.c.id, transaction_.c.content_sha256).where(transaction_.c.key == key)
    ).one_or_none()
    if found is None:
        return None
    if found.content_sha256 != content:
        raise Conflict(
            f"transaction {key} is posted with other content; what is posted stays:"
            " reverse it and post again under a new key"
        )
    return int(found.id)


def _id(connection: Connection, key: str | None) -> int | None:
    if key is None:
        return None
    found = connection.scalar(select(transaction_.c.id).where(transaction_.c.key == key))
    if found is None:
        raise NotFound(f"there is no transaction {key} to reverse or adjust")
    return int(found)
