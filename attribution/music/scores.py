"""Read many music files at once, in processes of their own; among them music21's own corpus.

Scores parse slowly, so each core takes a part. The workers import no torch.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from attribution.music.midi import Note, UnreadableMusic, beginning, read_notes

Progress = Callable[[int, int], None]  # files done, files in all


def _unheard(_done: int, _total: int) -> None:
    """Report progress to nobody."""


def parse_corpus(
    paths: Sequence[str],
    *,
    workers: int | None = None,
    seconds_max: float | None = None,
    progress: Progress = _unheard,
) -> dict[str, list[Note] | UnreadableMusic]:
    """Read works of the music21 corpus, by paths such as `bach/bwv66.6.mxl`.

    A work that cannot be read has its `UnreadableMusic` as value. Repeats are not expanded, and
    with `seconds_max` only the beginning is kept. Raises `UnreadableMusic` without music21.
    """
    folder = corpus_folder()
    files = {path: folder / path for path in paths}
    return parse_files(files, workers=workers, seconds_max=seconds_max, progress=progress)


def parse_files(
    files: Mapping[str, Path],
    *,
    workers: int | None = None,
    seconds_max: float | None = None,
    progress: Progress = _unheard,
) -> dict[str, list[Note] | UnreadableMusic]:
    """Read music files in parallel; the result has the names, and the order, of `files`.

    `workers` defaults to the number of cores; one means: here, in this process.
    """
    read = partial(_read, seconds_max=seconds_max)
    workers = min(workers or os.cpu_count() or 1, len(files))
    found: dict[str, list[Note] | UnreadableMusic] = {}
    if workers <= 1:
        for done, (name, path) in enumerate(files.items(), start=1):
            found[name] = read(path)
            progress(done, len(files))
        return found
    # Spawned, not forked: the caller may have threads, and PyTorch's do not survive a fork.
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawning) as pool:
        names = {pool.submit(read, path): name for name, path in files.items()}
        for done, future in enumerate(as_completed(names), start=1):
            found[names[future]] = future.result()
            progress(done, len(files))
    return {name: found[name] for name in files}


def corpus_folder() -> Path:
    """Return where the installed music21 keeps its corpus, without importing it."""
    package = importlib.util.find_spec("music21")
    if package is None or package.origin is None:
        raise UnreadableMusic(
            "the demonstration's works come with music21; run pip install 'tantieme[demo]'"
        )
    return Path(package.origin).parent / "corpus"


def _read(path: Path, seconds_max: float | None) -> list[Note] | UnreadableMusic:
    try:
        notes = read_notes(path)
    except UnreadableMusic as fault:
        return fault
    return notes if seconds_max is None else beginning(notes, seconds_max)
