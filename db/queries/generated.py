"""Tracks, and the recordings that shaped them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc
from sqlalchemy import Connection, Row, Select, func, select, union

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.catalogue import described
from db.queries.nouns import noun
from db.queries.shares import standing
from db.queries.viewer import Viewer
from royalty.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """A generated track. One that only shares or usage name has its id for a title."""

    id: str
    title: str
    run: str | None
    seed: int | None
    duration_ms: int | None
    audio_sha256: str | None
    plays: int | None  # in the latest period with a payout
    unattributed_ppb: int | None  # None: nobody has attributed it


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """One recording's share of a track; or, without a recording, what is unattributed."""

    recording: str
    title: str
    artist: str
    artist_name: str
    work: str
    audio_sha256: str | None
    ppb: int
    low_ppb: int
    high_ppb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackDetail:
    """A track and its shares, the largest first."""

    row: TrackRow
    shares: tuple[ShareRow, ...]
    unattributed: ShareRow | None  # None: nobody has attributed it
    provider: str | None
    snapshot: str | None  # where the shares stand


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A training run, and the hash of the card that tells the whole of it."""

    id: str
    card_sha256: str


def runs(_viewer: Viewer, books: Books) -> list[RunRow]:
    """List the training runs, in order of their ids."""
    with reading(books) as connection:
        rows = connection.execute(select(schema.run).order_by(schema.run.c.id))
        return [noun(RunRow, row) for row in rows]


def tracks(_viewer: Viewer, books: Books) -> list[TrackRow]:
    """List the tracks, in order of their ids."""
    with reading(books) as connection:
        plays = _plays(connection)
        return [
            noun(
                TrackRow,
                row,
                id=row.track_id,
                title=row.title or row.track_id,
                plays=plays.get(row.track_id),
            )
            for row in connection.execute(_tracks())
        ]


def track(viewer: Viewer, books: Books, track_id: str) -> TrackDetail:
    """Read one track with its shares. Raises `NotFound`."""
    for row in tracks(viewer, books):
        if row.id == track_id:
            return _detail(books, row)
    raise NotFound(f"there is no track '{track_id}'; 'tantieme generate' makes some")


def _detail(books: Books, row: TrackRow) -> TrackDetail:
    stated = standing().subquery().c
    latest = select(stated.provider, stated.snapshot).where(stated.track == row.id)
    with reading(books) as connection:
        found = connection.execute(
            latest.order_by(stated.recorded_at.desc(), stated.provider).limit(1)
        ).one_or_none()
        if found is None:
            return TrackDetail(row=row, shares=(), unattributed=None, provider=None, snapshot=None)
        known = {each.id: each for each in connection.execute(described())}
    table = snapshots.read(books, found.snapshot)
    mine = pc.and_(pc.equal(table["track"], row.id), pc.equal(table["provider"], found.provider))
    shares = [_share_row(each, known) for each in table.filter(mine).to_pylist()]
    return TrackDetail(
        row=row,
        shares=tuple(sorted((s for s in shares if s.recording), key=_largest_first)),
        unattributed=next((share for share in shares if not share.recording), _NOTHING),
        provider=found.provider,
        snapshot=found.snapshot,
    )


_NOTHING = ShareRow(
    recording="",
    title="Unattributed",
    artist="",
    artist_name="",
    work="",
    audio_sha256=None,
    ppb=0,
    low_ppb=0,
    high_ppb=0,
)


def _share_row(share: dict[str, Any], known: dict[str, Row[Any]]) -> ShareRow:
    bounds = {name: share[name] for name in ("low_ppb", "high_ppb")}
    if share["recording"] is None:
        return replace(_NOTHING, ppb=share["share_ppb"], **bounds)
    recording = known[share["recording"]]
    return noun(ShareRow, recording, recording=recording.id, ppb=share["share_ppb"], **bounds)


def _largest_first(share: ShareRow) -> tuple[int, str]:
    return (-share.ppb, share.recording)


def _tracks() -> Select[Any]:
    track, share, paid = schema.track, standing().subquery(), schema.payout_track
    known = union(select(track.c.id), select(share.c.track), select(paid.c.track)).subquery()
    certain = select(share.c.track, func.min(share.c.unattributed_ppb).label("unattributed_ppb"))
    stated = certain.group_by(share.c.track).subquery()
    return (
        select(known.c.id.label("track_id"), track, stated.c.unattributed_ppb)
        .outerjoin(track, track.c.id == known.c.id)
        .outerjoin(stated, stated.c.track == known.c.id)
        .order_by(known.c.id)
    )


def _plays(connection: Connection) -> dict[str, int]:
    """Count plays in the latest period that has a payout; any rule's, since they count alike."""
    latest = connection.scalar(
        select(schema.payout.c.id).order_by(schema.payout.c.period.desc()).limit(1)
    )
    counted = schema.payout_track.c
    plays = select(counted.track, counted.plays).where(counted.payout == latest)
    return dict(connection.execute(plays).all())
