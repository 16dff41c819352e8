"""Which shares hold: of each track, the highest version that is among those looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import pyarrow as pa
from ibis import BaseBackend, Table
from sqlalchemy import Select, func, select

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.viewer import Viewer


def shares_in(
    _viewer: Viewer,
    books: Books,
    provider: str,
    given: Sequence[str],
    engine: BaseBackend | None = None,
) -> Table:
    """Open a provider's shares as snapshots have them: of each track, those that hold.

    What was superseded is left out: a month that was closed with some snapshots has the versions
    that were the highest among these, whatever has been corrected since.
    """
    rows = snapshots.table(books, "shares", given, engine)
    rows = rows.filter(rows.provider == provider)
    anew = corrected(_viewer, books, provider, given)
    if anew:
        held = ibis.memtable(pa.table({"track": [*anew], "holds": [*anew.values()]}))
        rows = rows.left_join(held, "track").drop("track_right")
        rows = rows.filter(rows.version == rows.holds.fill_null(1)).drop("holds")
    return rows.drop("version")


def corrected(
    _viewer: Viewer, books: Books, provider: str, given: Sequence[str]
) -> Mapping[str, int]:
    """Name the tracks that a provider stated anew in these snapshots, and which version holds."""
    anew, among = schema.corrected_share.c, frozenset(given)
    mine = select(anew.track, anew.version, anew.snapshot).where(anew.provider == provider)
    with reading(books) as connection:
        found = connection.execute(mine.order_by(anew.track, anew.version)).all()
    return {row.track: row.version for row in found if row.snapshot in among}


def standing() -> Select[Any]:
    """Select the shares that hold now: provider, track, version, snapshot and what is stated."""
    first, anew = schema.track_share, schema.corrected_share
    last = (
        select(anew.c.provider, anew.c.track, func.max(anew.c.version).label("version"))
        .group_by(anew.c.provider, anew.c.track)
        .subquery()
    )
    same = (first.c.provider == last.c.provider) & (first.c.track == last.c.track)
    this = (
        (anew.c.provider == last.c.provider)
        & (anew.c.track == last.c.track)
        & (anew.c.version == last.c.version)
    )
    stated = (
        func.coalesce(anew.c[name], first.c[name]).label(name)
        for name in ("snapshot", "unattributed_ppb", "recorded_at")
    )
    version = func.coalesce(anew.c.version, 1).label("version")
    joined = first.outerjoin(last, same).outerjoin(anew, this)
    return select(first.c.provider, first.c.track, version, *stated).select_from(joined)
