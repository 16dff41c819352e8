"""Who played one track most in a month: for auditors only, and under pseudonyms."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import ibis
from ibis import Table, _
from sqlalchemy import select

from db import engines, schema, snapshots
from db.engine import Books, reading
from db.queries.months import Inputs, inputs
from db.queries.viewer import Viewer
from royalty.errors import NotReady
from royalty.money import Money
from royalty.period import Period

LISTED_MAX = 1_000  # listeners given at once
_DIGITS = 12  # of a pseudonym
_KEY = ("listener", "track")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What one listener played in a month, and the track that they played most.

    A reason to look, and never proof: whoever loves a track looks the same from here.
    """

    pseudonym: str  # the same in every month of a workspace, and in no other workspace
    plays: int
    tracks: int  # that they played
    of_plays: int  # all plays of the month
    track: str  # the one they played most
    track_plays: int  # theirs, of that track
    of_track_plays: int  # everybody's, of that track
    fees: tuple[Money, ...]  # what they paid, by currency


def heaviest(
    viewer: Viewer,
    books: Books,
    period: Period,
    *,
    limit: int = 20,
    engine: str = "duckdb",
) -> list[Listener]:
    """List a month's listeners, those first who played any one track most.

    Usage that came late is left out. Raises `NotFound` for viewers who may not see listeners,
    `NotReady` where there is no usage.
    """
    viewer.require_listeners("who listened")
    came = inputs(viewer, books, period)
    if not came.usage:
        raise NotReady(f"period {period} has no usage; run 'tantieme usage import FILE'")
    usage = snapshots.table(books, "usage", came.usage, engines.connect(engine))
    plays = usage.filter(usage.period == str(period)).group_by(_KEY).agg(plays=usage.plays.sum())
    found = snapshots.run(_most(plays, min(max(limit, 0), LISTED_MAX))).to_pylist()
    fees = _fees(books, period, came, [row["listener"] for row in found], engine)
    salt = _salt(books)
    return [_listener(row, fees, salt) for row in found]


def pseudonyms(viewer: Viewer, books: Books, listeners: Collection[str]) -> dict[str, str]:
    """Give listeners the names under which `heaviest` lists them.

    Raises `NotFound` for viewers who may not see listeners.
    """
    viewer.require_listeners("who listened")
    salt = _salt(books) if listeners else b""
    return {name: _pseudonym(name, salt) for name in listeners}


def _most(plays: Table, limit: int) -> Table:
    """Give each listener one row, with the track that they played most."""
    both = plays.mutate(
        of_track_plays=plays.plays.sum().over(group_by="track"),
        all_plays=plays.plays.sum().over(group_by="listener"),
        tracks=plays.plays.count().over(group_by="listener"),
        of_plays=plays.plays.sum().over(ibis.window()),
        place=ibis.row_number().over(group_by="listener", order_by=(ibis.desc("plays"), "track")),
    )
    first = both.filter((both.place == 0) & (both.plays > 0))
    return first.order_by(_.plays.desc(), _.listener).limit(limit)


def _fees(
    books: Books, period: Period, came: Inputs, listeners: list[str], engine: str
) -> dict[str, tuple[Money, ...]]:
    """Sum what these listeners paid in the month, by currency."""
    rows = snapshots.table(books, "revenue", came.revenue, engines.connect(engine))
    mine = rows.filter((rows.period == str(period)) & rows.listener.isin(listeners))
    by = ("listener", "currency")
    sums = mine.group_by(by).agg(micros=mine.net_micros.sum()).order_by(by)
    paid: dict[str, tuple[Money, ...]] = dict.fromkeys(listeners, ())
    for row in snapshots.run(sums).to_pylist():
        paid[row["listener"]] += (Money(int(row["micros"]), row["currency"]),)
    return paid


def _listener(row: dict[str, Any], fees: dict[str, tuple[Money, ...]], salt: bytes) -> Listener:
    name = row["listener"]
    return Listener(
        pseudonym=_pseudonym(name, salt),
        plays=int(row["all_plays"]),
        tracks=row["tracks"],
        of_plays=int(row["of_plays"]),
        track=row["track"],
        track_plays=int(row["plays"]),
        of_track_plays=int(row["of_track_plays"]),
        fees=fees[name],
    )


def _pseudonym(listener: str, salt: bytes) -> str:
    return hmac.new(salt, listener.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def _salt(books: Books) -> bytes:
    """Name the first usage that ever came in: of this workspace alone, and it never goes away.

    Whoever holds the workspace's files can undo a pseudonym; nobody else can.
    """
    known = schema.snapshot.c
    usage = select(known.sha256).where(known.kind == "usage")
    with reading(books) as connection:
        first = connection.scalars(usage.order_by(known.recorded_at, known.sha256)).first()
    assert first is not None, "there is usage without a snapshot"
    return str(first).encode()
