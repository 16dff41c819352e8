"""What a closed month posted, to be held against what it would post if it were divided again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from db import chain, schema
from db.engine import Books, reading
from db.queries.ledger import selected
from db.queries.viewer import Viewer
from royalty import merkle
from royalty.ledger import Transaction
from royalty.period import Period
from royalty.restatement import DIVIDED


def divided(viewer: Viewer, books: Books, period: Period) -> dict[str, str]:
    """Name the transactions by which a month was divided: key → the hash of what each says."""
    viewer.require_all(f"what {period} posted")
    of = schema.transaction_.c
    mine = select(of.key, of.content_sha256).where(of.period == str(period), of.kind.in_(DIVIDED))
    with reading(books) as connection:
        return dict(connection.execute(mine.order_by(of.id)).all())


def root_with(
    viewer: Viewer, books: Books, period: Period, anew: Iterable[Transaction]
) -> str | None:
    """Compute the Merkle root of a month with some of its transactions as they come out anew.

    None where the month was closed before there were roots.
    """
    viewer.require_all(f"the root of {period}")
    root = select(schema.period.c.root).where(schema.period.c.id == str(period))
    with reading(books) as connection:
        if connection.scalar(root) is None:
            return None
        by_key = {each.key: each for each in anew}
        return merkle.root(_leaves(connection, period, by_key))


def _leaves(
    connection: Connection, period: Period, anew: Mapping[str, Transaction]
) -> Iterator[bytes]:
    """Write the leaves of a month in the chain's order, those of some transactions anew."""
    mine = selected().where(schema.transaction_.c.period == str(period))
    rows = connection.execute(mine, execution_options={"yield_per": chain.AT_ONCE})
    for key, posted in groupby(rows, attrgetter("key")):
        yield from _anew(anew[key]) if key in anew else _as_posted(posted)


def _anew(transaction: Transaction) -> Iterator[bytes]:
    header = {
        name: getattr(transaction, name) for name in ("key", "kind", "period", "effective_on")
    }
    for line in chain.lines(transaction):
        yield chain.leaf(header, line)


def _as_posted(posted: Iterable[Row[Any]]) -> Iterator[bytes]:
    for row in posted:
        said = row._asdict()
        yield chain.leaf(said, said)
