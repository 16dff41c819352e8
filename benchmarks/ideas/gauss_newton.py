"""Nearer to the exact Gauss-Newton matrix than EK-FAC, in two ways; both start from EK-FAC.

In EK-FAC-whitened coordinates the curvature should be the identity, and how far it is from that is
what EK-FAC gets wrong. `from_draws` replaces part of the identity by the second moment of whole
gradients of drawn labels, and solves it exactly, as conjugate gradients would in the limit.
`stepped` takes Neumann steps from EK-FAC's answer, as ASTRA does (Wang et al. 2025), with exact
products of minibatches' Gauss-Newton matrices. One checkpoint, at 40 % of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vjp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from attribution.task import Batch, Checkpoint
from attribution.whitening import Whitener, Whitening
from benchmarks.ideas.idea import Idea, Result, at
from benchmarks.ideas.rows import (
    DEFAULT,
    EXACT_RIDGE,
    Array,
    Kernels,
    exact_kernels,
    gradients,
    normalised,
    parameters,
    ridged,
    summed,
    whitening,
    whole,
    whole_bytes,
    whole_sketch,
)
from benchmarks.ideas.workshop import Workshop

_ONE = at(0.4)
_CHUNK = 12  # queries at a time
_POWERS = 6
Vectors = Mapping[str, Tensor]  # by parameter: (vector, *shape of the parameter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How Neumann steps are taken; each is as long as the minibatch lets it be stable."""

    count: int
    rows: int  # of each minibatch


def with_draws(found: Kernels, cross: Kernels, moment: Array, share: float) -> Kernels:
    """Return kernels under (1 - share) I + share FᵀF / n, for n rows F of drawn labels.

    `cross` holds queries and train rows against F, and `moment` is FFᵀ (Woodbury).
    """
    kept, count = 1 - share, len(moment)
    inner = moment + kept * count / share * np.eye(count)
    solved = np.linalg.solve(inner, cross.train.T)  # (draw, train)
    return Kernels(
        query=(found.query - cross.query @ solved) / kept,
        train=(found.train - cross.train @ solved) / kept,
    )


def products(
    model: nn.Module, inputs: Callable[[Tensor], Tensor], batch: Batch, vectors: Vectors
) -> dict[str, Tensor]:
    """Multiply vectors by a batch's mean Gauss-Newton matrix Jᵀ H J of the summed loss.

    H of a token is diag(p) - p pᵀ, p the model's prediction.
    """
    parameters = {name: p.detach() for name, p in model.named_parameters() if name in vectors}

    def logits(values: dict[str, Tensor]) -> Tensor:
        found: Tensor = functional_call(model, values, (inputs(batch["tokens"]),))
        return found

    with sdpa_kernel(SDPBackend.MATH):  # fused attention knows no forward derivative
        predicted, pull, *_ = vjp(logits, parameters)
    chances = predicted.softmax(-1) * batch["mask"][..., None]

    def one(vector: dict[str, Tensor]) -> dict[str, Tensor]:
        tangent = jvp(logits, (parameters,), (vector,))[1]
        mean = (predicted.softmax(-1) * tangent).sum(-1, keepdim=True)
        (found,) = pull(chances * (tangent - mean) / len(batch["tokens"]))
        return {name: product.detach() for name, product in found.items()}

    with sdpa_kernel(SDPBackend.MATH):
        return dict(vmap(one)(dict(vectors)))


def whitened_products(
    multiply: Callable[[Vectors], Vectors], curvature: Whitening, rows: Tensor, damping: float
) -> Tensor:
    """Multiply whitened vectors (vector, width) by the damped curvature in whitened coordinates."""
    sizes = [_scale(whitener).numel() for whitener in curvature.values()]
    parts = dict(zip(curvature, torch.split(rows, sizes, dim=1), strict=True))
    turned = {name: _back(part, curvature[name]) for name, part in parts.items()}
    found = multiply(turned)
    return torch.cat(
        [
            _into(found[name], whitener) + _floor(whitener, damping) * parts[name]
            for name, whitener in curvature.items()
        ],
        dim=1,
    )


def _scale(whitener: Whitener) -> Tensor:
    assert whitener.scale is not None, "EK-FAC has eigenvalues"
    return whitener.scale


def _floor(whitener: Whitener, damping: float) -> Tensor:
    """Return the damping of a parameter in whitened coordinates: (width,)."""
    scale = _scale(whitener)
    return damping / (1 + damping) * scale.pow(-2).mean() * scale.square()


def _back(part: Tensor, whitener: Whitener) -> Tensor:
    """Turn whitened vectors into vectors of the parameter: (vector, rows, columns)."""
    sides = [side.shape[-1] for side in (whitener.rows, whitener.cols)]
    found = (part * _scale(whitener)).view(len(part), *sides)
    found = _times(found, _transposed(whitener.cols))
    return _times(found.transpose(1, 2), _transposed(whitener.rows)).transpose(1, 2)


def _into(found: Tensor, whitener: Whitener) -> Tensor:
    """Whiten vectors of the parameter: (vector, width)."""
    turned = _times(found.flatten(2), whitener.cols)
    turned = _times(turned.transpose(1, 2), whitener.rows).transpose(1, 2)
    return turned.flatten(1) * _scale(whitener)


def _transposed(basis: Tensor) -> Tensor:
    return basis if basis.ndim == 1 else basis.T


def _times(vectors: Tensor, basis: Tensor) -> Tensor:
    return vectors * basis if basis.ndim == 1 else vectors @ basis.T


def _drawn(shop: Workshop, checkpoint: Checkpoint, draws: int) -> tuple[Kernels, Array]:
    """Return queries and train rows against gradients of drawn labels, and those among them."""

    def make() -> tuple[Kernels, Array]:
        sampled = shop.bank.task.sampled
        assert sampled is not None, "a bank's task says how labels are drawn"
        random = torch.Generator().manual_seed(7)  # not the labels that EK-FAC was taken from
        sketch, seen = whole_sketch(shop, checkpoint), whole(shop, checkpoint)
        rows = torch.cat(
            [
                gradients(
                    shop, checkpoint, sketch, lambda m, b: sampled(m, b, random), shop.bank.train
                )
                for _ in range(draws)
            ]
        )
        against = (seen.query @ rows.T, seen.train @ rows.T, rows @ rows.T)
        query, train, moment = (product.double().numpy() for product in against)
        return Kernels(query=query, train=train), moment

    return shop.piece(("drawn", checkpoint.sha256, draws), make)


def from_draws(share: float, draws: int) -> Callable[[Workshop], Result]:
    """Score with part of EK-FAC replaced by drawn gradients."""

    def make(shop: Workshop) -> Result:
        (checkpoint,) = _ONE(shop)
        cross, moment = _drawn(shop, checkpoint, draws)
        found = with_draws(exact_kernels(shop, checkpoint), cross, moment, share)
        return Result(scores=summed([found], EXACT_RIDGE), stored=whole_bytes(shop, 1))

    return make


def stepped(steps: Steps) -> Callable[[Workshop], Result]:
    """Score with queries after some Neumann steps."""

    def make(shop: Workshop) -> Result:
        (checkpoint,) = _ONE(shop)
        seen, found = whole(shop, checkpoint), exact_kernels(shop, checkpoint)
        moved = after_steps(shop, checkpoint, seen.query, steps)
        corrected = Kernels(query=(moved @ seen.train.T).double().numpy(), train=found.train)
        scores = normalised(ridged(corrected, EXACT_RIDGE))
        return Result(scores=scores, stored=whole_bytes(shop, 1))

    return make


def after_steps(shop: Workshop, checkpoint: Checkpoint, query: Tensor, steps: Steps) -> Tensor:
    """Take steps x + (q - A x) / |A| from x = q, A the curvature in whitened coordinates."""
    curvature = whitening(shop, checkpoint, "ekfac")
    curvature = {name: curvature[name] for name in parameters(shop)}
    damping = DEFAULT.index.whitening.damping if DEFAULT.index.whitening else 0.0
    model, found = checkpoint.load(), query.clone()
    for batch in _minibatches(shop, steps):

        def multiply(rows: Tensor, batch: Batch = batch) -> Tensor:
            times = partial(_times_batch, shop, model, batch)
            return whitened_products(times, curvature, rows, damping)

        images = torch.cat([multiply(part) for part in torch.split(found, _CHUNK)])
        found = found + (query - images) / largest(multiply, query.shape[1])
    return found


def largest(multiply: Callable[[Tensor], Tensor], width: int) -> float:
    """Find the largest eigenvalue of a positive matrix by the power method, from below."""
    vector = torch.randn(1, width, generator=torch.Generator().manual_seed(0))
    for _ in range(_POWERS):
        vector = multiply(vector / vector.norm())
    return float(vector.norm())


def _times_batch(shop: Workshop, model: nn.Module, batch: Batch, vectors: Vectors) -> Vectors:
    shapes = parameters(shop)
    whole = {name: vector.reshape(len(vector), *shapes[name]) for name, vector in vectors.items()}
    return products(model, shop.bank.inputs, batch, whole)


def _minibatches(shop: Workshop, steps: Steps) -> Iterator[Batch]:
    random = torch.Generator().manual_seed(0)
    train = shop.bank.train
    for _ in range(steps.count):
        places = torch.randperm(len(train), generator=random)[: steps.rows].tolist()
        yield from train.take(places).batches(steps.rows)


IDEAS = (
    Idea(
        name="drawn-curvature-quarter",
        says="a quarter of EK-FAC replaced by whole gradients of drawn labels, three a row",
        make=from_draws(0.25, 3),
        against="exact-one",
    ),
    Idea(
        name="drawn-curvature-half",
        says="half of it",
        make=from_draws(0.5, 3),
        against="exact-one",
    ),
    Idea(
        name="neumann",
        says="two stable Neumann steps with exact Gauss-Newton products of 8 rows, every query",
        make=stepped(Steps(count=2, rows=8)),
        against="exact-one",
    ),
)
