"""Which shares hold: of each track, the highest version that is among those looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import pyarrow as pa
from ibis import BaseBackend, Table
from sqlalchemy import Select, func, select

from db import engines, schema, snapshots
from db.engine import Books, reading
from db.queries.viewer import Viewer
from royalty.errors import NotFound


def shares_in(
    viewer: Viewer,
    books: Books,
    provider: str,
    given: Sequence[str],
    engine: BaseBackend | None = None,
) -> Table:
    """Open a provider's shares as snapshots have them: of each track, those that hold.

    What was superseded is left out: a month that was closed with some snapshots has the versions
    that were the highest among these, whatever has been corrected since. Only for those who see
    all.
    """
    viewer.require_all("whose shares are which")
    rows = snapshots.table(books, "shares", given, engine)
    rows = rows.filter(rows.provider == provider)
    anew = corrected(viewer, books, provider, given)
    if anew:
        held = ibis.memtable(pa.table({"track": [*anew], "holds": [*anew.values()]}))
        rows = rows.left_join(held, "track").drop("track_right")
        rows = rows.filter(rows.version == rows.holds.fill_null(1)).drop("holds")
    return rows.drop("version")


def shares_now(
    viewer: Viewer, books: Books, *, provider: str | None = None, tracks: Sequence[str] = ()
) -> pa.Table:
    """Read the shares that hold now, of one provider or of some tracks where named; auditors only.

    In canonical order: by provider, track and recording; what is unattributed (null) comes last.
    Raises `NotFound` where nobody, or not that provider, gave shares of what is named.
    """
    viewer.require_all("the shares of tracks")
    engine = engines.connect()
    parts = [
        shares_in(viewer, books, each, given, engine)
        for each, given in _snapshots_now(books).items()
        if provider in (None, each)
    ]
    if not parts:
        whose = f" of '{provider}'" if provider else ""
        raise NotFound(f"no shares{whose} are here; run 'tantieme shares import FILE' first")
    rows = ibis.union(*parts)
    rows = rows.filter(rows.track.isin(tracks)) if tracks else rows
    order = (rows.provider, rows.track, rows.recording.isnull(), rows.recording)
    found = snapshots.run(rows.order_by(*order))
    missing = sorted(set(tracks) - set(found["track"].unique().to_pylist()))
    if missing:
        whose = f" of '{provider}'" if provider else ""
        raise NotFound(f"no shares{whose} are here of track {', '.join(missing)}")
    return found


def _snapshots_now(books: Books) -> dict[str, list[str]]:
    """Name the snapshots of shares that hold, by provider, in order."""
    held, found = standing().subquery().c, defaultdict(list)
    wanted = select(held.provider, held.snapshot).distinct()
    with reading(books) as connection:
        for row in connection.execute(wanted.order_by(held.provider, held.snapshot)):
            found[row.provider].append(row.snapshot)
    return dict(found)


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
