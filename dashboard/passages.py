"""The passages of a track as attribution kept them: read and checked, never computed here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from dashboard.reads import Place
from royalty.errors import NotReady

SCHEMA = 1
Ends = tuple[int, int]  # milliseconds from the beginning of the music


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A recording held against a track, window by window."""

    id: str
    title: str
    artist: str
    audio_sha256: str | None
    items: tuple[Ends, ...]  # when each of its passages sounds
    scores: tuple[tuple[float, ...], ...]  # (window, item), above the placebos


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A passage of a track beside a passage of a recording."""

    source: Source
    track: Ends
    recording: Ends
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Passages:
    """Which stretch of a track came from which stretch of each recording."""

    windows: tuple[Ends, ...]  # of the track
    sources: dict[str, Source]  # by recording, largest share first
    strongest: tuple[Pairing, ...]

    @property
    def most(self) -> float:
        """The largest score there is, either way: the end of the scale of every picture."""
        rows = (row for source in self.sources.values() for row in source.scores)
        return max((abs(score) for row in rows for score in row), default=0.0)


def read(where: Place, track: str) -> Passages | None:
    """Read a track's passages; None where there are none of the evidence that stands.

    Raises `NotReady` where the file is not what attribution wrote.
    """
    path = where.file("evidence", "passages", f"{track}.json")
    evidence = where.file("evidence", f"{track}.json")
    if not path.exists() or not evidence.exists():
        return None
    try:
        document = json.loads(path.read_bytes())
        current = document["evidence_sha256"] == hashlib.sha256(evidence.read_bytes()).hexdigest()
        return _parsed(document) if current and document["schema"] == SCHEMA else None
    except (ValueError, KeyError, TypeError, IndexError) as fault:
        raise NotReady(
            f"the passages of this track are damaged; run 'tantieme attribute {track}', "
            "which finds them again and leaves the shares as they are"
        ) from fault


def _parsed(document: dict[str, Any]) -> Passages:
    windows = tuple(_ends(each) for each in document["windows_ms"])
    sources = {each["id"]: _source(each, len(windows)) for each in document["recordings"]}
    return Passages(
        windows=windows,
        sources=sources,
        strongest=tuple(
            Pairing(
                source=sources[each["recording"]],
                track=_ends(each["track_ms"]),
                recording=_ends(each["recording_ms"]),
                score=float(each["score"]),
            )
            for each in document["strongest"]
        ),
    )


def _source(document: dict[str, Any], windows: int) -> Source:
    items = tuple(_ends(each) for each in document["items_ms"])
    scores = tuple(tuple(map(float, row)) for row in document["scores"])
    if [len(row) for row in scores] != [len(items)] * windows:
        raise ValueError(f"the scores of {document['id']} do not fit its passages")
    return Source(
        id=str(document["id"]),
        title=str(document["title"]),
        artist=str(document["artist"]),
        audio_sha256=document["audio_sha256"],
        items=items,
        scores=scores,
    )


def _ends(pair: list[int]) -> Ends:
    start_ms, end_ms = pair
    return int(start_ms), int(end_ms)
