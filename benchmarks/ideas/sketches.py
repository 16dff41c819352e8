"""Other projections than random orthogonal ones, at the bytes of the default."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor

from attribution.sketch import Kronecker, Sketch, matrix_shape
from benchmarks.ideas.codes import GROUP, bit_bytes, group_bytes, largest_of_group
from benchmarks.ideas.idea import Idea, Result, compressed, window
from benchmarks.ideas.rows import (
    SIDE,
    Code,
    Look,
    Seen,
    Shapes,
    bits,
    coded,
    kernels,
    parameters,
    summed,
    whole,
    width,
)
from benchmarks.ideas.workshop import Workshop

Transform = Callable[[Workshop, Seen], Seen]


def signs(shapes: Shapes, side: int, seed: int) -> Sketch:
    """Draw sides of independent random signs, as LoGra does, in place of orthogonal ones."""
    return Sketch(
        projections={name: _signs(name, matrix_shape(shapes[name]), side, seed) for name in shapes}
    )


def principal(shop: Workshop, seen: Seen) -> Seen:
    """Keep the leading directions of the train rows, a parameter and side at a time (Tucker)."""
    train: list[Tensor] = []
    query: list[Tensor] = []
    start = 0
    for shape in parameters(shop).values():
        rows, cols = matrix_shape(shape)
        columns = slice(start, start + rows * cols)
        parts = [part[:, columns].reshape(-1, rows, cols) for part in (seen.train, seen.query)]
        left, right = leading(parts[0], SIDE), leading(parts[0].transpose(1, 2), SIDE)
        for found, part in zip((train, query), parts, strict=True):
            found.append((left.T @ part @ right).flatten(1))
        start = columns.stop
    return Seen(train=torch.cat(train, dim=1), query=torch.cat(query, dim=1))


def leading(gradients: Tensor, side: int) -> Tensor:
    """Return the directions in which rows (row, size, other) have most: (size, side)."""
    moment = torch.zeros(gradients.shape[1], gradients.shape[1])
    for block in torch.split(gradients, 32):
        moment += (block @ block.transpose(1, 2)).sum(0)
    directions: Tensor = torch.linalg.eigh(moment)[1][:, -side:]
    return directions


def loudest(seen: Seen, count: int) -> Seen:
    """Keep so many coordinates: those in which train rows have most."""
    kept = seen.train.square().mean(0).topk(count).indices.sort().values
    return Seen(train=seen.train[:, kept], query=seen.query[:, kept])


def _signs(name: str, shape: tuple[int, int], side: int, seed: int) -> Kronecker:
    found = []
    for what, size in zip(("rows", "columns"), shape, strict=True):
        digest = hashlib.sha256(f"{seed}\n{name}\n{what}\nsigns".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
        kept = min(size, side)
        found.append((torch.randint(2, (kept, size), generator=generator) * 2.0 - 1) / kept**0.5)
    return Kronecker(found[0], found[1], len(found[0]) * len(found[1]))


def _from_whole(
    transform: Transform, code: Code = bits, size_of: Callable[[int], float] = bit_bytes
) -> Callable[[Workshop], Result]:
    """Code what a transform leaves of EK-FAC's rows."""

    def make(shop: Workshop) -> Result:
        found, stored = [], 0.0
        for checkpoint in window(shop):
            seen = transform(shop, whole(shop, checkpoint))
            found.append(kernels(coded(code, seen)))
            stored += size_of(seen.train.shape[1])
        return Result(scores=summed(found), stored=stored)

    return make


def _groups(shop: Workshop) -> int:
    """Count the numbers whose groups fit into the default's bytes."""
    return int((bit_bytes(width(shop)) - group_bytes(0)) * 2) * GROUP


IDEAS = (
    Idea(
        name="principal-sides",
        says="the leading directions of the train rows on each side (Tucker), EK-FAC-whitened",
        make=_from_whole(principal),
    ),
    Idea(
        name="loudest-places",
        says="the coordinates of EK-FAC's basis where train rows have most, no sketch",
        make=_from_whole(lambda shop, seen: loudest(seen, width(shop))),
    ),
    Idea(
        name="loudest-group-max",
        says="more of those, of which place and sign of the largest of 8 are kept",
        make=_from_whole(
            lambda shop, seen: loudest(seen, _groups(shop)), largest_of_group, group_bytes
        ),
    ),
    Idea(
        name="no-sketch",
        says="one bit of every coordinate: what the sketch costs, apart from the bits",
        make=_from_whole(lambda _shop, seen: seen),
    ),
    Idea(
        name="second-seed",
        says="the default with another sketch seed: how much of a difference is luck",
        make=compressed(window, Look(seed=1)),
    ),
    Idea(
        name="sign-sides",
        says="sides of independent signs in place of orthogonal ones",
        make=compressed(window, Look(draw=signs)),
    ),
    Idea(
        name="sign-sides-second",
        says="the same with another seed",
        make=compressed(window, Look(seed=1, draw=signs)),
        against="second-seed",
    ),
)
