"""Weights of checkpoints and the ridge's size learned from the rows themselves, without truth.

Members are all that the run keeps, so that there is something to learn: those at the end of
training are the bad ones. What is learned looks at two sketch seeds, or at how well train rows
foretell a query's sketch; never at a retraining.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import nnls

from attribution.task import Checkpoint
from benchmarks.ideas.idea import Idea, Result, at, compressed, exact, window
from benchmarks.ideas.rows import (
    RIDGE,
    Array,
    Kernels,
    Look,
    bit_kernels,
    exact_kernels,
    item_bytes,
    look,
    normalised,
    ridged,
    whole_bytes,
    width,
)
from benchmarks.ideas.workshop import Workshop

ALL = at(0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
RIDGES = tuple(2.0**power for power in range(-6, 6))
Weigh = Callable[[Array, Array], Array]  # scores (member, query, train) of two seeds → (member,)


def reliable(ours: Array, again: Array) -> Array:
    """Weigh a member by r / (1 - r), r the correlation of its scores under two sketch seeds."""
    r = np.array([_correlation(a, b) for a, b in zip(ours, again, strict=True)])
    r = r.clip(0, 0.999)
    return np.asarray(r / (1 - r))


def agreeing(ours: Array, again: Array) -> Array:
    """Choose weights from zero up, by which one seed comes closest to the other's plain sum."""
    found, _ = nnls(ours.reshape(len(ours), -1).T, again.sum(0).ravel())
    return np.asarray(found)


def left_over(found: Kernels, lengths: Array, numbers: int, ridge: float) -> float:
    """Return the generalised cross-validation of writing queries as sums of train rows.

    A query's sketch is `numbers` observations of a ridge regression on the train rows; `lengths`
    are the queries' squared ones (Golub, Heath and Wahba 1979). Mean over queries, as a share.
    """
    damping = ridge * np.diag(found.train).mean()
    weights = ridged(found, ridge)
    inside = (weights * found.query).sum(1)
    fitted = ((weights @ found.train) * weights).sum(1)
    values = np.linalg.eigvalsh(found.train).clip(0)
    freedom = (values / (values + damping)).sum() / numbers
    return float(((lengths - 2 * inside + fitted) / lengths).mean() / (1 - freedom) ** 2)


def best_ridge(found: Kernels, lengths: Array, numbers: int) -> float:
    """Choose the ridge that leaves least over."""
    return min(RIDGES, key=lambda ridge: left_over(found, lengths, numbers, ridge))


def _correlation(a: Array, b: Array) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _member_scores(shop: Workshop, chosen: Sequence[Checkpoint], seed: int) -> Array:
    looked = (bit_kernels(shop, checkpoint, Look(seed=seed)) for checkpoint in chosen)
    return np.stack([normalised(ridged(found, RIDGE)) for found in looked])


def _learned(weigh: Weigh) -> Callable[[Workshop], Result]:
    def make(shop: Workshop) -> Result:
        chosen = ALL(shop)
        ours, again = (_member_scores(shop, chosen, seed) for seed in (0, 1))
        scores = np.tensordot(weigh(ours, again), ours, axes=1)
        return Result(scores=scores, stored=item_bytes(shop, len(chosen)))

    return make


def _chosen_ridge(shop: Workshop) -> Result:
    chosen, parts = window(shop), []
    for checkpoint in chosen:
        found = bit_kernels(shop, checkpoint)
        lengths = look(shop, checkpoint).query.double().square().sum(1).numpy()
        ridge = best_ridge(found, lengths, width(shop))
        parts.append(normalised(ridged(found, ridge)))
    return Result(scores=np.sum(parts, axis=0), stored=item_bytes(shop, len(chosen)))


def _joint(shop: Workshop) -> Result:
    """Stand the rows of all checkpoints side by side, each at the same mean length."""
    chosen = window(shop)
    scaled = []
    for checkpoint in chosen:
        found = exact_kernels(shop, checkpoint)
        size = np.diag(found.train).mean()
        scaled.append(Kernels(query=found.query / size, train=found.train / size))
    whole = Kernels(
        query=np.sum([found.query for found in scaled], axis=0),
        train=np.sum([found.train for found in scaled], axis=0),
    )
    scores = normalised(ridged(whole, RIDGE))
    return Result(scores=scores, stored=whole_bytes(shop, len(chosen)))


IDEAS = (
    Idea(
        name="six-equal",
        says="all six checkpoints of the run, equal weights: no window to choose",
        make=compressed(ALL),
    ),
    Idea(
        name="six-reliable",
        says="six, weighed by how well two sketch seeds agree",
        make=_learned(reliable),
        against="six-equal",
    ),
    Idea(
        name="six-agreeing",
        says="six, non-negative weights that bring one sketch seed closest to another",
        make=_learned(agreeing),
        against="six-equal",
    ),
    Idea(
        name="ridge-by-gcv",
        says="the ridge of each checkpoint by generalised cross-validation",
        make=_chosen_ridge,
    ),
    Idea(
        name="joint-gram",
        says="one Gram over the checkpoints instead of one each, EK-FAC in every direction",
        make=_joint,
        against="exact",
    ),
    Idea(
        name="six-exact",
        says="all six checkpoints, EK-FAC in every direction",
        make=exact(ALL),
        against="exact",
    ),
)
