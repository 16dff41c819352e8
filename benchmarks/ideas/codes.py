"""Other codes than one sign a number, at the bytes of the default."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from attribution.encoding import Dtype, row_bytes
from benchmarks.ideas.idea import Idea, Result, window
from benchmarks.ideas.rows import (
    SIDE,
    Code,
    Kernels,
    Look,
    bit_kernels,
    coded,
    exactly,
    item_bytes,
    kept_as,
    kernels,
    look,
    summed,
    width,
)
from benchmarks.ideas.workshop import Workshop

GROUP = 8  # numbers, of which the place (3 bits) and the sign (1 bit) of the largest are kept
_WIDEST = 96


def largest_of_group(rows: Tensor) -> Tensor:
    """Keep place and sign of the largest number of every random group, half a bit a number."""
    count = rows.shape[1] // GROUP * GROUP
    order = torch.randperm(rows.shape[1], generator=torch.Generator().manual_seed(0))[:count]
    groups = rows[:, order].view(len(rows), -1, GROUP)
    places = groups.abs().argmax(2, keepdim=True)
    values = groups.gather(2, places)
    size = values.abs().mean(1, keepdim=True)
    kept = torch.zeros_like(groups).scatter_(2, places, values.sign() * size)
    found = torch.zeros_like(rows)
    found[:, order] = kept.flatten(1)
    return found


def group_bytes(numbers: int) -> float:
    """Count the bytes of a row of so many numbers, with its scale."""
    return numbers / GROUP / 2 + 4


def bit_bytes(numbers: int) -> float:
    """Count the bytes of a row of one bit a number, as the engine keeps it."""
    return row_bytes(numbers, "bit")


def side_within(shop: Workshop, size_of: Callable[[int], float]) -> int:
    """Return the largest side whose rows take no more than the default's bits."""
    limit = bit_bytes(width(shop))
    return max(side for side in range(1, _WIDEST + 1) if size_of(width(shop, side)) <= limit)


def _within(
    code: Code, size_of: Callable[[int], float], *, seed: int = 0
) -> Callable[[Workshop], Result]:
    """Code rows, with a sketch as wide as the default's bytes allow."""

    def make(shop: Workshop) -> Result:
        side, chosen = side_within(shop, size_of), window(shop)
        rows = (look(shop, checkpoint, Look(side=side, seed=seed)) for checkpoint in chosen)
        scores = summed(kernels(coded(code, seen)) for seen in rows)
        return Result(scores=scores, stored=len(chosen) * size_of(width(shop, side)))

    return make


def _bytes_as(dtype: Dtype) -> Callable[[int], float]:
    return lambda numbers: row_bytes(numbers, dtype)


def _unrounded(shop: Workshop) -> Result:
    chosen = window(shop)
    scores = summed(kernels(look(shop, checkpoint)) for checkpoint in chosen)
    return Result(scores=scores, stored=4 * len(chosen) * width(shop))


def _ridge_of_rows(shop: Workshop) -> Result:
    """Take the Gram from the rows before they were rounded, everything else from the bits."""
    chosen = window(shop)
    mixed = []
    for checkpoint in chosen:
        rounded, unrounded = bit_kernels(shop, checkpoint), kernels(look(shop, checkpoint))
        scale = np.diag(rounded.train).mean() / np.diag(unrounded.train).mean()
        mixed.append(Kernels(query=rounded.query, train=unrounded.train * scale))
    return Result(scores=summed(mixed), stored=item_bytes(shop, len(chosen), side=SIDE))


IDEAS = (
    Idea(
        name="unrounded",
        says="the default's sketch in float32: what the bits cost, apart from the sketch",
        make=_unrounded,
    ),
    Idea(
        name="int8",
        says="one byte a number, and a narrower sketch for it",
        make=_within(partial(kept_as, "int8"), _bytes_as("int8")),
    ),
    Idea(
        name="float32",
        says="float32, and a far narrower sketch for it",
        make=_within(exactly, lambda numbers: 4.0 * numbers),
    ),
    Idea(
        name="group-max",
        says="place and sign of the largest of 8 numbers, and a wider sketch for it",
        make=_within(largest_of_group, group_bytes),
    ),
    Idea(
        name="group-max-second",
        says="the same with another sketch seed",
        make=_within(largest_of_group, group_bytes, seed=1),
        against="second-seed",
    ),
    Idea(
        name="ridge-of-rows",
        says="the ridge's Gram from rows before rounding",
        make=_ridge_of_rows,
    ),
)
