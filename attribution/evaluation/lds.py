"""The linear datamodelling score: how well summed scores foretell what retraining does.

For each query the scores of the rows that a subset kept are added up, and Spearman's correlation
over subsets with the outcomes of the retrained models is taken (Park et al. 2023, section 2). The
LDS is its mean over queries. On subsets of items it judges items, on subsets of whole groups it
judges groups. Truth is noisy, so even the best scores stay below a ceiling, which is estimated by
splitting the training seeds in half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.evaluation.bank import Bank
from attribution.evaluation.estimate import (
    Array,
    Estimate,
    Mask,
    Resampling,
    draws,
    mean_of_defined,
    reflected,
)
from attribution.evaluation.ranks import rank_correlation, resampled_rank_correlation
from attribution.evaluation.reliability import Split, reliability, splits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lds:
    """How well scores foretell retraining, and how well anything could."""

    estimate: Estimate  # mean over queries; drawn over queries and subsets together
    ceiling: Estimate  # what perfect scores would reach; NaN with one seed
    relative: Estimate  # estimate / ceiling
    per_query: Array  # (query,); NaN where it is undefined
    undefined: int  # queries left out of the mean, because scores or outcomes do not vary
    size_alone: float  # the LDS of a subset's size; NaN where all are equally large
    subsets: int
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much better one score matrix is than another, on the same draws."""

    estimate: Estimate  # of ours - theirs
    undefined: int  # queries that either of them leaves undefined


def lds(scores: Array, bank: Bank, options: Resampling | None = None) -> Lds:
    """Judge scores (query, train) by a bank of retrainings.

    Deterministic, by `options.seed`. Drawing queries and subsets at once makes the interval a
    little too wide rather than too narrow.
    """
    options = options or Resampling()
    judged = _Judged(scores, bank, options)
    found, ceiling = judged.replicates(), judged.ceiling_replicates()
    value, top = float(mean_of_defined(judged.per_query)), judged.ceiling()
    relative = np.divide(found, ceiling, out=np.full_like(found, np.nan), where=ceiling > 0)
    return Lds(
        estimate=reflected(value, found, options.level, most=1.0),
        ceiling=reflected(top, ceiling, options.level, most=1.0),
        relative=reflected(value / top if top > 0 else np.nan, relative, options.level),
        per_query=judged.per_query,
        undefined=int((~judged.known).sum()),
        size_alone=_size_alone(bank),
        subsets=len(bank.masks),
        seeds=bank.outcomes.shape[1],
    )


def lds_difference(
    ours: Array, theirs: Array, bank: Bank, options: Resampling | None = None
) -> Difference:
    """Compare two score matrices by one bank, query by query and draw by draw."""
    options = options or Resampling()
    one, other = _Judged(ours, bank, options), _Judged(theirs, bank, options)
    known = one.known & other.known
    replicates = one.replicates(known) - other.replicates(known)
    value = float(mean_of_defined((one.per_query - other.per_query)[known]))
    return Difference(
        estimate=reflected(value, replicates, options.level),
        undefined=int((~known).sum()),
    )


def predictions(scores: Array, masks: Mask) -> Array:
    """Add up the scores of what each subset kept, over the sum of all sizes: (subset, query).

    Sums that differ by rounding alone are made equal, so that scores which say nothing foretell
    nothing. A query with a score that is not finite is NaN in every subset.
    """
    finite = np.isfinite(scores).all(1, keepdims=True)
    known = np.where(finite, scores, np.nan)
    size = np.abs(known).sum(1)
    sums = masks.astype(np.float64) @ known.T
    return np.asarray(np.round(sums / np.where(size > 0, size, 1.0), 12))


class _Judged:
    """One score matrix held against one bank, with the draws that all its intervals share."""

    def __init__(self, scores: Array, bank: Bank, options: Resampling) -> None:
        self.predicted = predictions(np.asarray(scores, np.float64), bank.masks)
        self.outcomes = bank.outcomes
        self.per_query = rank_correlation(self.predicted, self.outcomes.mean(1))
        self.known = ~np.isnan(self.per_query)
        random = np.random.default_rng(options.seed)
        self.subsets = draws(random, len(self.predicted), options.replicates)
        self.chances = random.random((options.replicates, self.predicted.shape[1]))
        self.splits = splits(self.outcomes.shape[1], options.seed)

    def replicates(self, known: Mask | None = None) -> Array:
        """Draw the LDS again: (replicate,)."""
        known = self.known if known is None else known
        truth = self.outcomes.mean(1)[:, known]
        found = resampled_rank_correlation(self.predicted[:, known], truth, self.subsets)
        return mean_of_defined(found, self._drawn(known))

    def ceiling(self) -> float:
        """Return the correlation of perfect scores with the truth as measured."""
        halves = [rank_correlation(*self._halves(split)) for split in self.splits]
        return float(self._ceiling([mean_of_defined(each) for each in halves]).mean())

    def ceiling_replicates(self) -> Array:
        drawn = self._drawn(self.known)
        halves = (
            resampled_rank_correlation(*self._halves(split), self.subsets) for split in self.splits
        )
        return self._ceiling([mean_of_defined(each, drawn) for each in halves])

    def _halves(self, split: Split) -> tuple[Array, Array]:
        one, other = (self.outcomes[:, half].mean(1)[:, self.known] for half in split)
        return one, other

    def _ceiling(self, agreement: list[Array]) -> Array:
        if not agreement:
            return np.full(len(self.subsets), np.nan)
        return np.sqrt(reliability(np.mean(agreement, axis=0), self.outcomes.shape[1]))

    def _drawn(self, known: Mask) -> Array:
        """Say how often each of the known queries is drawn: (replicate, known query)."""
        count = int(known.sum())
        places = np.minimum((self.chances[:, known] * count).astype(np.int64), count - 1)
        return np.stack([np.bincount(row, minlength=count) for row in places]).astype(np.float64)


def _size_alone(bank: Bank) -> float:
    truth = bank.outcomes.mean(1)
    sizes = np.broadcast_to(bank.masks.sum(1, dtype=np.float64)[:, None], truth.shape)
    return float(mean_of_defined(rank_correlation(sizes, truth)))
