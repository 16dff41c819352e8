"""What can be heard in an evidence pack: passages that met, and how tracks begin, cut short.

Nothing of a recording that is not the payee's own is read.
"""

from __future__ import annotations

import hashlib
import io
import json
import wave
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.files import file_sha256

CLIPS = 12  # of passages, and of beginnings
CLIP_MS = 10_000
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A passage of a track beside the passage of a recording that it scored highest with."""

    track: str
    track_ms: tuple[int, int]
    recording: str
    recording_ms: tuple[int, int]
    audio_sha256: str | None  # of the recording
    score: float  # above the placebos


def meetings(track: str, evidence: Path, own: Collection[str]) -> Iterator[Meeting]:
    """Read where a track met own recordings: each of their items, with its best window.

    None where there are no passages of the evidence that stands.
    """
    path = evidence.parent / "passages" / evidence.name
    if not path.exists():
        return
    document = json.loads(path.read_bytes())
    if document["evidence_sha256"] != file_sha256(evidence):
        return
    for recording in document["recordings"]:
        if recording["id"] in own:
            yield from _met(track, document["windows_ms"], recording)


def _met(
    track: str, windows: Sequence[Sequence[int]], recording: Mapping[str, Any]
) -> Iterator[Meeting]:
    for item, (begin, end) in enumerate(recording["items_ms"]):
        scores = [row[item] for row in recording["scores"]]
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] > 0:
            yield Meeting(
                track=track,
                track_ms=(windows[best][0], windows[best][1]),
                recording=recording["id"],
                recording_ms=(begin, end),
                audio_sha256=recording["audio_sha256"],
                score=scores[best],
            )


def strongest(found: Collection[Meeting]) -> list[Meeting]:
    """Choose the meetings that scored highest."""
    ordered = sorted(
        found, key=lambda each: (-each.score, each.track, each.recording, each.recording_ms)
    )
    return ordered[:CLIPS]


def passage_clips(
    home: Path, found: Sequence[Meeting], sounds: Mapping[str, str | None]
) -> tuple[list[Json], dict[str, bytes]]:
    """Describe meetings, and cut both sides of each; `sounds` are the hashes of tracks' audio."""
    described, clips = [], {}
    for number, each in enumerate(found, start=1):
        cut = {
            f"tracks/passage-{number:02d}.wav": clip(home, sounds.get(each.track), each.track_ms),
            f"recordings/passage-{number:02d}.wav": clip(
                home, each.audio_sha256, each.recording_ms
            ),
        }
        clips.update({name: sound for name, sound in cut.items() if sound})
        track_clip, recording_clip = (name if sound else None for name, sound in cut.items())
        described.append(
            {
                "track": each.track,
                "track_ms": list(each.track_ms),
                "track_clip": track_clip,
                "recording": each.recording,
                "recording_ms": list(each.recording_ms),
                "recording_clip": recording_clip,
                "recording_audio_sha256": each.audio_sha256,
                "score": each.score,
            }
        )
    return described, clips


def clip(home: Path, audio_sha256: str | None, ms: tuple[int, int]) -> bytes | None:
    """Cut a stretch out of a rendered sound, at most ten seconds of it, as it is.

    None where it was not rendered so far, or is not what it was.
    """
    sound = _sound(home / "audio" / f"{audio_sha256}.wav", str(audio_sha256))
    return None if sound is None else _cut(sound, ms[0], min(ms[1], ms[0] + CLIP_MS))


def _cut(sound: bytes, begin_ms: int, end_ms: int) -> bytes | None:
    try:
        with wave.open(io.BytesIO(sound)) as whole:
            begin, end = (ms * whole.getframerate() // 1000 for ms in (begin_ms, end_ms))
            if begin >= min(end, whole.getnframes()):
                return None
            whole.setpos(begin)
            frames, form = whole.readframes(end - begin), whole.getparams()
    except (wave.Error, EOFError):
        return None
    kept = io.BytesIO()
    with wave.open(kept, "wb") as out:
        out.setparams(form)
        out.writeframes(frames)
    return kept.getvalue()


def _sound(path: Path, sha256: str) -> bytes | None:
    if not path.exists():
        return None
    content = path.read_bytes()
    return content if hashlib.sha256(content).hexdigest() == sha256 else None
