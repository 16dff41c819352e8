"""Frozen shares: what part of each track each recording is owed, by whoever attributed it.

A provider may correct a track's shares: the new ones are its next version, and the highest holds.
Each version stands in a snapshot of its own, so what a month was closed with stays what it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from db import chain, schema, snapshots
from db.books.acts import record_done
from db.engine import Books, now, reading, writing
from db.intake.columns import Column, an_id, maybe_an_id
from db.intake.faults import printable
from db.intake.judging import judged, sound, where
from db.intake.names import resolved
from db.intake.receipt import Receipt
from db.intake.sheets import ROW, Sheet, make_sheet, read_sheet, with_cells
from royalty.division import PPB
from royalty.errors import BadInput, Conflict, Problem

_NUMBERS = ("share", "low", "high")
_MINE = ("provider", "track", "version")

_PPB = r"\d{1,10}"
_PPB_WORDS = "a whole number of parts per billion"
SHARES = (
    an_id("track"),
    maybe_an_id("recording", "what is unattributed"),
    Column(name="share_ppb", pattern=_PPB, words=_PPB_WORDS),
    Column(name="low_ppb", pattern=f"({_PPB})?", words=f"{_PPB_WORDS}, or empty"),
    Column(name="high_ppb", pattern=f"({_PPB})?", words=f"{_PPB_WORDS}, or empty"),
    an_id("provider", few=True),
)
_JUDGED = tuple(each for each in SHARES if each.name != "recording")  # that one, by the books


def record(  # noqa: PLR0913  what is stated, by whom, and how it is asked for
    books: Books,
    given: Path | pa.Table,
    *,
    provider: str | None = None,
    correct: bool = False,
    name: str | None = None,
    dry_run: bool = False,
) -> Receipt:
    """Record shares from a file or a table; `provider` names who made them, where they do not.

    A recording is named by id, alias or ISRC; what it may mean else is asked, never taken. Every
    track's shares, the unattributed part included, add up to 10⁹. Raises `BadInput`, and
    `Conflict` where a provider states a track's shares anew without meaning to `correct` them:
    those are kept as the track's next version, beside what months were closed with, as an act of
    `name`, if somebody is named.
    """
    with reading(books) as connection:
        named, unknown = resolved(
            connection, _sheet(given, provider), "recording", "recording", home=books.home
        )
    sheet = judged(named, _JUDGED, ("provider", "track", "recording"))
    counted = replace(sheet, table=_counted(sound(sheet, SHARES).table))
    faults = [*sheet.problems, *unknown, *_of_others(sheet, provider), *_out_of_order(counted)]
    if not sheet.problems:
        faults += _not_whole(counted)
    with writing(books, dry_run=dry_run) as connection:
        faults += _never_paid(connection, counted)
        if faults:
            raise BadInput(faults)
        tracks = _tracks(counted.table)
        new = list(_new(connection, tracks, correct=correct))
        encoded = _encoded(counted.table, new)
        if new:
            _enter(connection, encoded, new)
            record_done(connection, name, "imported", _corrected(new))
        if new and not dry_run:
            snapshots.keep(books.home, encoded)
    return Receipt(
        kind="shares",
        rows={"tracks": len(tracks), "shares": len(sheet.table)},
        snapshots=[encoded.snapshot.sha256] if new else [],
        already=not new,
        corrected=sum(track.version > 1 for track in new),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Track:
    """One track's shares, as a provider states them."""

    provider: str
    track: str
    version: int = 1  # 2, 3, …: stated anew
    content_sha256: str
    unattributed_ppb: int


def _sheet(given: Path | pa.Table, provider: str | None) -> Sheet:
    if isinstance(given, Path):
        sheet = read_sheet(given, SHARES)
    else:
        if provider is not None and "provider" not in given.column_names:
            given = given.append_column("provider", pa.nulls(len(given), pa.string()))
        sheet = make_sheet(f"shares of {provider or 'a table'}", given, SHARES)
    stated = sheet.table["provider"]
    filled = pc.if_else(pc.equal(stated, ""), provider or "", stated)
    return replace(sheet, table=with_cells(sheet.table, "provider", filled))


def _counted(texts: pa.Table) -> pa.Table:
    """Turn texts into numbers; a share without an interval is taken to be certain."""
    share = texts["share_ppb"].cast(pa.int64())
    numbers = {"share_ppb": share}
    for name in ("low_ppb", "high_ppb"):
        empty = pc.equal(texts[name], "")
        bound = pc.if_else(empty, texts["share_ppb"], texts[name]).cast(pa.int64())
        numbers[name] = bound
    others = {name: texts[name] for name in ("provider", "track", "recording", ROW)}
    return pa.table(others | numbers)


def _of_others(sheet: Sheet, provider: str | None) -> list[Problem]:
    if provider is None:
        return []
    other = pc.not_equal(sheet.table["provider"], provider)
    return where(sheet, other, "provider", f"is not {provider}, the provider asked for")


def _out_of_order(sheet: Sheet) -> list[Problem]:
    low, share, high = (sheet.table[f"{name}_ppb"] for name in ("low", "share", "high"))
    ordered = pc.and_(pc.less_equal(low, share), pc.less_equal(share, high))
    fine = pc.and_(ordered, pc.less_equal(high, PPB))
    message = f"is out of order: low <= share <= high <= {PPB} does not hold"
    return where(sheet, pc.invert(fine), "share_ppb", message)


def _not_whole(sheet: Sheet) -> Iterator[Problem]:
    """Find tracks whose shares do not add up to the whole."""
    sums = sheet.table.group_by(["provider", "track"])
    for each in sums.aggregate([("share_ppb", "sum"), (ROW, "min")]).to_pylist():
        off = each["share_ppb_sum"] - PPB
        if off:
            by = f"{off} too many" if off > 0 else f"{-off} too few; what is unattributed is a row"
            message = f"the shares of track {each['track']} add up to {off + PPB} ppb, {by}"
            yield sheet.fault(each[f"{ROW}_min"], "share_ppb", message)


def _never_paid(connection: Connection, sheet: Sheet) -> list[Problem]:
    """Find shares of recordings that are held back."""
    recording = schema.recording.c
    held_back = list(connection.scalars(select(recording.id).where(recording.placebo)))
    never = pc.is_in(sheet.table["recording"], value_set=pa.array(held_back, pa.string()))
    return where(sheet, never, "recording", "is a placebo, which nobody is paid for")


def _tracks(table: pa.Table) -> list[_Track]:
    keys = ["provider", "track", "recording"]
    rows = table.sort_by([(name, "ascending") for name in keys]).to_pylist()
    return [
        _track(provider, track, list(shares))
        for (provider, track), shares in groupby(rows, itemgetter("provider", "track"))
    ]


def _track(provider: str, track: str, rows: list[Mapping[str, Any]]) -> _Track:
    stated = [[row["recording"], *(row[f"{n}_ppb"] for n in _NUMBERS)] for row in rows]
    return _Track(
        provider=provider,
        track=track,
        content_sha256=chain.digest(stated),
        unattributed_ppb=sum(row["share_ppb"] for row in rows if not row["recording"]),
    )


def _new(connection: Connection, tracks: Iterable[_Track], *, correct: bool) -> Iterator[_Track]:
    """Find the tracks whose shares are not those that stand, each with the version it becomes."""
    for track in tracks:
        last, content = _standing(connection, track)
        if content == track.content_sha256:
            continue
        if last and not correct:
            raise Conflict(
                f"{printable(track.provider)} has stated other shares of track "
                f"{printable(track.track)} before; shares are frozen: 'tantieme shares import FILE "
                "--correct' keeps both and takes these from now on, or state them under another "
                "provider's name"
            )
        yield replace(track, version=last + 1)


def _corrected(tracks: Iterable[_Track]) -> Iterator[tuple[str, str]]:
    """Say of each provider how many tracks' shares it states anew."""
    anew = Counter(track.provider for track in tracks if track.version > 1)
    for provider, count in sorted(anew.items()):
        yield provider, f"corrected shares of {count:,} track{'s' * (count > 1)}"


def _standing(connection: Connection, track: _Track) -> tuple[int, str | None]:
    """Say which version of a provider's shares of a track stands, and its hash; 0 where none."""
    first, anew = schema.track_share.c, schema.corrected_share.c
    mine = (anew.provider == track.provider) & (anew.track == track.track)
    last = select(anew.version, anew.content_sha256).where(mine).order_by(anew.version.desc())
    found = connection.execute(last.limit(1)).one_or_none()
    if found is not None:
        return found.version, found.content_sha256
    mine = (first.provider == track.provider) & (first.track == track.track)
    content = connection.scalar(select(first.content_sha256).where(mine))
    return (0 if content is None else 1), content


def _encoded(table: pa.Table, tracks: Sequence[_Track]) -> snapshots.Encoded:
    """Write the shares of these tracks; in a snapshot, no recording is null."""
    texts = [(name, pa.string()) for name in ("provider", "track")]
    mine = pa.table(
        {name: [getattr(track, name) for track in tracks] for name in _MINE},
        schema=pa.schema([*texts, ("version", pa.int64())]),
    )
    rows = table.join(mine, keys=["provider", "track"], join_type="inner")
    nothing = pc.equal(rows["recording"], "")
    recording = pc.if_else(nothing, pa.scalar(None, pa.string()), rows["recording"])
    return snapshots.encode("shares", with_cells(rows, "recording", recording))


def _enter(connection: Connection, encoded: snapshots.Encoded, tracks: Sequence[_Track]) -> None:
    snapshots.register(connection, encoded.snapshot)
    entry = {"snapshot": encoded.snapshot.sha256, "recorded_at": now()}
    first = [track for track in tracks if track.version == 1]
    anew = [track for track in tracks if track.version > 1]
    for table, mine in ((schema.track_share, first), (schema.corrected_share, anew)):
        rows = [asdict(track) | entry for track in mine]
        kept = [{name: row[name] for name in row if name in table.c} for row in rows]
        if kept:
            connection.execute(table.insert(), kept)
