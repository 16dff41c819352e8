"""Which cells of a month so few listeners played that payees are not told their plays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import ibis
import pyarrow as pa
from sqlalchemy import Connection, select

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.people import access
from royalty.suppression import Cell, few_listeners

_Place = tuple[str, ...]  # of a pool: its source and, where these are told apart, its territory


def few(books: Books, payout: str, tracks: Iterable[str]) -> frozenset[Cell]:
    """Name the cells of these tracks that fewer than k listeners played, in a payout's month.

    `payout` is a payout's id. k is the workspace's; none are named where it has no `access.toml`,
    so that nobody can sign in.
    """
    listed, wanted = access(books.home), sorted(set(tracks) - {""})
    if listed is None or listed.k <= 1 or not wanted:
        return frozenset()
    with reading(books) as connection:
        by, usage = _told_apart_by(connection, payout), _usage(connection, payout)
        pools = _pools(connection, payout, by)
    counted = {
        (row["track"], pools[place]): row["listeners"]
        for row in _listeners(books, usage, wanted, by).to_pylist()
        if (place := tuple(row[name] for name in by)) in pools
    }
    return few_listeners(counted, listed.k)


def _listeners(
    books: Books, usage: Sequence[str], tracks: Sequence[str], by: Sequence[str]
) -> pa.Table:
    """Count who played these tracks: track, what tells pools apart, listeners."""
    these = ibis.memtable(pa.table({"track": pa.array(tracks, pa.string())}))
    rows = snapshots.table(books, "usage", usage).semi_join(these, "track")
    played = rows.filter(rows.plays > 0)
    counts = played.group_by("track", *by).agg(listeners=played.listener.nunique())
    return snapshots.run(counts)


def _told_apart_by(connection: Connection, payout: str) -> Sequence[str]:
    """Say what told a payout's pools apart; before payouts kept their settings that was both."""
    head = schema.payout.c
    kept = connection.scalar(select(head.settings).where(head.id == payout))
    both = kept is None or json.loads(kept).get("pool_by_territory", True)
    return ["source", "territory"] if both else ["source"]


def _usage(connection: Connection, payout: str) -> list[str]:
    """Name the snapshots of the usage that a payout was computed from."""
    part = schema.payout_input.c
    mine = select(part.snapshot).where(part.payout == payout, part.kind == "usage")
    return list(connection.scalars(mine.order_by(part.snapshot)))


def _pools(connection: Connection, payout: str, by: Sequence[str]) -> Mapping[_Place, str]:
    pool = schema.payout_pool
    rows = connection.execute(select(pool).where(pool.c.payout == payout))
    return {tuple(getattr(row, name) for name in by): row.id for row in rows}
