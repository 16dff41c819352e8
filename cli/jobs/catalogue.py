"""Bring a folder of music into the workspace: read every file, then write the books once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attribution.music.audio import render
from attribution.music.midi import UnreadableMusic, decode, encode, read_notes, write_midi
from cli.output import Report
from cli.workspace import Workspace
from db.intake.catalogue import AudioFacts, CatalogueFiles, faults, read_catalogue, record
from db.intake.receipt import Receipt
from royalty.catalogue import Recording
from royalty.errors import BadInput, Problem

RECORDING_SECONDS_MAX = 20  # rendered of a recording, for listening to on the dashboard


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """The events of one recording, and the hash of the file they were read from."""

    content_sha256: str
    events: tuple[int, ...]
    duration_ms: int


def import_folder(  # noqa: PLR0913  what is imported, and how it is asked for
    workspace: Workspace,
    folder: Path,
    *,
    placebo: bool = False,
    name: str | None = None,
    dry_run: bool = False,
    report: Report,
) -> Receipt:
    """Import `recordings.csv` and its companions with the music they name.

    Every file is read before anything is written, so one fault anywhere refuses the whole folder.
    What changes the books is an act of `name`, if somebody is named. Raises `BadInput` with all
    faults, of the tables and of the music together.
    """
    books = workspace.books()
    files = read_catalogue(folder)
    music, problems = _read_music(folder, files, report)
    problems += faults(books, files, placebo=placebo)
    if problems:
        raise BadInput(problems)
    facts = {name: _facts(heard, audio=None) for name, heard in music.items()}
    receipt = record(books, files, facts, placebo=placebo, dry_run=True)  # refuses what it must
    if dry_run:
        return receipt
    keep_events(workspace, music.values())
    events = {name: heard.events for name, heard in music.items()}
    audio = render_all(workspace, events, report, seconds_max=RECORDING_SECONDS_MAX)
    facts = {name: _facts(heard, audio=audio.get(name)) for name, heard in music.items()}
    return record(books, files, facts, placebo=placebo, name=name)


def load_events(workspace: Workspace, content_sha256: str) -> list[int]:
    """Return a recording's events as they were read when it was imported."""
    kept = workspace.home / "tokens" / f"{content_sha256}.npy"
    return [int(event) for event in np.load(kept)]


def read_music(path: Path) -> Music:
    """Read one file of music as events. Raises `UnreadableMusic`."""
    notes = read_notes(path)
    return Music(
        content_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        events=tuple(encode(notes)),
        duration_ms=max((note.onset_ms + note.duration_ms for note in notes), default=0),
    )


def keep_events(workspace: Workspace, music: Iterable[Music]) -> None:
    """Cache events in the workspace, named by the hash of the file they came from."""
    folder = workspace.folder("tokens")
    for heard in music:
        path = folder / f"{heard.content_sha256}.npy"
        if not path.exists():
            draft = path.with_suffix(".part.npy")
            np.save(draft, np.array(heard.events, dtype=np.int16))
            draft.replace(path)


def render_all(
    workspace: Workspace,
    events: Mapping[str, Sequence[int]],
    report: Report,
    *,
    seconds_max: float | None = None,
) -> dict[str, str]:
    """Render music to audio files named by their content; returns each one's hash.

    Without a synthesiser nothing is rendered, and the pages say that there is no audio.
    """
    folder = workspace.folder("audio")

    def one(item: tuple[str, Sequence[int]]) -> tuple[str, str]:
        return item[0], _render(folder, item[1], seconds_max)

    hashes: dict[str, str] = {}
    with ThreadPoolExecutor(2) as pool:
        for name, audio in pool.map(one, sorted(events.items())):
            hashes[name] = audio
            report(len(hashes), len(events))
    return hashes


def _render(folder: Path, events: Sequence[int], seconds_max: float | None) -> str:
    """Render events once: a small index file remembers which audio they became."""
    content = np.array(events, dtype=np.int16).tobytes() + f"{seconds_max}".encode()
    key = hashlib.sha256(content).hexdigest()
    known = folder / f"{key}.rendered"
    if known.exists() and (folder / f"{known.read_text()}.wav").exists():
        return known.read_text()
    midi, wav = folder / f"{key}.part.mid", folder / f"{key}.part.wav"
    write_midi(decode(events), midi)
    render(midi, wav, seconds_max=seconds_max)
    midi.unlink()
    audio = hashlib.sha256(wav.read_bytes()).hexdigest()
    wav.replace(folder / f"{audio}.wav")
    known.write_text(audio)
    return audio


def _read_music(
    folder: Path, files: CatalogueFiles, report: Report
) -> tuple[dict[str, Music], list[Problem]]:
    music: dict[str, Music] = {}
    problems: list[Problem] = []
    named = [recording for recording in files.recordings if recording.file]
    for done, recording in enumerate(named, start=1):
        try:
            music[recording.id] = read_music(_inside(folder, recording))
        except UnreadableMusic as error:
            problems.append(files.problem(recording, "file", str(error)))
        report(done, len(named))
    return music, problems


def _inside(folder: Path, recording: Recording) -> Path:
    """Find a recording's file, which must lie in the imported folder."""
    assert recording.file is not None
    path = (folder / recording.file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise UnreadableMusic(f"'{recording.file}' lies outside the imported folder")
    if not path.is_file():
        raise UnreadableMusic(f"'{recording.file}' is not there")
    return path


def _facts(music: Music, *, audio: str | None) -> AudioFacts:
    return AudioFacts(
        content_sha256=music.content_sha256,
        duration_ms=music.duration_ms,
        audio_sha256=audio,
    )
