"""A figure with its interval, and the ways an interval is drawn.

What is undefined is NaN, and an interval that some replicate left undefined is NaN too: a figure
that hangs on too few subsets or queries says so by having no interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Array = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Whole = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and its two-sided interval; NaN where either is undefined."""

    value: float
    low: float
    high: float
    level: float  # of the interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How an interval is drawn: its level, how many replicates, from which seed."""

    level: float = 0.90
    replicates: int = 1000
    seed: int = 0


def from_replicates(value: float, replicates: Array, level: float) -> Estimate:
    """Take the interval from the quantiles of replicates (the percentile bootstrap)."""
    edge = (1 - level) / 2
    low, high = np.quantile(replicates, [edge, 1 - edge])
    return Estimate(value=float(value), low=float(low), high=float(high), level=level)


def reflected(value: float, replicates: Array, level: float, most: float = np.inf) -> Estimate:
    """Take the interval from the quantiles of replicates, turned around the value, up to `most`.

    The basic bootstrap, for figures that drawing again pulls down. Rank correlations are: what is
    drawn twice ties with itself, and where they are high percentiles hardly ever hold the truth.
    """
    found = from_replicates(value, replicates, level)
    low, high = (min(2 * value - end, most) for end in (found.high, found.low))
    return Estimate(value=found.value, low=low, high=high, level=level)


def wilson(rate: float, trials: float, level: float) -> Estimate:
    """Return a rate with Wilson's interval (1927), which is not empty at 0 or 1.

    For a mean of numbers between 0 and 1 that are not all 0 or 1 it is a little too wide.
    """
    if not trials > 0 or np.isnan(rate):
        return Estimate(value=float(rate), low=np.nan, high=np.nan, level=level)
    z = float(stats.norm.ppf((1 + level) / 2))
    middle = (rate + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * (rate * (1 - rate) / trials + (z / (2 * trials)) ** 2) ** 0.5
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Estimate(value=float(rate), low=float(low), high=float(high), level=level)


def draws(random: np.random.Generator, things: int, replicates: int) -> Array:
    """Draw so many things again, with replacement: how often each came (replicate, thing)."""
    chances = np.full(things, 1.0 / max(things, 1))
    return random.multinomial(things, chances, size=replicates).astype(np.float64)


def mean_of_defined(values: Array, weights: Array | None = None) -> Array:
    """Average over the last axis what is not NaN; NaN where nothing is defined."""
    known = ~np.isnan(values)
    weighed = known if weights is None else known * weights
    total = (np.where(known, values, 0.0) * weighed).sum(-1)
    count = weighed.sum(-1)
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)
