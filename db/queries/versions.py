"""Which months were paid by which shares, and which training runs made their tracks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A month by a rule: the one that closed it or, while it is open, each it was computed by."""

    period: Period
    status: str  # open | closed
    rule: str
    provider: str  # whose shares
    tracks: Mapping[str, int]  # how many tracks of each run had money; '': of no run of ours


def versions(_viewer: Viewer, books: Books) -> list[VersionRow]:
    """List the months, the earliest first, with whose shares they were divided by."""
    month, paid = schema.period, schema.payout
    deciding = or_(month.c.status == "open", month.c.payout == paid.c.id)
    joined = select(paid, month.c.status).join(month, month.c.id == paid.c.period)
    with reading(books) as connection:
        tracks = _tracks(connection)
        rows = connection.execute(joined.where(deciding).order_by(paid.c.period, paid.c.rule))
        return [
            noun(VersionRow, row, period=Period.parse(row.period), tracks=tracks[row.id])
            for row in rows
        ]


def _tracks(connection: Connection) -> defaultdict[str, dict[str, int]]:
    """Count the tracks of each payout by the run that made them."""
    earned, track = schema.payout_track.c, schema.track.c
    counts = select(earned.payout, track.run, func.count()).outerjoin(
        schema.track, track.id == earned.track
    )
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for payout, run, count in connection.execute(counts.group_by(earned.payout, track.run)):
        found[payout][run or ""] = count
    return found
