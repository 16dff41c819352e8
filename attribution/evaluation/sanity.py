"""Checks that scores are about the model, and about the query.

Scores of a model with random weights must not look like those of the trained one (Adebayo et al.
2018). And where every query has the same favourites, scores have collapsed onto columns: they say
which rows are loud, not which row shaped this query. The limits are conventions; the figures stand
beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.evaluation.estimate import (
    Array,
    Estimate,
    Resampling,
    draws,
    from_replicates,
    mean_of_defined,
)
from attribution.evaluation.ranks import best, rank_correlation


@dataclass(frozen=True, slots=True, kw_only=True)
class SanityLimits:
    """From where on a figure is called a failure."""

    correlation: float = 0.3  # with the scores of random weights, either way
    first_direction: float = 0.5
    overlap: float = 0.5
    most_frequent: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomised:
    """How alike the scores of trained and of random weights are."""

    correlation: Estimate  # Spearman over train rows, mean over queries
    undefined: int  # queries left out, because scores do not vary or are not finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """How alike the rows of a score matrix are."""

    first_direction: float  # part of the variance in one direction, each query to the same size
    overlap: float  # part of the k best that two queries share, mean over pairs
    overlap_by_chance: float
    most_frequent: float  # part of the queries that have one and the same row among their k best
    most_frequent_row: int  # the place of that row
    k: int
    queries: int
    undefined: int  # queries left out, because scores do not vary or are not finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One check, and a sentence to print."""

    check: str
    passed: bool
    sentence: str


def randomised(trained: Array, untrained: Array, options: Resampling | None = None) -> Randomised:
    """Compare scores (query, train) with those of the same model with weights drawn anew."""
    options = options or Resampling()
    per_query = rank_correlation(np.asarray(trained).T, np.asarray(untrained).T)
    known = per_query[~np.isnan(per_query)]
    random = np.random.default_rng(options.seed)
    weights = draws(random, len(known), options.replicates) if len(known) else np.zeros((1, 0))
    replicates = mean_of_defined(np.broadcast_to(known, weights.shape), weights)
    value = float(mean_of_defined(known))
    return Randomised(
        correlation=from_replicates(value, replicates, options.level),
        undefined=int(np.isnan(per_query).sum()),
    )


def collapse(scores: Array, k: int = 10) -> Collapse:
    """Look for favourites of every query in scores (query, train)."""
    finite = np.asarray(np.isfinite(scores).all(1))
    known = finite & (np.ptp(np.where(finite[:, None], scores, 0.0), axis=1) > 0)
    kept = np.asarray(scores, np.float64)[known]
    k = min(k, scores.shape[1])
    chosen = np.zeros(kept.shape, dtype=bool)
    np.put_along_axis(chosen, best(kept, k), values=True, axis=1)
    times = chosen.sum(0)
    return Collapse(
        first_direction=_first_direction(kept),
        overlap=_overlap(times, len(kept), k),
        overlap_by_chance=k / scores.shape[1],
        most_frequent=float(times.max() / len(kept)) if len(kept) else np.nan,
        most_frequent_row=int(times.argmax()),
        k=k,
        queries=int(known.sum()),
        undefined=int((~known).sum()),
    )


def randomised_verdict(found: Randomised, limits: SanityLimits | None = None) -> Verdict:
    """Say whether scores depend on what the model has learnt."""
    limit = (limits or SanityLimits()).correlation
    value, passed = found.correlation.value, abs(found.correlation.value) <= limit
    meaning = (
        "they depend on what the model has learnt"
        if passed
        else "much of them would be the same had the model learnt nothing"
    )
    return Verdict(
        check="randomised model",
        passed=passed,
        sentence=f"Scores of random weights correlate {value:.2f} with those of the trained model "
        f"(limit {limit:.2f}): {meaning}.{_left_out(found.undefined)}",
    )


def collapse_verdict(found: Collapse, limits: SanityLimits | None = None) -> Verdict:
    """Say whether queries have favourites of their own."""
    limits = limits or SanityLimits()
    passed = (
        found.first_direction <= limits.first_direction
        and found.overlap <= limits.overlap
        and found.most_frequent <= limits.most_frequent
    )
    meaning = "queries have favourites of their own" if passed else "queries share their favourites"
    return Verdict(
        check="column collapse",
        passed=passed,
        sentence=f"One direction holds {found.first_direction:.0%} of the scores; two queries "
        f"share {found.overlap:.0%} of their {found.k} best rows (by chance "
        f"{found.overlap_by_chance:.0%}), and one row is among the best of "
        f"{found.most_frequent:.0%} of queries: {meaning}.{_left_out(found.undefined)}",
    )


def _left_out(undefined: int) -> str:
    return f" Left out: {undefined} queries whose scores do not vary." if undefined else ""


def _first_direction(scores: Array) -> float:
    """Return σ₁² over the sum of σ², each query's scores centred and scaled to length 1."""
    if not len(scores):
        return np.nan
    centred = scores - scores.mean(1, keepdims=True)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return float(np.linalg.eigvalsh(unit @ unit.T)[-1] / len(unit))


def _overlap(times: Array, queries: int, k: int) -> float:
    """Return the mean over pairs of queries, from how often each row is among the best."""
    pairs = queries * (queries - 1) / 2
    return float((times * (times - 1) / 2).sum() / (pairs * k)) if pairs else np.nan
