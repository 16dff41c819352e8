"""Rows as ideas see them, how they are coded, and scores from their kernels.

Everything goes through the engine's functions. An index would keep rows on disk; here they stay in
memory, so that an idea can change what lies between them and the scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from attribution.encoding import Dtype, decode, encode, row_bytes
from attribution.gradients import Lens, Names, sketched_rows, unhooked
from attribution.index import IndexOptions
from attribution.methods.recipes import RECIPES
from attribution.moments import Subject
from attribution.sketch import Sketch, SketchOptions, make_sketch, matrix_shape
from attribution.task import Checkpoint, PerExample, Rows, chosen_parameters
from attribution.whitening import Whitening, WhiteningOptions, fit_whitening, whitened
from benchmarks.ideas.workshop import Workshop

Array = np.ndarray[Any, np.dtype[Any]]
Kind = Literal["kfac", "ekfac"]
Shapes = Mapping[str, tuple[int, ...]]
# What ideas are held against: the default until one of them took its place (`loudest-group-max`).
DEFAULT = replace(
    RECIPES["default"],
    index=IndexOptions(
        sketch=SketchOptions(side=40),
        whitening=WhiteningOptions(rows_max=1024),
        seeds=(0,),
        dtype="bit",
    ),
)
SIDE = DEFAULT.index.sketch.side
RIDGE = DEFAULT.scoring.ridge
EXACT_RIDGE = RECIPES["ekfac"].scoring.ridge
ITEMS = 32  # at a time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """Train rows and queries through one sketch: (train, width) and (query, width), float32."""

    train: Tensor
    query: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kernels:
    """Inner products, float64: queries with train rows (query, train), and those (train, train)."""

    query: Array
    train: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a checkpoint is looked at. `draw` makes the sketch, where it is not the engine's own."""

    side: int = SIDE
    seed: int = 0
    draw: Callable[[Shapes, int, int], Sketch] | None = None  # of shapes, side and seed


Code = Callable[[Tensor], Tensor]  # rows as they come back from what is kept of them


def exactly(rows: Tensor) -> Tensor:
    """Keep rows as they are."""
    return rows


def kept_as(dtype: Dtype, rows: Tensor) -> Tensor:
    """Keep rows as the engine encodes them."""
    return torch.from_numpy(decode(encode(rows.numpy(), dtype)))


bits: Code = partial(kept_as, "bit")


def parameters(shop: Workshop) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters that rows are made of."""

    def find() -> dict[str, tuple[int, ...]]:
        model = shop.bank.new_model()
        shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
        names = chosen_parameters(shop.bank.task, model)
        return {name: shapes[name] for name in names if len(shapes[name]) > 1}

    return shop.piece(("parameters",), find)


def width(shop: Workshop, side: int = SIDE) -> int:
    """Count the numbers of a row with this side."""
    return make_sketch(parameters(shop), SketchOptions(side=side), seed=0).width


def item_bytes(shop: Workshop, members: int, *, side: int = SIDE, dtype: Dtype = "bit") -> int:
    """Count the bytes that are kept of an item."""
    return members * row_bytes(width(shop, side), dtype)


def whole_bytes(shop: Workshop, members: int) -> int:
    """Count the bytes of rows that keep every direction, in half precision."""
    numbers = sum(int(np.prod(shape)) for shape in parameters(shop).values())
    return members * row_bytes(numbers, "float16")


def whitening(shop: Workshop, checkpoint: Checkpoint, kind: Kind = "kfac") -> Whitening:
    """Take a checkpoint's curvature, as the recipes do."""
    options: WhiteningOptions = replace(DEFAULT.index.whitening or WhiteningOptions(), kind=kind)

    def fit() -> Whitening:
        names = Names(frozenset(parameters(shop)) - _slow(shop), _slow(shop))
        shapes = {name: matrix_shape(shape) for name, shape in parameters(shop).items()}
        subject = Subject(checkpoint.load(), shop.bank.task, names, shapes)
        return fit_whitening(subject, shop.bank.train, options)

    return shop.piece(("whitening", kind, checkpoint.sha256), fit)


def look(shop: Workshop, checkpoint: Checkpoint, how: Look | None = None) -> Seen:
    """See a checkpoint through whitened sketches."""
    how = how or Look()

    def see() -> Seen:
        folded = whitened(sketch_of(shop, how), whitening(shop, checkpoint))
        return through(shop, checkpoint, folded)

    return shop.piece(("seen", checkpoint.sha256, how), see, large=True)


def whole(shop: Workshop, checkpoint: Checkpoint) -> Seen:
    """See every direction of a checkpoint, whitened by EK-FAC in its eigenvectors' basis."""
    return shop.piece(
        ("whole", checkpoint.sha256),
        lambda: through(shop, checkpoint, whole_sketch(shop, checkpoint)),
        large=True,
    )


def whole_sketch(shop: Workshop, checkpoint: Checkpoint) -> Sketch:
    """Return the projection that whitens by EK-FAC and leaves nothing out."""
    everything = make_sketch(parameters(shop), SketchOptions(kind="identity"), seed=0)
    return whitened(everything, whitening(shop, checkpoint, "ekfac"))


def sketch_of(shop: Workshop, how: Look) -> Sketch:
    """Draw a sketch."""
    if how.draw is not None:
        return how.draw(parameters(shop), how.side, how.seed)
    return make_sketch(parameters(shop), SketchOptions(side=how.side), seed=how.seed)


def through(shop: Workshop, checkpoint: Checkpoint, sketch: Sketch) -> Seen:
    """See train rows and queries through a sketch."""
    function = shop.bank.task.measurement
    return Seen(
        train=gradients(shop, checkpoint, sketch, function, shop.bank.train),
        query=gradients(shop, checkpoint, sketch, function, shop.bank.query),
    )


def gradients(
    shop: Workshop, checkpoint: Checkpoint, sketch: Sketch, function: PerExample, rows: Rows
) -> Tensor:
    """Sketch the gradients of a function of every row: (row, width)."""
    lens = Lens(model=checkpoint.load(), function=function, sketches=(sketch,), slow=_slow(shop))
    return torch.cat([found[0] for found in sketched_rows(lens, rows, ITEMS)])


def kernels(seen: Seen) -> Kernels:
    """Hold rows and queries against rows."""
    return Kernels(
        query=(seen.query @ seen.train.T).double().numpy(),
        train=(seen.train @ seen.train.T).double().numpy(),
    )


def coded(code: Code, seen: Seen) -> Seen:
    """Keep train rows by a code; queries are never kept."""
    return Seen(train=code(seen.train), query=seen.query)


def exact_kernels(shop: Workshop, checkpoint: Checkpoint) -> Kernels:
    """Return the kernels of EK-FAC influence."""
    return shop.piece(("exact", checkpoint.sha256), lambda: kernels(whole(shop, checkpoint)))


def bit_kernels(shop: Workshop, checkpoint: Checkpoint, how: Look | None = None) -> Kernels:
    """Return the kernels of rows of one bit a number."""
    how = how or Look()
    key = ("bits", checkpoint.sha256, how)
    return shop.piece(key, lambda: kernels(coded(bits, look(shop, checkpoint, how))))


def ridged(found: Kernels, ridge: float) -> Array:
    """Score by q (SᵀS + λI)⁻¹ Sᵀ, with λ a multiple of a row's mean squared length."""
    damping = ridge * np.diag(found.train).mean()
    inner = found.train + damping * np.eye(len(found.train))
    scores: Array = np.linalg.solve(inner, found.query.T).T
    return scores


def normalised(scores: Array) -> Array:
    """Divide each query's scores by their root mean square."""
    return np.asarray(scores / np.sqrt((scores**2).mean(1, keepdims=True) + 1e-300))


def summed(every: Iterable[Kernels], ridge: float = RIDGE) -> Array:
    """Score at every checkpoint, normalise by query, add up."""
    return np.asarray(np.sum([normalised(ridged(found, ridge)) for found in every], axis=0))


def _slow(shop: Workshop) -> frozenset[str]:
    """Name the parameters whose gradients hooks get wrong."""
    bank = shop.bank

    def find() -> frozenset[str]:
        few = next(bank.train.batches(2))
        return unhooked(bank.window((1.0,))[0].load(), bank.task.measurement, few, list(names))

    names = parameters(shop)
    return shop.piece(("slow",), find)
