"""Drawing spans, sketch seeds and runs again, as weights of each in a replicate of the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

RUNS_MIN = 3  # two say too little of how runs differ
Array = np.ndarray[Any, np.dtype[np.float64]]


def drawn_weights(
    random: np.random.Generator, runs: Sequence[str], spans: int, *, count: int, level: float
) -> Array:
    """Weigh (member, span) pairs in each draw: (draw, member x span).

    A member is one sketch seed of the run that `runs` names. Members are averaged and spans added
    up, so the weights of a draw sum to the number of spans. Below `RUNS_MIN` runs members are drawn
    as if they were seeds of one; from there on runs are drawn, and seeds within them, so that
    intervals at `level` hold the mean over runs.
    """
    by_member = _drawn_members(random, np.array(runs), count, level)
    by_span = _drawn(random, spans, count)
    return np.asarray((by_member[:, :, None] * by_span[:, None, :]).reshape(count, -1))


def _drawn_members(
    random: np.random.Generator, runs: np.ndarray[Any, Any], count: int, level: float
) -> Array:
    names = np.unique(runs)
    if len(names) < RUNS_MIN:
        return _drawn(random, len(runs), count) / len(runs)
    by_run = _drawn_runs(random, len(names), count, level)
    weights = np.empty((count, len(runs)))
    for place, name in enumerate(names):
        (own,) = np.nonzero(runs == name)
        weights[:, own] = by_run[:, [place]] * _drawn(random, len(own), count) / len(own)
    return weights


def _drawn_runs(random: np.random.Generator, runs: int, count: int, level: float) -> Array:
    """Weigh runs in each draw, (draw, run), so that their mean strays as a mean of so few does.

    Drawing three runs with replacement would give two thirds of the variance and no long tail. So
    weights stray normally, by the standard error of the mean, times the ratio of Student's t to
    the normal at the ends of the interval: of a normal mean the interval is then exact.
    """
    edge = (1 + level) / 2
    widening = stats.t.ppf(edge, df=runs - 1) / stats.norm.ppf(edge)
    strays = random.normal(size=(count, runs))
    strays -= strays.mean(1, keepdims=True)
    return np.asarray(1 / runs + strays * widening / (runs * (runs - 1)) ** 0.5)


def _drawn(random: np.random.Generator, choices: int, count: int) -> Array:
    """Count how often each choice comes up in as many draws as there are: (draw, choice)."""
    found = random.multinomial(choices, np.full(choices, 1.0 / choices), size=count)
    return found.astype(np.float64)
