"""Gather what one payee's statement rests on, and write it as an evidence pack."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from attribution.files import file_sha256, write_whole
from cli.jobs.evidence import is_ours, read_paying
from cli.jobs.evidence_clips import (
    CLIP_MS,
    CLIPS,
    clip,
    meetings,
    passage_clips,
    strongest,
)
from cli.jobs.evidence_quality import measured
from cli.workspace import Workspace
from db import queries, snapshots
from db.queries import EVERYONE, Books, Payout, TrackRow
from db.queries.proofs import proofs
from royalty.errors import Conflict
from royalty.period import Period
from royalty.reports.evidence_pack import Contents, Found, evidence_pack
from royalty.statement import Statement

Json = dict[str, Any]
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A statement, the division that it is of, and what of it is the payee's own."""

    workspace: Workspace
    books: Books
    statement: Statement
    paid: Payout
    tracks: tuple[str, ...]  # that the lines are of, those that brought most first
    own: frozenset[str]  # recordings

    @property
    def ours(self) -> bool:
        """Whether the shares were found here, and not imported."""
        return is_ours(self.paid.provider)


def write_pack(workspace: Workspace, period: Period, payee: str, path: Path) -> Path:
    """Write the evidence pack of a payee and a closed month to a file; return the file.

    The same books and files give the same bytes. Raises `PeriodNotClosed`, `NotFound` where there
    is no such payee, nothing was owed to it, or the evidence that was paid by is gone, `NotReady`
    where the month's root proves no account, and `Conflict` where the books or a run's card are
    not what they were.
    """
    content = evidence_pack(_gathered(workspace, period, payee))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    return path


def _gathered(workspace: Workspace, period: Period, payee: str) -> Contents:
    books = workspace.books()
    statement = queries.statement(EVERYONE, books, payee, period)
    paid = queries.payout(EVERYONE, books, period, statement.rule)
    behind = Behind(
        workspace=workspace,
        books=books,
        statement=statement,
        paid=paid,
        tracks=_tracks(statement),
        own=frozenset(line.recording for line in statement.lines if line.recording),
    )
    documents = dict(_documents(behind))
    pools = {line.pool for line in statement.lines}
    return Contents(
        statement=statement,
        proofs=proofs(EVERYONE, books, payee, period, pools),
        shares=list(_shares(behind)),
        allocations=_allocations(behind),
        found=_found(behind, documents),
        rests_on=_rests_on(behind, documents),
        code_version=version("tantieme"),
    )


def _tracks(statement: Statement) -> tuple[str, ...]:
    brought: defaultdict[str, int] = defaultdict(int)
    for line in statement.lines:
        if line.track:
            brought[line.track] += line.net.micros
    return tuple(sorted(brought, key=lambda track: (-brought[track], track)))


# --- What the books have.


def _shares(behind: Behind) -> Iterator[Json]:
    """State each track's shares: own recordings', what is unattributed, all others as one sum."""
    books, provider = behind.books, behind.paid.provider
    given = queries.decided(EVERYONE, books, behind.paid).inputs.get("shares", [])
    table = queries.shares_in(EVERYONE, books, provider, given)
    rows = snapshots.run(table.filter(table.track.isin(behind.tracks))).to_pylist()
    others: defaultdict[str, int] = defaultdict(int)
    for row in sorted(rows, key=lambda row: (row["track"], row["recording"] or "")):
        share = {name: row[name] for name in ("share_ppb", "low_ppb", "high_ppb")}
        if row["recording"] is None:
            yield {"track": row["track"], "whose": "unattributed", "recording": None, **share}
        elif row["recording"] in behind.own:
            yield {"track": row["track"], "whose": "own", "recording": row["recording"], **share}
        else:
            others[row["track"]] += row["share_ppb"]
    no_interval = {"recording": None, "low_ppb": None, "high_ppb": None}
    for track, ppb in others.items():
        yield {"track": track, "whose": "others", "share_ppb": ppb, **no_interval}


def _allocations(behind: Behind) -> list[Json]:
    """Take the payee's rows of the division, and what its parties' terms left elsewhere."""
    table = snapshots.read(behind.books, behind.paid.snapshot)
    table = table.append_column("number", pa.array(range(1, len(table) + 1), pa.int64()))
    parties = pa.array(sorted({line.party for line in behind.statement.lines}), pa.string())
    kept = pc.and_(pc.equal(table["kind"], "platform"), pc.is_in(table["party"], parties))
    mine = pc.equal(table["payee"], behind.statement.payee)
    rows = table.filter(pc.or_kleene(mine, kept)).to_pylist()
    named = behind.paid.snapshot[:16]
    few = {(each.track, each.pool) for each in behind.statement.lines if each.plays is None}
    for row in rows:
        if (row["track"], row["pool"]) in few:
            row["plays"] = None  # the statement does not tell them either
    return [{"allocation": f"{named}.{row['number']}", **row} for row in rows]


# --- What the workspace's files have.


def _documents(behind: Behind) -> Iterator[tuple[str, tuple[Path, Json]]]:
    """Read the evidence of each track, where it was found here."""
    for track in behind.tracks if behind.ours else ():
        yield track, read_paying(behind.workspace, track, behind.paid.provider)


def _found(behind: Behind, documents: Mapping[str, tuple[Path, Json]]) -> Found:
    home = behind.workspace.home
    wanted = set(behind.tracks)
    known = queries.tracks(EVERYONE, behind.books)
    rows = {row.id: row for row in known if row.id in wanted}
    met = [
        meeting
        for track, (path, _) in documents.items()
        for meeting in meetings(track, path, behind.own)
    ]
    sounds = {track: row.audio_sha256 for track, row in rows.items()}
    passages, clips = passage_clips(home, strongest(met), sounds)
    begun = _beginnings(behind, rows, {each["track"] for each in passages if each["track_clip"]})
    return Found(
        tracks=[_reference(behind, rows[track], begun) for track in behind.tracks],
        evidence=_evidence(behind, documents),
        passages=passages,
        clips={**clips, **dict(begun.values())},
        quality=_quality(behind, documents),
    )


def _beginnings(
    behind: Behind, rows: Mapping[str, TrackRow], sounding: Collection[str]
) -> dict[str, tuple[str, bytes]]:
    """Cut how the tracks begin that brought most and of which no passage sounds."""
    silent = [track for track in behind.tracks if track not in sounding][:CLIPS]
    begun = {}
    for number, track in enumerate(silent, start=1):
        sound = clip(behind.workspace.home, rows[track].audio_sha256, (0, CLIP_MS))
        if sound is not None:
            begun[track] = (f"tracks/beginning-{number:02d}.wav", sound)
    return begun


def _reference(behind: Behind, row: TrackRow, begun: Mapping[str, tuple[str, bytes]]) -> Json:
    """Say what a track is and how it was made; by whose opening only where that is the payee's."""
    made = _json(behind.workspace.home / "tracks" / f"{row.id}.json") or {}
    prompt = made.get("prompt")
    return {
        "id": row.id,
        "title": row.title,
        "duration_ms": row.duration_ms,
        "audio_sha256": row.audio_sha256,
        "clip": begun[row.id][0] if row.id in begun else None,
        "made": {key: made[key] for key in _MADE if key in made} or None,
        "prompt": prompt if prompt and prompt["recording"] in behind.own else None,
    }


def _evidence(behind: Behind, documents: Mapping[str, tuple[Path, Json]]) -> Json:
    """Take from each track's evidence what is about own recordings, and the null."""
    imported = None if behind.ours else behind.paid.provider
    tracks = [_own(behind.own, path, document) for path, document in documents.values()]
    return {"schema": SCHEMA, "imported_from": imported, "tracks": tracks}


def _own(own: AbstractSet[str], path: Path, document: Json) -> Json:
    works = [
        {**work, "recordings": {k: v for k, v in work["recordings"].items() if k in own}}
        for work in document["works"]
        if not own.isdisjoint(work["recordings"])
    ]
    return {
        "track": document["track"],
        "evidence_sha256": file_sha256(path),
        **{key: document[key] for key in (*_METHOD, "null", *_WHY) if key in document},
        "recordings": [each for each in document["recordings"] if each["id"] in own],
        "works": works,
    }


def _quality(behind: Behind, documents: Mapping[str, tuple[Path, Json]]) -> Json:
    """Say how well the shares were measured to foretell retraining, or why nobody can say."""
    artists = {line.artist for line in behind.statement.lines}
    found = measured(behind.workspace.home, _runs_behind(documents), artists)
    why = "nobody measured how well these shares foretell retraining: 'tantieme evaluate lds'"
    if not behind.ours:
        who = behind.paid.provider
        why = f"these shares were imported from {who}, who can say how good they are"
    return {"schema": SCHEMA, "measured": found, "why_not": None if found else why}


# --- What all of it rests on.


def _rests_on(behind: Behind, documents: Mapping[str, tuple[Path, Json]]) -> Json:
    paid, books = behind.paid, behind.books
    source = "found here" if behind.ours else f"imported from {paid.provider}"
    runs = sorted({*behind.statement.runs, *_runs_behind(documents)})
    found_by = [
        {key: each[key] for key in _METHOD if key in each} for _, each in documents.values()
    ]
    cards = {row.id: row.card_sha256 for row in queries.runs(EVERYONE, books)}
    return {
        "provider": paid.provider,
        "shares": source,
        "found_by": _distinct(found_by),
        "runs": [_card(behind.workspace, run, cards[run]) for run in runs if run in cards],
        "rule": paid.rule,
        "rule_version": paid.rule_version,
        "snapshots": {
            "allocations": [paid.snapshot],
            **queries.decided(EVERYONE, books, paid).inputs,
        },
    }


def _runs_behind(documents: Mapping[str, tuple[Path, Json]]) -> set[str]:
    return {run for _, document in documents.values() for run in document["runs"]}


def _card(workspace: Workspace, run: str, sha256: str) -> Json:
    """Read what a run's card says it was made of. Raises `Conflict` where it is another card."""
    path = workspace.home / "runs" / run / "card.json"
    if not path.exists() or file_sha256(path) != sha256:
        raise Conflict(f"run {run} has not the card that the books know; run 'tantieme verify'")
    card = json.loads(path.read_bytes())
    return {"id": run, "card_sha256": sha256, **{key: card[key] for key in _CARD if key in card}}


def _distinct(documents: Sequence[Json]) -> list[Json]:
    by_text = {json.dumps(each, sort_keys=True): each for each in documents}
    return [by_text[text] for text in sorted(by_text)]


def _json(path: Path) -> Json | None:
    if not path.exists():
        return None
    document: Json = json.loads(path.read_bytes())
    return document


_MADE = (
    "run", "checkpoint", "seed", "number", "of", "temperature", "seconds_min", "events",
    "midi_sha256",
)  # fmt: skip
_METHOD = (
    "method", "mapping", "gate", "interval", "options", "runs", "index", "index_sha256",
    "checkpoints",
)  # fmt: skip
_WHY = ("unattributed", "why_unattributed")
_CARD = (
    "corpus_sha256", "batch_order_sha256", "code_version", "code_sha256", "torch", "method",
    "model", "options", "steps", "checkpoints",
)  # fmt: skip
