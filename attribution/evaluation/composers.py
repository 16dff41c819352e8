"""Composers that do not exist, so that it is known what each one gave.

Each composer is a Markov chain over pitches. Recordings follow one chain; a track follows several,
a passage each, so its true mixture is known by construction, and what each composer did for it by
training again without that composer. Music of composers nobody trains on serves as placebos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.evaluation.estimate import Array
from attribution.music.corpus import rows_of
from attribution.music.midi import Note, encode
from attribution.task import Rows

_NOTE_MS = 200
_VELOCITY = 80
_LOWEST, _HIGHEST = 36, 97  # pitches
_SPREAD = 0.15  # of Dirichlet: the smaller, the more a composer repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Composing:
    """How many composers, recordings and tracks, and how long."""

    composers: int = 6
    recordings: int = 8  # of each composer
    placebos: int = 0  # composers that nobody trains on, with as many recordings
    tracks: int = 24
    notes: int = 32  # of a recording and of a track
    passages: int = 4  # of a track, each by one composer
    pitches: int = 12  # of a composer
    span: int = 96  # events in a row
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Composed:
    """A corpus whose authors are known, and tracks whose mixtures are known."""

    names: tuple[str, ...]  # of the composers trained on
    train: Rows
    composers: tuple[str, ...]  # of each train row
    placebo: Rows | None
    query: Rows
    mixtures: Array  # (query row, composer): part of its track's passages; rows sum to 1


def compose(composing: Composing | None = None) -> Composed:
    """Write the music; the same seed writes the same."""
    options = composing or Composing()
    random = np.random.default_rng(options.seed)
    chains = [_Chain(random, options.pitches) for _ in range(options.composers + options.placebos)]
    names = tuple(f"composer-{i:02d}" for i in range(options.composers))
    train = _recordings(names, chains[: options.composers], random, options)
    others = tuple(f"placebo-{i:02d}" for i in range(options.placebos))
    placebo = _recordings(others, chains[options.composers :], random, options)
    query, mixtures = _tracks(chains[: options.composers], random, options)
    return Composed(
        names=names,
        train=train,
        composers=tuple(owner.partition("/")[0] for owner in train.owners),
        placebo=placebo if len(placebo) else None,
        query=query,
        mixtures=mixtures,
    )


class _Chain:
    """A composer: which pitches, and which follows which."""

    def __init__(self, random: np.random.Generator, pitches: int) -> None:
        self.pitches = random.choice(np.arange(_LOWEST, _HIGHEST), pitches, replace=False)
        self.follows = random.dirichlet(np.full(pitches, _SPREAD), size=pitches)

    def write(self, random: np.random.Generator, notes: int) -> list[int]:
        """Return so many pitches."""
        place, written = int(random.integers(len(self.pitches))), []
        for _ in range(notes):
            written.append(int(self.pitches[place]))
            place = int(random.choice(len(self.pitches), p=self.follows[place]))
        return written


def _recordings(
    names: Sequence[str], chains: Sequence[_Chain], random: np.random.Generator, options: Composing
) -> Rows:
    recordings = {
        f"{name}/{number:03d}": _events(chain.write(random, options.notes))
        for name, chain in zip(names, chains, strict=True)
        for number in range(options.recordings)
    }
    return rows_of(recordings, span=options.span)


def _tracks(
    chains: Sequence[_Chain], random: np.random.Generator, options: Composing
) -> tuple[Rows, Array]:
    """Write tracks of one composer to as many as there are passages, in turn."""
    tracks, mixtures = {}, {}
    length = options.notes // options.passages
    for number in range(options.tracks):
        several = min(1 + number % options.passages, len(chains))
        authors = random.choice(len(chains), several, replace=False)
        turns = np.sort(np.resize(authors, options.passages))
        name = f"track-{number:04d}"
        pitches = [pitch for turn in turns for pitch in chains[turn].write(random, length)]
        tracks[name] = _events(pitches)
        mixtures[name] = np.bincount(turns, minlength=len(chains)) / options.passages
    rows = rows_of(tracks, span=options.span)
    return rows, np.stack([mixtures[owner] for owner in rows.owners])


def _events(pitches: Sequence[int]) -> list[int]:
    return encode(
        [Note(_NOTE_MS * i, _NOTE_MS, pitch, _VELOCITY) for i, pitch in enumerate(pitches)]
    )
