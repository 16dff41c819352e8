"""Projections of per-example gradients, drawn or chosen, all behind `project`.

A gradient of a matrix parameter arrives as two factors: for every example b and place t a row
factor l (as long as the matrix has rows) and a column factor r, with gradient Σ_t l_t r_tᵀ.
The Kronecker sketch (LoGra: P_rows ⊗ P_cols) projects the factors and never forms the gradient;
`whitening` folds into the same two matrices. SJLT hashes the formed gradient. Identity keeps every
direction: EK-FAC takes its place with directions that it chooses.

What is drawn is drawn on the CPU from the seed and the parameter's name alone, so batch, device and
the order of the layers change nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class SketchOptions:
    """Which projection, and how wide."""

    kind: Literal["kronecker", "sjlt", "identity"] = "kronecker"
    side: int = 16  # Kronecker: width of each factor; a parameter becomes at most side² numbers
    width: int = 4096  # SJLT: width of the whole sketch
    vectors: bool = False  # biases and norms too


@dataclass(frozen=True, slots=True)
class Kronecker:
    """Two projection matrices; a vector stands for a diagonal, None leaves that side as it is."""

    rows: Tensor | None  # (side, rows of the parameter)
    cols: Tensor | None  # (side, columns of the parameter)
    width: int
    scale: Tensor | None = None  # (width,): EK-FAC's, one number a coordinate
    places: Tensor | None = None  # (width,): the coordinates kept, among rows x cols


@dataclass(frozen=True, slots=True)
class Sjlt:
    """A place and a sign for every coordinate of the parameter (one nonzero a column)."""

    places: Tensor
    signs: Tensor
    width: int


Projection = Kronecker | Sjlt


@dataclass(frozen=True, slots=True)
class Lookup:
    """The row factor of an embedding: at each place, a row of zeros with a single one."""

    ids: Tensor  # (example, place): where the one stands
    size: int  # rows of the table


Factor = Tensor | Lookup | None  # None: the gradient is already formed, and stands on the right


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """One seeded projection for every parameter looked at.

    Kronecker sketches stand side by side in a row; SJLT sketches of all parameters are added
    into the same places.
    """

    projections: Mapping[str, Projection]  # by parameter, in the model's order
    shuffled: bool = False  # the numbers of a row lie in a drawn order, so neighbours are strangers

    @property
    def width(self) -> int:
        """Count the numbers of one sketched row."""
        widths = [p.width for p in self.projections.values()]
        return widths[0] if self.adds else sum(widths)

    @property
    def adds(self) -> bool:
        """Tell whether the parameters share their places."""
        return any(isinstance(p, Sjlt) for p in self.projections.values())


def make_sketch(
    shapes: Mapping[str, tuple[int, ...]], options: SketchOptions, *, seed: int, device: str = "cpu"
) -> Sketch:
    """Make the projection of every parameter that the options do not leave out."""
    kept = {n: matrix_shape(s) for n, s in shapes.items() if options.vectors or len(s) > 1}
    return Sketch(
        projections={
            name: _draw(name, shape, options, seed=seed, device=device)
            for name, shape in kept.items()
        }
    )


def matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """See a parameter as a matrix: its first dimension by all the others."""
    return (shape[0] if shape else 1, math.prod(shape[1:]))


def project(left: Factor, right: Tensor, projection: Projection) -> Tensor:
    """Sketch the gradients Σ_t left_t right_tᵀ; what is drawn keeps inner products in expectation.

    `left` is (example, place, row), `right` (example, place, column); without a left factor,
    `right` is the gradient itself, (example, row, column). The result is (example, width) float32.
    LoGra (Choe et al. 2024, section 3); SJLT (Kane and Nelson 2014).
    """
    if isinstance(projection, Sjlt):
        return _hash(right.float() if left is None else _product(_dense(left), right), projection)
    narrow = _narrow(right, projection.cols)
    if left is None:
        formed = _narrow(narrow.transpose(1, 2), projection.rows).transpose(1, 2)
    else:
        formed = _product(_narrow(left, projection.rows), narrow)
    flat = formed.flatten(1)
    if projection.places is not None:
        flat = flat.index_select(1, projection.places)
    return flat if projection.scale is None else flat * projection.scale


def join(parts: Mapping[str, Tensor], sketch: Sketch) -> Tensor:
    """Put the sketches of all parameters into one row an example: (example, width)."""
    ordered = [parts[name] for name in sketch.projections]
    if sketch.adds:
        return torch.stack(ordered).sum(0)
    row = torch.cat(ordered, dim=1)
    return row.index_select(1, _order(sketch.width).to(row.device)) if sketch.shuffled else row


def _product(left: Tensor, right: Tensor) -> Tensor:
    return left.transpose(1, 2) @ right.float()


def _narrow(factor: Tensor | Lookup, matrix: Tensor | None) -> Tensor:
    if matrix is None:
        return _dense(factor)
    if matrix.ndim == 1:  # a diagonal
        return _dense(factor) * matrix
    if isinstance(factor, Lookup):
        return matrix.T[factor.ids]  # cheaper than a product with ones and zeros
    return factor.float() @ matrix.T


def _dense(factor: Tensor | Lookup) -> Tensor:
    if isinstance(factor, Lookup):
        return torch.nn.functional.one_hot(factor.ids, factor.size).float()
    return factor.float()


def _hash(gradients: Tensor, projection: Sjlt) -> Tensor:
    flat = gradients.flatten(1) * projection.signs
    out = flat.new_zeros(len(flat), projection.width)
    return out.index_add_(1, projection.places, flat)


def _draw(
    name: str, shape: tuple[int, int], options: SketchOptions, *, seed: int, device: str
) -> Projection:
    rows, cols = shape
    if options.kind == "identity":
        return Kronecker(None, None, rows * cols)
    if options.kind == "sjlt":
        generator = _generator(seed, name, "sjlt")
        places = torch.randint(options.width, (rows * cols,), generator=generator)
        signs = torch.randint(2, (rows * cols,), generator=generator) * 2.0 - 1.0
        return Sjlt(places.to(device), signs.to(device), options.width)
    side_rows, side_cols = min(rows, options.side), min(cols, options.side)
    return Kronecker(
        _orthogonal(rows, side_rows, _generator(seed, name, "rows"), device),
        _orthogonal(cols, side_cols, _generator(seed, name, "columns"), device),
        side_rows * side_cols,
    )


def _orthogonal(size: int, side: int, generator: torch.Generator, device: str) -> Tensor | None:
    """Draw `side` orthonormal directions, scaled to keep squared lengths in expectation.

    None repeats another, as independent signs do in part.
    """
    if size == side:
        return None  # nothing to gain
    normal = torch.randn(size, side, generator=generator)
    directions: Tensor = torch.linalg.qr(normal.double()).Q
    return (directions.T * math.sqrt(size / side)).float().to(device)


@lru_cache(maxsize=4)
def _order(width: int) -> Tensor:
    """Draw the order in which the numbers of a row lie; by their count alone."""
    return torch.randperm(width, generator=_generator(0, str(width), "order"))


def _generator(seed: int, name: str, what: str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}\n{name}\n{what}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
