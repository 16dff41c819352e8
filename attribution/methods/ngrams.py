"""n-gram overlap of music, printed beside every attribution: similarity, never influence.

What two pieces have in common, in runs of 2, 3 and 4 pitches struck, weighed by how rare each run
is in the catalogue. It finds copies and shared style; it knows nothing of the model, and nothing is
ever paid by it. On a model's own tracks it is a hard baseline: read it as the row to beat.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

NAME = "n-gram overlap"
LABEL = "similarity, not influence"
SIZES = (2, 3, 4)
_NOTE_ONS = 128  # the first events of the vocabulary, one a pitch
Gram = tuple[int, ...]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How alike a track and a recording are, from 0 (no run in common) to 1 (the same runs)."""

    recording: str
    overlap: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The runs of every recording: for each run, where it stands and how much it weighs there."""

    recordings: tuple[str, ...]
    rarity: Mapping[Gram, float]
    where: Mapping[Gram, tuple[Array, Array]]
    unseen: float  # the rarity of a run that no recording has


def fit(recordings: Mapping[str, Sequence[int]]) -> Catalogue:
    """Count the runs of every recording, given as events of the Music Transformer vocabulary."""
    counted = {name: _counts(recordings[name]) for name in sorted(recordings)}
    frequency = Counter(gram for counts in counted.values() for gram in counts)
    rarity = {gram: _rarity(len(counted), n) for gram, n in frequency.items()}
    where: dict[Gram, tuple[list[int], list[float]]] = {gram: ([], []) for gram in rarity}
    for place, counts in enumerate(counted.values()):
        for gram, weight in _weigh(counts, rarity, 0.0).items():
            where[gram][0].append(place)
            where[gram][1].append(weight)
    return Catalogue(
        recordings=tuple(counted),
        rarity=rarity,
        where={gram: (np.array(at), np.array(weights)) for gram, (at, weights) in where.items()},
        unseen=_rarity(len(counted), 0),
    )


def overlaps(catalogue: Catalogue, track: Sequence[int]) -> list[Overlap]:
    """Compare a track's events with every recording, the most alike first, ties by id."""
    totals = np.zeros(len(catalogue.recordings))
    for gram, weight in _weigh(_counts(track), catalogue.rarity, catalogue.unseen).items():
        if gram in catalogue.where:
            places, weights = catalogue.where[gram]
            totals[places] += weight * weights
    found = [
        Overlap(recording=name, overlap=float(total))
        for name, total in zip(catalogue.recordings, totals, strict=True)
    ]
    return sorted(found, key=lambda overlap: (-overlap.overlap, overlap.recording))


def _counts(events: Iterable[int]) -> Counter[Gram]:
    pitches = [int(event) for event in events if 0 <= event < _NOTE_ONS]
    return Counter(
        tuple(pitches[i : i + size]) for size in SIZES for i in range(len(pitches) - size + 1)
    )


def _rarity(recordings: int, holding: int) -> float:
    return math.log((1 + recordings) / (1 + holding)) + 1.0


def _weigh(counts: Counter[Gram], rarity: Mapping[Gram, float], unseen: float) -> dict[Gram, float]:
    """Weigh runs by count (damped) and rarity, as a vector of length 1."""
    weights = {g: (1 + math.log(n)) * rarity.get(g, unseen) for g, n in counts.items()}
    length = math.sqrt(sum(weight**2 for weight in weights.values()))
    return {gram: weight / length for gram, weight in weights.items()}
