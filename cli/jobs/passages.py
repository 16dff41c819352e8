"""Passage matrices: which stretch of a track came from which stretch of a recording.

`evidence/passages/<track>.json` holds, for each recording named in the track's evidence, what every
item of it scored above the placebos in every window of the track, with the times of both. Summed
over the windows and a work's items that is the work's excess in the evidence. A single cell is
descriptive: it carries no interval, and no money follows from it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attribution.evidence import Null
from attribution.files import file_sha256, write_whole
from attribution.methods.bilinear import Fitted, Prepared
from attribution.music.audio import CannotRender
from attribution.music.midi import duration_ms, encode, read_notes
from attribution.music.passages import WINDOW_MS, Passage, Windows, times_of, windows_of
from attribution.passages import null_weights, part_scores
from cli.jobs.catalogue import RECORDING_SECONDS_MAX, load_events, render_all
from cli.jobs.evidence import evidence_path
from cli.jobs.index import Indexed
from cli.jobs.training import corpus_of
from cli.workspace import Workspace
from db.queries import EVERYONE, RecordingRow, recordings
from royalty.errors import NotReady

SCHEMA = 1
WITHOUT_SHARES = 5  # recordings looked at where nobody could be named for a track
STRONGEST = 5
CELLS_MAX = 10_000  # of one recording: what a page may draw
DECIMALS = 3
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A recording that is held against a track, with its items in the index."""

    row: RecordingRow
    events: Sequence[int]
    places: tuple[int, ...]
    times: tuple[Passage, ...]


def kept_passages(workspace: Workspace, track: str) -> Document | None:
    """Read a track's passages back, if they are whole and belong to its evidence."""
    try:
        document: Document = json.loads(_path(workspace, track).read_bytes())
        known = (document["schema"], document["evidence_sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return document if known == (SCHEMA, file_sha256(evidence_path(workspace, track))) else None


def read_passages(workspace: Workspace, track: str) -> Document:
    """Read a track's passages. Raises `NotReady` where there are none."""
    found = kept_passages(workspace, track)
    if found is None:
        raise NotReady(f"no passages of {track} are here; run 'tantieme attribute {track}'")
    return found


def keep_passages(
    workspace: Workspace,
    indexed: Indexed,
    fitted: Fitted,
    prepared: Prepared,
    evidence: Mapping[str, Any],
) -> None:
    """Find the passages of a track from its kept evidence, and write them whole or not at all.

    `prepared` are the track's spans as they were scored.
    """
    track = str(evidence["track"])
    events = encode(read_notes(workspace.home / "tracks" / f"{track}.mid"))
    heard = _heard(workspace, indexed, evidence)
    windows = windows_of(
        track, events, span=indexed.trained.config.span, window_ms=window_ms(events, heard)
    )
    found = part_scores(
        fitted,
        prepared,
        windows.parts,
        items=[place for each in heard for place in each.places],
        placebo_weights=null_weights(Null(**evidence["null"]), _placebo_works(workspace, indexed)),
    )
    document = {
        "schema": SCHEMA,
        "track": track,
        "evidence_sha256": file_sha256(evidence_path(workspace, track)),
        "method": evidence["method"],
        "index": evidence["index"],
        **_matrices(workspace, heard, windows, found.excess),
    }
    path = _path(workspace, track)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(document, ensure_ascii=False) + "\n").encode())


def _path(workspace: Workspace, track: str) -> Path:
    return workspace.home / "evidence" / "passages" / f"{track}.json"


def _heard(workspace: Workspace, indexed: Indexed, evidence: Mapping[str, Any]) -> list[Heard]:
    rows = {row.recording.id: row for row in recordings(EVERYONE, workspace.books())}
    return [_items(workspace, indexed, rows[name]) for name in chosen_recordings(evidence)]


def chosen_recordings(evidence: Mapping[str, Any]) -> list[str]:
    """Name the recordings with a share, else those of the works that scored highest."""
    named = [str(each["id"]) for each in evidence["recordings"]]
    if named:
        return named
    works = sorted(evidence["works"], key=lambda work: (-work["mean"], work["work"]))
    return [str(name) for work in works for name in work["recordings"]][:WITHOUT_SHARES]


def _items(workspace: Workspace, indexed: Indexed, row: RecordingRow) -> Heard:
    name = row.recording.id
    index, corpus = indexed.index, corpus_of(indexed.trained)
    events = load_events(workspace, str(row.content_sha256))
    places = tuple(i for i, owner in enumerate(index.owners["train"]) if owner == name)
    times = times_of(name, events, span=indexed.trained.config.span, spans_max=corpus["spans_max"])
    return Heard(
        row=row,
        events=events,
        places=places,
        times=tuple(times[index.ids["train"][place]] for place in places),
    )


def window_ms(events: Sequence[int], heard: Sequence[Heard]) -> int:
    """Widen the windows of a long track, so that each picture can be drawn."""
    items = max(len(each.places) for each in heard)
    return max(WINDOW_MS, math.ceil(duration_ms(events) * items / CELLS_MAX))


def _placebo_works(workspace: Workspace, indexed: Indexed) -> list[str]:
    rows = recordings(EVERYONE, workspace.books(), placebo=True)
    works = {row.recording.id: row.recording.work for row in rows}
    return [works[owner] for owner in indexed.index.owners["placebo"]]


def _matrices(
    workspace: Workspace, heard: Sequence[Heard], windows: Windows, excess: np.ndarray[Any, Any]
) -> Document:
    ends = np.cumsum([len(each.places) for each in heard])
    scores = np.split(excess, ends[:-1], axis=1)  # each (window, item)
    cells = [
        cell
        for each, own in zip(heard, scores, strict=True)
        for cell in _best_windows(each, windows, own)
    ]
    strongest = sorted(cells, key=lambda cell: -cell["score"])[:STRONGEST]
    return {
        "windows_ms": [_ends(time) for time in windows.times],
        "recordings": [
            _matrix(workspace, each, own) for each, own in zip(heard, scores, strict=True)
        ],
        "strongest": [cell for cell in strongest if cell["score"] > 0],
    }


def _matrix(workspace: Workspace, heard: Heard, scores: np.ndarray[Any, Any]) -> Document:
    return {
        "id": heard.row.recording.id,
        "title": heard.row.recording.title,
        "artist": heard.row.artist_name,
        "audio_sha256": _sound(workspace, heard),
        "items_ms": [_ends(time) for time in heard.times],
        "scores": [[round(float(score), DECIMALS) for score in window] for window in scores],
    }


def _best_windows(heard: Heard, windows: Windows, scores: np.ndarray[Any, Any]) -> list[Document]:
    """Name the window that each item of a recording scored highest in."""
    return [
        {
            "recording": heard.row.recording.id,
            "track_ms": _ends(windows.times[window]),
            "recording_ms": _ends(time),
            "score": round(float(scores[window, item]), DECIMALS),
        }
        for item, time in enumerate(heard.times)
        for window in [int(scores[:, item].argmax())]
    ]


def _ends(time: Passage) -> list[int]:
    return [time.start_ms, time.end_ms]


def _sound(workspace: Workspace, heard: Heard) -> str | None:
    """Render a recording as far as it was trained on, which can be further than at its import."""
    end_ms = max(time.end_ms for time in heard.times)
    seconds = max(RECORDING_SECONDS_MAX, math.ceil(end_ms / 1000))
    name = heard.row.recording.id
    try:
        found = render_all(workspace, {name: heard.events}, lambda *_: None, seconds_max=seconds)
    except CannotRender:
        return heard.row.audio_sha256
    return found[name]
