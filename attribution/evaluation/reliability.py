"""How well a truth that is itself measured repeats: training seeds split in half, and compared."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from attribution.evaluation.estimate import Array, Whole

Split = tuple[Whole, Whole]
_ALL = 5  # seeds; of more, that many splits in half are too many to take all
_DRAWN = 15


def splits(seeds: int, seed: int = 0) -> list[Split]:
    """Split seeds into two halves of equal size: in every way, or of many seeds in 15 drawn ways.

    Of an odd number one seed sits out in turn; one seed alone cannot be split.
    """
    half = seeds // 2
    if not half:
        return []
    if seeds > _ALL:
        random = np.random.default_rng(seed)
        orders = [random.permutation(seeds) for _ in range(_DRAWN)]
        return [(order[:half], order[half : 2 * half]) for order in orders]
    pairs = combinations(combinations(range(seeds), half), 2)
    return [(np.array(a), np.array(b)) for a, b in pairs if not set(a) & set(b)]


def reliability(agreement: Array, seeds: int) -> Array:
    """Stretch the correlation of two halves to all seeds, by Spearman and Brown's formula (1910).

    A perfect foretelling of the truth correlates with it, as measured, by the square root. Below
    zero is noise and counts as zero.
    """
    times = seeds / max(seeds // 2, 1)
    positive = np.maximum(agreement, 0.0)
    return np.asarray(times * positive / (1 + (times - 1) * positive))
