"""Restatements: a closed month divided again, its differences posted in the open one, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from db import chain, schema
from db.books.acts import Act, record_act
from db.books.ledger import post_within
from db.books.periods import open_period
from db.engine import Books, now, reading, today, writing
from db.queries.ledger import transactions
from royalty.ledger import Transaction, receivable_platform
from royalty.period import Period
from royalty.restatement import ADJUSTMENT, DIVIDED, Into, Moved, adjustments, is_of, moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """A closed month as it would be divided now."""

    period: Period
    wanted: Sequence[Transaction]  # what dividing it again would post
    before: str  # the allocations that hold
    snapshot: str | None  # those that would; None: they are not kept, in a rehearsal
    inputs: Mapping[str, Sequence[str]]  # all that decided, by kind
    memo: str  # what changed, and why it is adjusted
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """What adjusting a month did, or would do."""

    id: str | None  # 2026-10/1; None: nothing is kept
    posted_in: Period
    transactions: tuple[Transaction, ...]
    moved: tuple[Moved, ...]  # every account of the month


def restate(
    books: Books, restatement: Restatement, name: str, *, dry_run: bool = False
) -> Restated:
    """Post in the open month what a closed one comes to beyond what is posted for it.

    Where neither an amount nor a line that explains one differs, nothing is written. Raises
    `NotReady` where no month is closed.
    """
    with writing(books, dry_run=dry_run) as connection:
        period = open_period(connection)
        posted = posted_for(connection, restatement.period)
        into = Into(period=period, day=period.nearest(today()), memo=restatement.memo)
        made = adjustments(posted, restatement.wanted, into)
        id_ = None
        if restatement.snapshot is not None and (
            made or restatement.snapshot != restatement.before
        ):
            post_within(connection, made)
            id_ = _record(connection, restatement, period, name)
    accounts = tuple(moved(posted, restatement.wanted))
    return Restated(id=id_, posted_in=period, transactions=tuple(made), moved=accounts)


def posted_for(connection: Connection, period: Period) -> list[Transaction]:
    """Read what dividing a month posted, all adjustments of it, and all reversals of either.

    In the order of the chain.
    """
    keys, undoes = _keys(connection, period)
    return transactions(connection, schema.transaction_.c.id.in_(keys), undoes)


def rates_used(books: Books, period: Period) -> set[str]:
    """Name the rates of exchange at which what stands posted for a month was converted."""
    came: Counter[str] = Counter()
    with reading(books) as connection:
        posted = posted_for(connection, period)
    for each in (side for transaction in posted for side in transaction.postings):
        if each.fx_rate is not None and each.account == receivable_platform():
            came[each.fx_rate] += each.amount.micros
    return {rate for rate, micros in came.items() if micros}


def _keys(connection: Connection, period: Period) -> tuple[dict[int, str], dict[int, str]]:
    """Find a month's transactions: key by number, and the key of what each reversal undoes."""
    of = schema.transaction_.c
    heads = select(of.id, of.key, of.kind, of.reverses)
    kinds = of.kind.in_((*DIVIDED, ADJUSTMENT, "reversal"))
    keys: dict[int, str] = {}
    undoes: dict[int, str] = {}
    for row in connection.execute(heads.where(kinds).order_by(of.id)):
        if row.reverses in keys:
            undoes[row.id] = keys[row.reverses]
        if row.reverses in keys or is_of(period, row.key, row.kind):
            keys[row.id] = row.key
    return keys, undoes


def _record(connection: Connection, restatement: Restatement, posted_in: Period, name: str) -> str:
    month = schema.restatement.c
    mine = select(month.id).where(month.period == str(restatement.period))
    id_ = f"{restatement.period}/{len(connection.scalars(mine).all()) + 1}"
    row = {
        "period": str(restatement.period),
        "posted_in": str(posted_in),
        "snapshot": restatement.snapshot,
        "reason": restatement.memo,
    }
    inputs = sorted((sha256, kind) for kind, each in restatement.inputs.items() for sha256 in each)
    content = chain.digest([id_, row, inputs])
    entry = {"id": id_, "content_sha256": content, "recorded_at": now()}
    connection.execute(schema.restatement.insert(), row | entry)
    parts = [{"restatement": id_, "snapshot": sha256, "kind": kind} for sha256, kind in inputs]
    connection.execute(schema.restatement_input.insert(), parts)
    act = Act(
        name=name,
        act="adjusted",
        period=posted_in,
        subject=id_,
        content_sha256=content,
        note=restatement.reason,
    )
    record_act(connection, act)
    return id_
