"""Members made from one run without training: dropout masks, and weights drawn around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from attribution.ensemble.checkpoints import Load, derived_sha256
from attribution.ensemble.dropout import DropoutOptions, dropout
from attribution.sketch import matrix_shape
from attribution.task import Checkpoint
from attribution.whitening import Whitening
from benchmarks.ideas.idea import Choose, Idea, compressed, exact, window
from benchmarks.ideas.rows import whitening
from benchmarks.ideas.workshop import Workshop

_MASKS = DropoutOptions(masks=1)


def drawn(
    checkpoint: Checkpoint, curvature: Whitening, rows: int, *, spread: float, seed: int
) -> Checkpoint:
    """Draw weights from the Laplace posterior that K-FAC gives, its deviation times `spread`.

    The precision is the damped curvature of `rows` examples, so a weight moves by
    spread / √rows times R^(-1/2) Z C^(-1/2), with Z standard normal (Ritter et al. 2018).
    """
    options = {"rows": rows, "spread": spread, "seed": seed}
    return Checkpoint(
        name=f"{checkpoint.name}+draw-{seed}",
        sha256=derived_sha256([checkpoint], "posterior", options),
        load=partial(_load, checkpoint.load, curvature, spread / rows**0.5, seed),
        run=checkpoint.run,
        learning_rate=checkpoint.learning_rate,
    )


def _load(load: Load, curvature: Whitening, size: float, seed: int) -> nn.Module:
    model, random = load(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in curvature:
                noise = torch.randn(matrix_shape(tuple(parameter.shape)), generator=random)
                roots = curvature[name]
                moved = _by(_by(noise, roots.cols).T, roots.rows).T
                parameter.add_(size * moved.view_as(parameter))
    return model.eval()


def _by(noise: Tensor, root: Tensor) -> Tensor:
    return noise * root if root.ndim == 1 else noise @ root


def masked(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Give every checkpoint one dropout mask of its own."""
    return [member for checkpoint in checkpoints for member in dropout(checkpoint, _MASKS)]


def _and(*choices: Choose) -> Choose:
    return lambda shop: [checkpoint for choose in choices for checkpoint in choose(shop)]


def _masks(shop: Workshop) -> list[Checkpoint]:
    return masked(window(shop))


def _draws(spread: float) -> Callable[[Workshop], list[Checkpoint]]:
    def choose(shop: Workshop) -> list[Checkpoint]:
        rows = len(shop.bank.train)
        return [
            drawn(checkpoint, whitening(shop, checkpoint), rows, spread=spread, seed=0)
            for checkpoint in window(shop)
        ]

    return choose


IDEAS = (
    Idea(
        name="masks",
        says="a fixed dropout mask a checkpoint, in place of the whole network",
        make=compressed(_masks),
    ),
    Idea(
        name="masks-beside",
        says="whole networks and as many masked ones: twice the cost and bytes",
        make=compressed(_and(window, _masks)),
    ),
    Idea(
        name="masks-beside-exact",
        says="the same, EK-FAC in every direction",
        make=exact(_and(window, _masks)),
        against="exact",
    ),
    Idea(
        name="posterior",
        says="weights drawn once around each checkpoint, a third of the posterior's deviation",
        make=compressed(_draws(0.3)),
    ),
    Idea(
        name="posterior-small",
        says="the same with a thirtieth of the deviation",
        make=compressed(_draws(0.03)),
    ),
    Idea(
        name="posterior-beside",
        says="the checkpoints and the draws at a third: twice the cost and bytes",
        make=compressed(_and(window, _draws(0.3))),
    ),
)
