"""What was known to help and costs more, and mixtures with overlap, which nothing is paid by."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.ideas.baselines import similar, token_bytes
from benchmarks.ideas.idea import Choose, Idea, Result, at, compressed, exact, over_runs, window
from benchmarks.ideas.rows import Look, bit_kernels, item_bytes, normalised, summed
from benchmarks.ideas.workshop import Workshop

_FIVE = at(0.2, 0.3, 0.4, 0.5, 0.7)


def with_overlap(make: Callable[[Workshop], Result], share: float) -> Callable[[Workshop], Result]:
    """Add n-gram overlap to normalised scores."""

    def mixed(shop: Workshop) -> Result:
        found = make(shop)
        scores = normalised(found.scores) + share * similar(shop)
        return Result(scores=scores, stored=found.stored + token_bytes(shop.bank.train))

    return mixed


def _seeds(choose: Choose, seeds: int) -> Callable[[Workshop], Result]:
    """Average over sketch seeds, as the recipes' replicates are."""

    def make(shop: Workshop) -> Result:
        chosen = [(c, Look(seed=seed)) for c in choose(shop) for seed in range(seeds)]
        scores = summed(bit_kernels(shop, checkpoint, how) for checkpoint, how in chosen)
        return Result(scores=scores, stored=item_bytes(shop, len(chosen)))

    return make


IDEAS = (
    Idea(
        name="n-gram-beside",
        says="the default and a quarter of overlap: not influence; not adopted",
        make=with_overlap(compressed(window), 0.25),
    ),
    Idea(
        name="n-gram-beside-exact",
        says="exact and .15 of overlap: not influence; not adopted",
        make=with_overlap(exact(window), 0.15),
        against="exact",
    ),
    Idea(name="two-seeds", says="two sketch seeds, averaged", make=_seeds(window, 2)),
    Idea(
        name="five-checkpoints",
        says="20 to 70 %, five checkpoints",
        make=compressed(_FIVE),
    ),
    Idea(
        name="five-exact",
        says="20 to 70 %, five checkpoints, EK-FAC in every direction",
        make=exact(_FIVE),
        against="exact",
    ),
    Idea(name="two-runs", says="two runs", make=compressed(over_runs(2))),
    Idea(name="three-runs", says="three runs", make=compressed(over_runs(3))),
    Idea(
        name="two-runs-exact",
        says="two runs, EK-FAC in every direction",
        make=exact(over_runs(2)),
        against="exact",
    ),
    Idea(
        name="three-runs-exact",
        says="three runs, EK-FAC in every direction",
        make=exact(over_runs(3)),
        against="exact",
    ),
)
