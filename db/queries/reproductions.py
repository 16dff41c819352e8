"""What a closed month posted, to be held against what it would post if it were divided again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from db import chain, roots, schema
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
    viewer: Viewer, books: Books, period: Period, anew: Iterable[Transaction], by: roots.Divided
) -> str | None:
    """Compute the root of a closed month with what it posted and its rows as they come out anew.

    None where the month was closed before there were roots.
    """
    viewer.require_all(f"the root of {period}")
    month, by_key = schema.period.c, {each.key: each for each in anew}
    version = select(month.root_version).where(month.id == str(period), month.root.is_not(None))
    with reading(books) as connection:
        found = connection.scalar(version)
        if found is None:
            return None
        postings = _leaves(connection, period, by_key)
        rows = None if found == roots.POSTINGS_ONLY else by
        return merkle.root(roots.leaves(connection, str(period), postings, rows))


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
