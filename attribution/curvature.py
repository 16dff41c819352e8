"""The damped Gram, one block a parameter, and its inverse applied to rows.

For rows Φ (row, width) of one parameter the curvature is G = ΦᵀΦ + λI, with λ a multiple (the
ridge) of the mean squared length of a row, which is the mean diagonal of ΦΦᵀ. One Gram a parameter
(LoGra) keeps the parameter with the largest gradients from drowning the others.
Everything is solved in float64, on whichever side is smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature:
    """The factorised damped Gram of one parameter's columns."""

    columns: slice
    damping: float
    cholesky: Tensor  # of ΦᵀΦ + λI, or of ΦΦᵀ + λI where there are fewer rows than columns
    rows: Tensor | None  # Φ in the second case, else None


def damped_grams(
    blocks: Callable[[], Iterable[Tensor]], slices: Sequence[slice], ridge: float
) -> list[Curvature]:
    """Factorise one damped Gram for each slice of the columns.

    `blocks` gives the rows anew on each call, a shard at a time as (row, width).
    """
    if ridge <= 0:
        raise ValueError(
            f"a ridge of {ridge} leaves the Gram singular; pass one above 0, such as 2"
        )
    count = sum(len(block) for block in blocks())
    wide = [s for s in slices if s.stop - s.start > count]
    narrow = [s for s in slices if s.stop - s.start <= count]
    found = [*_narrow(blocks, narrow, ridge, count), *_wide(blocks, wide, ridge)]
    return sorted(found, key=lambda curvature: curvature.columns.start)


def precondition(curvatures: Sequence[Curvature], vectors: Tensor) -> Tensor:
    """Apply the inverse of every block to vectors (vector, width); float64."""
    parts = [_solve(c, vectors[:, c.columns].double()) for c in curvatures]
    return torch.cat(parts, dim=1)


def as_if_inside(
    curvatures: Sequence[Curvature], rows: Tensor, groups: Sequence[Sequence[int]]
) -> Tensor:
    """Correct held-back rows as if each group of them had been in the Gram.

    A train row's score has its own leverage divided out, since the Gram holds it; a row outside
    scores too high. By Sherman-Morrison a single row's score shrinks by 1 / (1 + h), with h its
    leverage; for the rows of one work together, (ΦG⁻¹Φᵀ + I)⁻¹ Φ (push-through identity).
    Returns rows to be multiplied by preconditioned queries; float64.
    """
    inverse = precondition(curvatures, rows)
    corrected = rows.double().clone()
    for group in groups:
        own = torch.as_tensor(list(group), device=rows.device)
        for c in curvatures:
            block = corrected[own, c.columns]
            leverage = inverse[own, c.columns] @ block.T
            eye = torch.eye(len(group), dtype=leverage.dtype, device=leverage.device)
            corrected[own, c.columns] = torch.linalg.solve(eye + leverage, block)
    return corrected


def _narrow(
    blocks: Callable[[], Iterable[Tensor]], slices: Sequence[slice], ridge: float, count: int
) -> list[Curvature]:
    grams: list[Tensor] = []
    for block in blocks() if slices else ():
        parts = [block[:, s].double() for s in slices]
        new = [part.T @ part for part in parts]
        grams = [a + b for a, b in zip(grams, new, strict=True)] if grams else new
    return [
        _factorised(gram, columns, damping=_damping(gram, count, ridge), rows=None)
        for columns, gram in zip(slices, grams, strict=True)
    ]


def _wide(
    blocks: Callable[[], Iterable[Tensor]], slices: Sequence[slice], ridge: float
) -> list[Curvature]:
    found = []
    for columns in slices:
        rows = torch.cat([block[:, columns].double() for block in blocks()])
        gram = rows @ rows.T
        damping = _damping(gram, len(rows), ridge)
        found.append(_factorised(gram, columns, damping=damping, rows=rows))
    return found


def _damping(gram: Tensor, count: int, ridge: float) -> float:
    """Scale the ridge; a parameter without any gradient gets a damping that changes nothing."""
    trace = float(gram.trace())
    return ridge * trace / count if trace > 0 else 1.0


def _factorised(gram: Tensor, columns: slice, *, damping: float, rows: Tensor | None) -> Curvature:
    eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    cholesky = torch.linalg.cholesky(gram + damping * eye)
    return Curvature(columns=columns, damping=damping, cholesky=cholesky, rows=rows)


def _solve(curvature: Curvature, vectors: Tensor) -> Tensor:
    if curvature.rows is None:
        return torch.cholesky_solve(vectors.T, curvature.cholesky).T
    # Woodbury: (ΦᵀΦ + λI)⁻¹ v = (v - Φᵀ (ΦΦᵀ + λI)⁻¹ Φ v) / λ
    inner = torch.cholesky_solve(curvature.rows @ vectors.T, curvature.cholesky)
    return (vectors - inner.T @ curvature.rows) / curvature.damping
