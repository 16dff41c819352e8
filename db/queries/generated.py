"""Tracks, and the recordings that shaped them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc
from sqlalchemy import Connection, Row, Select, func, select, true, union

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.catalogue import described, interested
from db.queries.nouns import noun
from db.queries.shares import standing
from db.queries.viewer import Viewer
from db.queries.windows import Window, counted, named_like
from royalty.errors import NotFound
from royalty.money import Money

ALL = Window()
_Earned = Mapping[str, int | None]  # micros by track, in the order of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """A generated track. One that only shares or usage name has its id for a title."""

    id: str
    title: str
    run: str | None
    seed: int | None
    duration_ms: int | None
    audio_sha256: str | None
    plays: (
        int | None
    )  # in the month asked for or the latest; None, too, to those who do not see all
    unattributed_ppb: int | None  # None: nobody has attributed it
    earned: Money | None = None  # in a month asked for: what of it the viewer may see


@dataclass(frozen=True, slots=True, kw_only=True)
class TracksPage:
    """Some of the tracks, and how many there are in all."""

    rows: tuple[TrackRow, ...]
    count: int


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


def tracks(viewer: Viewer, books: Books) -> list[TrackRow]:
    """List the tracks, in order of their ids."""
    with reading(books) as connection:
        plays = _plays(connection) if viewer.sees_all else {}
        rows = connection.execute(_tracks(_known()))
        return [_track_row(row, plays=plays.get(row.track_id)) for row in rows]


def tracks_page(
    viewer: Viewer, books: Books, payout: str | None, window: Window = ALL
) -> TracksPage:
    """List some of the tracks: those that a payout counts, the most earning first, or all by id.

    `payout` is a payout's id. To those who do not see all, a payout's tracks are those they
    earned by, and what these earned is their own part.
    """
    with reading(books) as connection:
        if payout is None:
            found, count = _named(connection, window)
            return TracksPage(rows=_rows_of(viewer, connection, found), count=count)
        head = connection.execute(
            select(schema.payout).where(schema.payout.c.id == payout)
        ).one_or_none()
        if head is None:
            raise NotFound(f"there is no payout '{payout}'; 'tantieme payouts' makes one")
        if viewer.sees_all:
            found, count = _earning(connection, head, window)
        else:
            found, count = _earning_mine(connection, head, _own(viewer, books, head), window)
        return TracksPage(rows=_rows_of(viewer, connection, found, head), count=count)


def track(viewer: Viewer, books: Books, track_id: str) -> TrackDetail:
    """Read one track with its shares: all, or those of the viewer's recordings.

    Raises `NotFound`.
    """
    with reading(books) as connection:
        row = connection.execute(_tracks(_known([track_id]))).one_or_none()
        if row is None:
            raise NotFound(f"there is no track '{track_id}'; 'tantieme generate' makes some")
        plays = _plays(connection, [track_id]).get(track_id) if viewer.sees_all else None
    return _detail(viewer, books, _track_row(row, plays=plays))


def _detail(viewer: Viewer, books: Books, row: TrackRow) -> TrackDetail:
    stated = standing().subquery().c
    latest = select(stated.provider, stated.snapshot).where(stated.track == row.id)
    with reading(books) as connection:
        found = connection.execute(
            latest.order_by(stated.recorded_at.desc(), stated.provider).limit(1)
        ).one_or_none()
        if found is None:
            return TrackDetail(row=row, shares=(), unattributed=None, provider=None, snapshot=None)
    mine = {"track": [row.id], "provider": [found.provider]}
    rows = snapshots.matching(books, found.snapshot, **mine).to_pylist()
    known = _described(viewer, books, [each["recording"] for each in rows])
    seen = (each for each in rows if each["recording"] is None or each["recording"] in known)
    shares = [_share_row(each, known) for each in seen]
    return TrackDetail(
        row=row,
        shares=tuple(sorted((s for s in shares if s.recording), key=_largest_first)),
        unattributed=next((share for share in shares if not share.recording), _NOTHING),
        provider=found.provider,
        snapshot=found.snapshot,
    )


def _described(
    viewer: Viewer, books: Books, recordings: Sequence[str | None]
) -> dict[str, Row[Any]]:
    """Find these recordings, but for those that a viewer may not see."""
    these = schema.recording.c.id.in_([*filter(None, recordings)])
    wanted = described().where(these, interested(viewer))
    with reading(books) as connection:
        return {each.id: each for each in connection.execute(wanted)}


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


def _known(among: Sequence[str] | None = None) -> Select[Any]:
    """Select the ids of all tracks that anything names, or of some of them."""
    named = (schema.track.c.id, schema.track_share.c.track, schema.payout_track.c.track)
    parts = (
        select(each.label("id")).where(true() if among is None else each.in_(among))
        for each in named
    )
    return select(union(*parts).subquery().c.id)


def _tracks(known: Select[Any], provider: str | None = None) -> Select[Any]:
    """Select tracks by their ids, with what any provider, or one, leaves unattributed."""
    track, share, some = schema.track, standing().subquery(), known.subquery()
    certain = select(share.c.track, func.min(share.c.unattributed_ppb).label("unattributed_ppb"))
    if provider is not None:
        certain = certain.where(share.c.provider == provider)
    certain = certain.where(share.c.track.in_(select(some.c.id)))
    stated = certain.group_by(share.c.track).subquery()
    return (
        select(some.c.id.label("track_id"), track, stated.c.unattributed_ppb)
        .outerjoin(track, track.c.id == some.c.id)
        .outerjoin(stated, stated.c.track == some.c.id)
        .order_by(some.c.id)
    )


def _track_row(row: Row[Any], **facts: object) -> TrackRow:
    return noun(
        TrackRow,
        row,
        **{"id": row.track_id, "title": row.title or row.track_id, "earned": None, **facts},
    )


def _plays(
    connection: Connection, among: Sequence[str] | None = None, payout: str | None = None
) -> dict[str, int]:
    """Count the plays of tracks in a payout.

    Without one it is the latest period's that has any; any rule's, since they count alike.
    """
    head, paid = schema.payout.c, schema.payout_track.c
    latest = select(head.id).order_by(head.period.desc()).limit(1)
    plays = select(paid.track, paid.plays).where(
        paid.payout == (payout or latest.scalar_subquery()),
        true() if among is None else paid.track.in_(among),
    )
    return dict(connection.execute(plays).all())


def _named(connection: Connection, window: Window) -> tuple[_Earned, int]:
    """Find a page of all tracks."""
    known, track = _known().subquery(), schema.track
    wanted = select(known.c.id).outerjoin(track, track.c.id == known.c.id)
    wanted = wanted.where(named_like(window.search, known.c.id, track.c.title))
    ids = connection.scalars(window.of(wanted.order_by(known.c.id)))
    return dict.fromkeys(ids), counted(connection, wanted)


def _earning(connection: Connection, head: Row[Any], window: Window) -> tuple[_Earned, int]:
    """Find a page of the tracks of a payout, the most earning first."""
    paid, track = schema.payout_track, schema.track
    wanted = select(paid.c.track, paid.c.micros).where(paid.c.payout == head.id)
    if window.search:
        wanted = wanted.outerjoin(track, track.c.id == paid.c.track)
        wanted = wanted.where(named_like(window.search, paid.c.track, track.c.title))
    rows = connection.execute(window.of(wanted.order_by(paid.c.micros.desc(), paid.c.track)))
    return dict(rows.all()), counted(connection, wanted)


def _own(viewer: Viewer, books: Books, head: Row[Any]) -> dict[str, int]:
    """Sum what a payout gives a viewer's parties by each track."""
    rows = snapshots.matching(books, head.snapshot, ("track", "micros"), payee=viewer.parties or ())
    rows = rows.filter(pc.not_equal(rows["track"], ""))
    sums = rows.group_by("track").aggregate([("micros", "sum")])
    return dict(zip(*(sums[name].to_pylist() for name in ("track", "micros_sum")), strict=True))


def _earning_mine(
    connection: Connection, head: Row[Any], own: Mapping[str, int], window: Window
) -> tuple[_Earned, int]:
    """Find a page of the tracks that a viewer earned by, the most earning first."""
    paid, track = schema.payout_track, schema.track
    wanted = select(paid.c.track).where(paid.c.payout == head.id)
    wanted = wanted.outerjoin(track, track.c.id == paid.c.track)
    like = wanted.where(named_like(window.search, paid.c.track, track.c.title))
    among = own.keys() & set(connection.scalars(like)) if window.search else own.keys()
    ranked = sorted(among, key=lambda each: (-own[each], each))
    page = ranked[window.offset : window.offset + window.limit]
    return {each: own[each] for each in page}, len(ranked)


def _rows_of(
    viewer: Viewer, connection: Connection, found: _Earned, head: Row[Any] | None = None
) -> tuple[TrackRow, ...]:
    """Describe the tracks of a page, in its order."""
    known = _known([*found])
    provider = None if head is None else head.provider
    described = {row.track_id: row for row in connection.execute(_tracks(known, provider))}
    payout = None if head is None else head.id
    plays = _plays(connection, [*found], payout) if viewer.sees_all else {}
    return tuple(
        _track_row(
            described[each],
            plays=plays.get(each),
            earned=None if head is None else Money(int(micros or 0), head.currency),
        )
        for each, micros in found.items()
    )
