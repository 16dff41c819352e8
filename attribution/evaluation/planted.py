"""Planted copies: a query that is a copy of a train row must find that row.

Nothing is retrained, so this is cheap, and it is a test of retrieval, not of influence: a method
that finds copies may still be blind to broad influence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from attribution.errors import BadRows
from attribution.evaluation.estimate import Array, Estimate, Mask, mean_of_defined, wilson
from attribution.music.midi import NOTE_OFF, NOTE_ON, TIME_SHIFT
from attribution.task import Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """Copies as queries, and which train rows each is a copy of."""

    query: Rows
    truth: Mask  # (query, train)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """How well copies found their originals: means over queries.

    Intervals are Wilson's. Ties count against a method in `recall` and `reciprocal_rank`, and half
    in `auc`.
    """

    recall: Mapping[int, Estimate]  # by k: the part of the originals among the k highest scores
    reciprocal_rank: Estimate  # 1 / rank of the first original
    auc: Estimate  # chance that an original scores higher than another row
    queries: int
    undefined: int  # queries left out, because a score is not finite


def plant(train: Rows, places: Sequence[int], semitones: int = 0) -> Planted:
    """Copy rows of "tokens" as queries, exactly or moved up by so many semitones (or down).

    The originals of a copy are all train rows equal to the row copied, or to the copy. Raises
    `BadRows` when a note would leave the range of pitches.
    """
    source = train.take(places)
    tokens = _transposed(source, semitones)
    suffix = f" {semitones:+d}" if semitones else ""
    query = Rows(
        tensors={**source.tensors, "tokens": tokens},
        ids=tuple(f"copy of {name}{suffix}" for name in source.ids),
        owners=tuple(f"copy of {name}{suffix}" for name in source.ids),
    )
    return Planted(query=query, truth=_equal(source, train) | _equal(query, train))


def retrieval(
    scores: Array, truth: Mask, ranks: Sequence[int] = (1, 10), level: float = 0.90
) -> Retrieval:
    """Judge scores by the known originals, both (query, train)."""
    if not truth.any(1).all():
        raise BadRows(
            f"query {int(np.flatnonzero(~truth.any(1))[0])} has no original; leave it out"
        )
    known = np.isfinite(scores).all(1)
    found = [_ranks(row, own) for row, own in zip(scores[known], truth[known], strict=True)]
    areas = [_area(row, own) for row, own in zip(scores[known], truth[known], strict=True)]
    return Retrieval(
        recall={k: _mean([float((r <= k).mean()) for r in found], level) for k in ranks},
        reciprocal_rank=_mean([float(1 / r.min()) for r in found], level),
        auc=_mean(areas, level),
        queries=int(known.sum()),
        undefined=int((~known).sum()),
    )


def _transposed(rows: Rows, semitones: int) -> Tensor:
    tokens = rows.tensors["tokens"]
    first = torch.where(tokens < NOTE_OFF, NOTE_ON, NOTE_OFF)  # of the events of its kind
    note, moved = tokens < TIME_SHIFT, tokens + semitones
    outside = note & ((moved < first) | (moved >= first + NOTE_OFF))
    if outside.any():
        row = int(outside.any(1).nonzero()[0])
        raise BadRows(
            f"'{rows.ids[row]}' moved by {semitones} semitones leaves the range of pitches; "
            "choose another row or a smaller step"
        )
    return torch.where(note, moved, tokens)


def _equal(query: Rows, train: Rows) -> Mask:
    """Say which train rows have the same content as each query: (query, train)."""
    same = torch.ones(len(query), len(train), dtype=torch.bool)
    for name, tensor in train.tensors.items():
        other = query.tensors[name]
        for place in range(len(query)):
            same[place] &= (tensor == other[place]).flatten(1).all(1)
    return same.numpy()


def _ranks(scores: Array, own: Mask) -> Array:
    """Return the ranks of the originals, 1 the best, behind whatever they tie with."""
    order = np.lexsort((own, -scores))
    return np.asarray(1.0 + np.flatnonzero(own[order]))


def _area(scores: Array, own: Mask) -> float:
    """Return the area under the receiver operating characteristic (Mann and Whitney 1947)."""
    count, others = int(own.sum()), int((~own).sum())
    if not others:
        return np.nan
    ranks = stats.rankdata(scores)[own].sum()
    return float((ranks - count * (count + 1) / 2) / (count * others))


def _mean(values: Sequence[float], level: float) -> Estimate:
    known = np.array(values, dtype=np.float64)
    return wilson(float(mean_of_defined(known)), int((~np.isnan(known)).sum()), level)
