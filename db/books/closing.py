"""Closing a period: everything it owes is posted and nothing more comes in, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from db import schema
from db.books.ledger import chain_head, post_within
from db.engine import Books, now, writing
from royalty.errors import NotReady, PeriodClosed
from royalty.ledger import Transaction
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A closed period: its transactions and the chain's hash when it closed."""

    already: bool  # it was closed by this rule before; nothing changed
    transactions: tuple[int, ...]
    chain_head: str


def close(
    books: Books,
    period: Period,
    rule: str,
    transactions: Sequence[Transaction],
    payout_id: str,
) -> Closing:
    """Post a period's transactions and close it with a rule, or change nothing.

    Raises `PeriodClosed` where another rule closed it, `NotReady` where that payout is not the
    one computed from what is in the books now.
    """
    with writing(books) as connection:
        found = connection.execute(select(schema.period).where(schema.period.c.id == str(period)))
        row = found.one_or_none()
        if row is not None and row.status == "closed":
            return _already(connection, row, rule)
        _require_payout(connection, period, rule, payout_id)
        ids = tuple(post_within(connection, transactions))
        _, head = chain_head(connection)
        closed = {"status": "closed", "rule": rule, "payout": payout_id, "chain_head": head}
        this = schema.period.update().where(schema.period.c.id == str(period))
        connection.execute(this.values(closed | {"closed_at": now()}))
    return Closing(already=False, transactions=ids, chain_head=head)


def _already(connection: Connection, row: Row[Any], rule: str) -> Closing:
    if row.rule != rule:
        raise PeriodClosed(
            f"period {row.id} is closed, with {row.rule}; it cannot be closed again with {rule}"
        )
    mine = select(schema.transaction_.c.id).where(schema.transaction_.c.period == row.id)
    ids = tuple(connection.scalars(mine.order_by(schema.transaction_.c.id)))
    return Closing(already=True, transactions=ids, chain_head=row.chain_head)


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
    here = set(connection.scalars(select(came.snapshot).where(came.period == str(period))))
    if set(connection.scalars(mine.where(used.kind.in_(("usage", "revenue"))))) != here:
        raise NotReady(f"usage or revenue of period {period} came in since its payout; {again}")
    looked_at = set(connection.scalars(mine.where(used.kind == "history")))
    earlier = came.period.in_(map(str, period.year_before)) & (came.kind == "usage")
    if looked_at and looked_at != set(connection.scalars(select(came.snapshot).where(earlier))):
        raise NotReady(f"usage of months before {period} came in since its payout; {again}")
