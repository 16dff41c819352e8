"""Mean weights over windows of a run, and mean gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch

from attribution.sketch import Sketch
from attribution.task import Checkpoint
from attribution.whitening import whitened
from benchmarks.ideas.codes import side_within
from benchmarks.ideas.idea import Choose, Idea, Result, compressed, exact, means, window
from benchmarks.ideas.rows import (
    Look,
    Seen,
    bit_kernels,
    bits,
    coded,
    item_bytes,
    kernels,
    sketch_of,
    summed,
    through,
    whitening,
)
from benchmarks.ideas.workshop import Workshop

_NEIGHBOURS = means((0.2, 0.3), (0.4,), (0.4, 0.5))
_LONG = means((0.2, 0.3, 0.4), (0.3, 0.4, 0.5))


def mean_of(every: Sequence[Seen]) -> Seen:
    """Average rows and queries over checkpoints."""
    return Seen(
        train=torch.stack([seen.train for seen in every]).mean(0),
        query=torch.stack([seen.query for seen in every]).mean(0),
    )


def wide(shop: Workshop, members: int) -> Look:
    """Sketch so few members as widely as the default's bytes allow."""
    share = len(window(shop)) / members
    return Look(side=side_within(shop, lambda numbers: numbers / 8 / share))


def _fewer(choose: Choose) -> Callable[[Workshop], Result]:
    """Make the default's scores from fewer members, with wider sketches at the same bytes."""

    def make(shop: Workshop) -> Result:
        chosen = choose(shop)
        how = wide(shop, len(chosen))
        scores = summed(bit_kernels(shop, checkpoint, how) for checkpoint in chosen)
        return Result(scores=scores, stored=item_bytes(shop, len(chosen), side=how.side))

    return make


def _mean_features(shop: Workshop) -> Result:
    """Average gradients over checkpoints, all in the whitening of the middle one."""
    chosen, how = window(shop), wide(shop, 1)
    see: Callable[[Checkpoint], Seen] = partial(_seen_from, shop, _middle(shop, chosen, how))
    found = kernels(coded(bits, mean_of([see(checkpoint) for checkpoint in chosen])))
    return Result(scores=summed([found]), stored=item_bytes(shop, 1, side=how.side))


def _middle(shop: Workshop, chosen: Sequence[Checkpoint], how: Look) -> Sketch:
    return whitened(sketch_of(shop, how), whitening(shop, chosen[len(chosen) // 2]))


def _seen_from(shop: Workshop, sketch: Sketch, checkpoint: Checkpoint) -> Seen:
    return through(shop, checkpoint, sketch)


IDEAS = (
    Idea(
        name="neighbours",
        says="mean weights of 20-30 %, 40 % as it is, mean of 40-50 %",
        make=compressed(_NEIGHBOURS),
    ),
    Idea(
        name="neighbours-exact",
        says="the same members, EK-FAC in every direction",
        make=exact(_NEIGHBOURS),
        against="exact",
    ),
    Idea(
        name="long-means",
        says="mean weights of 20-30-40 % and of 30-40-50 %, sketches as wide as the bytes allow",
        make=_fewer(_LONG),
    ),
    Idea(
        name="long-means-exact",
        says="the same two members, EK-FAC in every direction",
        make=exact(_LONG),
        against="exact",
    ),
    Idea(
        name="one-mean-exact",
        says="mean weights of 30-40-50 % alone: a third of the cost",
        make=exact(means((0.3, 0.4, 0.5))),
        against="exact",
    ),
    Idea(
        name="mean-features",
        says="gradients averaged over the checkpoints in one whitening, one wide sketch",
        make=_mean_features,
    ),
)
