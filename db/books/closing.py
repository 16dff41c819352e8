"""Closing a period: everything it owes is posted and nothing more comes in, in one transaction.

Months close in order. One that closes gets its Merkle root (`db.roots`), and the next begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, or_, select

from db import chain, roots, schema
from db.books.acts import Act, record_act
from db.books.approvals import require_approved
from db.books.ledger import chain_head, post_within
from db.books.periods import begin, last_closed
from db.engine import Books, now, reading, writing
from db.queries.came import counts
from royalty import merkle
from royalty.errors import NotReady, PeriodClosed
from royalty.ledger import Transaction
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A closed period: its transactions, the chain's hash when it closed, and its root."""

    already: bool  # it was closed by this rule before; nothing changed
    transactions: tuple[int, ...]
    chain_head: str
    root: str | None  # None: it closed before there were roots


def close(  # noqa: PLR0913  what is closed, with what, and by whom
    books: Books,
    period: Period,
    rule: str,
    transactions: Sequence[Transaction],
    payout_id: str,
    *,
    name: str = "",
    approval: bool = False,
    after: int | None = None,
    engine: str = "duckdb",
) -> Closing:
    """Post a period's transactions and close it with a rule, or change nothing.

    `engine` reads what the period was divided into, which its root is over, too. Raises
    `PeriodClosed` where another rule closed it or a later month is closed, `NotReady` where an
    earlier month with money in it is open, where that payout is not the one computed from what is
    in the books now, where something was posted since the transaction `after`, and, with
    `approval`, where nobody else than `name` and who prepared it approved the payout as it stands.
    """
    with writing(books) as connection:
        row = _row(connection, period)
        if row is not None and row.status == "closed":
            return _already(connection, row, rule)
        _require_turn(connection, period)
        _require_payout(connection, period, rule, payout_id)
        if after not in (None, chain_head(connection)[0]):
            raise NotReady(f"something was posted while {period} was divided; close it again")
        if approval:
            require_approved(connection, period, rule, name)
        ids = tuple(post_within(connection, transactions))
        by = roots.divided(books, connection, payout_id, engine)
        closing = _sealed(connection, period, ids, by)
        _mark(connection, period, rule, payout_id, closing)
        _record(connection, period, rule, payout_id, name)
        begin(connection, period.next)
    return closing


def require_closable(
    books: Books, period: Period, rule: str, *, name: str = "", approval: bool = False
) -> None:
    """Refuse what `close` refuses that can be known before the period is divided.

    That is all but what comes of the division itself, if the payout in the books is current.
    """
    with reading(books) as connection:
        row = _row(connection, period)
        if row is not None and row.status == "closed":
            _require_rule(row, rule)
            return
        _require_turn(connection, period)
        if approval:
            require_approved(connection, period, rule, name)


def _row(connection: Connection, period: Period) -> Row[Any] | None:
    found = connection.execute(select(schema.period).where(schema.period.c.id == str(period)))
    return found.one_or_none()


def _sealed(
    connection: Connection, period: Period, ids: tuple[int, ...], by: roots.Divided
) -> Closing:
    """Read what the period is closed with off its postings, the closing's among them."""
    _, head = chain_head(connection)
    postings = chain.leaves(connection, str(period))
    root = merkle.root(roots.leaves(connection, str(period), postings, by))
    return Closing(already=False, transactions=ids, chain_head=head, root=root)


def _mark(
    connection: Connection, period: Period, rule: str, payout_id: str, closing: Closing
) -> None:
    closed = {"status": "closed", "rule": rule, "payout": payout_id, "closed_at": now()}
    sealed = {"chain_head": closing.chain_head, "root": closing.root}
    this = schema.period.update().where(schema.period.c.id == str(period))
    connection.execute(this.values(closed | sealed | {"root_version": roots.VERSION}))


def _record(connection: Connection, period: Period, rule: str, payout_id: str, name: str) -> None:
    head = schema.payout.c
    content = connection.scalar(select(head.content_sha256).where(head.id == payout_id))
    act = Act(name=name, act="closed", period=period, subject=rule, content_sha256=content)
    record_act(connection, act)


def _already(connection: Connection, row: Row[Any], rule: str) -> Closing:
    _require_rule(row, rule)
    mine = select(schema.transaction_.c.id).where(schema.transaction_.c.period == row.id)
    ids = tuple(connection.scalars(mine.order_by(schema.transaction_.c.id)))
    return Closing(already=True, transactions=ids, chain_head=row.chain_head, root=row.root)


def _require_rule(row: Row[Any], rule: str) -> None:
    if row.rule != rule:
        raise PeriodClosed(
            f"period {row.id} is closed, with {row.rule}; it cannot be closed again with {rule}"
        )


def _require_turn(connection: Connection, period: Period) -> None:
    """Refuse to close out of order; an earlier month with nothing in it may be passed over."""
    last = last_closed(connection)
    if last is not None and last > period:
        raise PeriodClosed(
            f"period {last} is closed, and months close in order, so {period} cannot be closed any"
            f" more; what is to be paid of it has to come in for {last.next}"
        )
    month, came = schema.period.c, schema.period_revenue.c
    money = or_(
        exists().where(came.period == month.id, counts(schema.period_revenue)),
        exists().where(schema.transaction_.c.period == month.id),
    )
    earlier = select(month.id).where(month.id < str(period), month.status == "open", money)
    waits = connection.scalar(earlier.order_by(month.id).limit(1))
    if waits is not None:
        raise NotReady(
            f"period {waits} is open and has money in it, and months close in order;"
            f" run 'tantieme close {waits}' first, with --without-money where nothing came in"
        )


def _require_payout(connection: Connection, period: Period, rule: str, payout_id: str) -> None:
    payout = schema.payout.c
    known = select(payout.id).where(payout.period == str(period), payout.rule == rule)
    again = f"run 'tantieme payouts {period} --rule {rule.replace('_', '-')}' first"
    if connection.scalar(known) != payout_id:
        raise NotReady(
            f"no payout {payout_id} is computed for period {period} with {rule}; {again}"
        )
    used, came = schema.payout_input.c, schema.period_input.c
    mine = select(used.snapshot).where(used.payout == payout_id)
    standing = select(came.snapshot).where(counts(schema.period_input))
    here = set(connection.scalars(standing.where(came.period == str(period))))
    if set(connection.scalars(mine.where(used.kind.in_(("usage", "revenue"))))) != here:
        raise NotReady(
            f"usage or revenue of period {period} came in since its payout, or was withdrawn;"
            f" {again}"
        )
    looked_at = set(connection.scalars(mine.where(used.kind == "history")))
    earlier = came.period.in_(map(str, period.year_before)) & (came.kind == "usage")
    if looked_at and looked_at != set(connection.scalars(standing.where(earlier))):
        raise NotReady(f"usage of months before {period} came in since its payout; {again}")
