"""Ranks: Spearman's correlation of columns, its replicates, and the best of a row.

Ties share their mean rank. A correlation is NaN where it has no meaning: a column that does not
vary, or that holds a number that is not finite.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from attribution.evaluation.estimate import Array, Whole


def rank_correlation(one: Array, other: Array) -> Array:
    """Return Spearman's correlation of each pair of columns: (row, column) twice → (column,)."""
    if len(one) < 2:  # noqa: PLR2004 - one row has nothing to be ranked with
        return np.full(one.shape[1], np.nan)
    weights = np.ones((1, len(one)))
    pairs = zip(_ranked(one).T, _ranked(other).T, strict=True)
    return np.array([_correlation(a[None], b[None], weights)[0] for a, b in pairs])


def resampled_rank_correlation(one: Array, other: Array, weights: Array) -> Array:
    """Return the same with rows drawn again: (replicate, column).

    `weights` (replicate, row) says how often each row was drawn; drawn twice, it ties with itself,
    and ranks are those within the draw.
    """
    columns = [
        _correlation(_ranks_within(a, weights), _ranks_within(b, weights), weights)
        for a, b in zip(one.T, other.T, strict=True)
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(weights), 0))


def best(scores: Array, count: int) -> Whole:
    """Return the places of the highest scores of each row: (row, count), ties to the earlier."""
    return np.argsort(-scores, axis=-1, kind="stable")[..., :count]


def _ranked(values: Array) -> Array:
    finite = np.isfinite(values).all(0)
    ranks = stats.rankdata(np.where(finite, values, 0.0), axis=0)
    return np.where(finite, ranks, np.nan)


def _ranks_within(values: Array, weights: Array) -> Array:
    """Return each row's mean rank in each draw (replicate, row), up to a constant."""
    if not np.isfinite(values).all():
        return np.full_like(weights, np.nan)
    below = (values[None, :] < values[:, None]) + 0.5 * (values[None, :] == values[:, None])
    return np.asarray(weights @ below.T)


def _correlation(one: Array, other: Array, weights: Array) -> Array:
    """Return weighted correlations over the last axis; NaN where one side does not vary."""
    one, other = _centred(one, weights), _centred(other, weights)
    weighed = weights * one
    size = _dot(weighed, one) * _dot(weights * other, other)
    # Ranks are multiples of 1/2, so what varies at all varies by more than rounding.
    varies = size > 1e-9  # noqa: PLR2004
    return np.where(varies, _dot(weighed, other) / np.sqrt(np.where(varies, size, 1.0)), np.nan)


def _centred(values: Array, weights: Array) -> Array:
    return np.asarray(values - (_dot(weights, values) / weights.sum(-1))[:, None])


def _dot(one: Array, other: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->i", one, other))
