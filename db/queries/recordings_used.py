"""Where a recording was used: the tracks it shaped in a month, and what it earned by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, Select, and_, or_, select

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.catalogue import RecordingRow, described, interested, kept_back
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from db.queries.windows import ROWS_MAX, Window, counted, named_like
from royalty.catalogue import Recording, Use
from royalty.errors import NotFound
from royalty.money import Money
from royalty.period import Period

ALL = Window()
USES: tuple[Use, ...] = ("training", "output")
_AS_SHARED = ("share_ppb", "low_ppb", "high_ppb")
_AMOUNTS = ["micros", "low_micros", "high_micros"]
_COLUMNS = ("pool", "track", "payee", "plays", *_AS_SHARED, *_AMOUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingsPage:
    """Some of the recordings that a viewer may see, and how many these are in all."""

    rows: tuple[RecordingRow, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """A track that a recording shaped, and what came of it in a month."""

    track: str
    title: str
    plays: int | None  # None to those who do not see all, and so below: few may have listened
    share_ppb: int
    low_ppb: int
    high_ppb: int
    amount: Money  # to those payees whom the viewer may see, and so below


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A recording in one month. `other` is what no track of its own earned: equal parts."""

    period: Period
    rule: str
    amount: Money  # by the tracks it shaped
    low: Money
    high: Money
    other: Money
    plays: int | None
    count: int  # of the tracks it shaped
    tracks: tuple[Shaped, ...]  # the most earning first, `ROWS_MAX` at most


def recordings_page(viewer: Viewer, books: Books, window: Window = ALL) -> RecordingsPage:
    """List some of the recordings by title: all, or those in which the viewer has an interest."""
    recording, party = schema.recording.c, schema.party.c
    columns = (recording.title, party.name, recording.isrc, recording.id)
    wanted = _visible(viewer).where(named_like(window.search, *columns))
    with reading(books) as connection:
        rows = connection.execute(window.of(wanted.order_by(recording.title, recording.id)))
        found = tuple(noun(RecordingRow, row, recording=noun(Recording, row)) for row in rows)
        return RecordingsPage(rows=found, count=counted(connection, wanted))


def recording(viewer: Viewer, books: Books, recording_id: str) -> RecordingRow:
    """Read one recording. Raises `NotFound`, too, where the viewer has no interest in it."""
    wanted = _visible(viewer).where(schema.recording.c.id == recording_id)
    with reading(books) as connection:
        row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(f"there is no recording '{recording_id}' that {viewer.name} may see")
    return noun(RecordingRow, row, recording=noun(Recording, row))


def used(viewer: Viewer, books: Books, recording_id: str, payout: str) -> Used:
    """Read what a recording was used for in the month of a payout, given by its id.

    Raises `NotFound` for a payout that is none, and for a recording that `recording` refuses.
    """
    recording(viewer, books, recording_id)
    with reading(books) as connection:
        wanted = select(schema.payout).where(schema.payout.c.id == payout)
        head = connection.execute(wanted).one_or_none()
        if head is None:
            raise NotFound(f"there is no payout '{payout}'; 'tantieme payouts' makes one")
        lines = _lines(books, head.snapshot, recording_id)
        found = _used(connection, head, lines, _paid(viewer, lines))
    return found if viewer.sees_all else _without_plays(found)


def not_to_be_used(
    viewer: Viewer, books: Books, recording_id: str, on: date
) -> Mapping[Use, str | None]:
    """Say of each use why a recording may not be put to it on a day; None where it may."""
    recording(viewer, books, recording_id)
    return {use: kept_back(viewer, books, use, on).get(recording_id) for use in USES}


def titles(viewer: Viewer, books: Books, recordings: Sequence[str]) -> dict[str, str]:
    """Read the titles of some recordings, by id: of all, or of those the viewer may see."""
    named = schema.recording.c
    these = (named.id.in_(recordings), interested(viewer))
    wanted = select(named.id, named.title).where(*these).order_by(named.id)
    with reading(books) as connection:
        return {row.id: row.title for row in connection.execute(wanted)}


def payees_of(viewer: Viewer, books: Books, recordings: Sequence[str]) -> dict[str, str]:
    """Name who is paid for some recordings, by id: all, or those among them whom a viewer sees."""
    interest, party = schema.interest.c, schema.party.c
    mine = select(schema.recording.c.work).where(schema.recording.c.id.in_(recordings))
    of = or_(
        and_(interest.subject == "recording", interest.subject_id.in_(recordings)),
        and_(interest.subject == "work", interest.subject_id.in_(mine)),
    )
    holders = select(interest.party).where(interest.recorded_to.is_(None), of)
    paid = select(party.payee).where(party.id.in_(holders))
    wanted = select(party.id, party.name).where(party.id.in_(paid)).order_by(party.name, party.id)
    with reading(books) as connection:
        return {row.id: row.name for row in connection.execute(wanted) if viewer.sees(row.id)}


def _visible(viewer: Viewer) -> Select[Any]:
    """Select the recordings that were trained on and that a viewer may see."""
    wanted = described().where(schema.recording.c.placebo.is_(False))
    return wanted.where(interested(viewer))


def _lines(books: Books, snapshot: str, recording_id: str) -> pa.Table:
    """Read a recording's allocations, and nothing else of the file."""
    return snapshots.matching(books, snapshot, _COLUMNS, recording=[recording_id])


def _paid(viewer: Viewer, lines: pa.Table) -> pa.Table:
    """Keep what goes to payees whom the viewer may see."""
    if viewer.parties is None:
        return lines.filter(pc.is_valid(lines["payee"]))
    return lines.filter(pc.is_in(lines["payee"], pa.array(sorted(viewer.parties), pa.string())))


def _used(connection: Connection, head: Row[Any], lines: pa.Table, paid: pa.Table) -> Used:
    def money(micros: int) -> Money:
        return Money(micros, head.currency)

    shaped = [each for each in lines.to_pylist() if each["track"]]
    own = [each for each in paid.to_pylist() if each["track"]]
    by_track: defaultdict[str, int] = defaultdict(int)
    for each in own:
        by_track[each["track"]] += each["micros"]
    plays, share = _plays(shaped), {each["track"]: each for each in shaped}
    ranked = sorted(share, key=lambda track: (-by_track[track], track))
    titles = _titles(connection, ranked[:ROWS_MAX])
    micros, low, high = (sum(each[name] for each in own) for name in _AMOUNTS)
    return Used(
        period=Period.parse(head.period),
        rule=head.rule,
        amount=money(micros),
        low=money(low),
        high=money(high),
        other=money(sum(paid["micros"].to_pylist()) - micros),
        plays=sum(plays.values()),
        count=len(ranked),
        tracks=tuple(
            Shaped(
                track=track,
                title=titles.get(track, track),
                plays=plays[track],
                amount=money(by_track[track]),
                **{name: share[track][name] for name in _AS_SHARED},
            )
            for track in ranked[:ROWS_MAX]
        ),
    )


def _without_plays(found: Used) -> Used:
    tracks = tuple(replace(track, plays=None) for track in found.tracks)
    return replace(found, plays=None, tracks=tracks)


def _plays(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count plays by track: in each pool once, however many parties its money went to."""
    counted_once = {(each["pool"], each["track"]): each["plays"] for each in lines}
    plays: defaultdict[str, int] = defaultdict(int)
    for (_, track), number in counted_once.items():
        plays[track] += number
    return dict(plays)


def _titles(connection: Connection, tracks: Sequence[str]) -> dict[str, str]:
    wanted = select(schema.track.c.id, schema.track.c.title).where(schema.track.c.id.in_(tracks))
    return dict(connection.execute(wanted).all())
