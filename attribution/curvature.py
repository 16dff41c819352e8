"""The damped Gram of rows, and its inverse applied to vectors.

For rows Φ (row, width) the curvature is G = ΦᵀΦ + λI, with λ a multiple (the ridge) of the mean
squared length of a row, which is the mean diagonal of ΦΦᵀ. There is one Gram for all columns, or
one for the columns of each parameter (LoGra), so that large gradients do not drown the others.

It is solved on whichever side is smaller: through ΦᵀΦ (column, column), or through ΦΦᵀ (row, row)
by G⁻¹v = (v - Φᵀ(ΦΦᵀ + λI)⁻¹Φv) / λ (Woodbury). Where neither is small, by conjugate gradients.
`kernel` needs no vectors where one Gram is solved through ΦΦᵀ.
Rows are streamed, never held all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Blocks = Callable[[], Iterable[Tensor]]  # gives the rows anew on each call, a block at a time
SIDE_MAX = 8192  # the largest side that is factorised
_STRIP = 2**28  # numbers of a strip of rows held while ΦΦᵀ is filled
_ITERATIONS_MAX = 500
_CLOSE = 1e-5  # relative residual


@dataclass(frozen=True, slots=True, kw_only=True)
class DampedGram:
    """The damped Gram of some columns, ready to be inverted."""

    columns: slice
    damping: float
    blocks: Blocks
    rowwise: bool = False  # `cholesky` is of ΦΦᵀ + λI
    cholesky: Tensor | None = None  # of ΦᵀΦ + λI otherwise; None: by conjugate gradients

    def rows(self) -> Iterator[Tensor]:
        """Yield these columns of the rows, a block at a time."""
        for block in self.blocks():
            yield block[:, self.columns]


def damped_grams(
    blocks: Blocks, slices: Sequence[slice], ridge: float, *, side_max: int = SIDE_MAX
) -> list[DampedGram]:
    """Factorise one damped Gram for each slice of the columns."""
    if ridge <= 0:
        raise ValueError(
            f"a ridge of {ridge} leaves the Gram singular; pass one above 0, such as 2"
        )
    count, squares = 0, torch.zeros(0)
    for block in blocks():
        count += len(block)
        lengths = torch.stack([block[:, s].double().square().sum() for s in slices])
        squares = lengths if count == len(block) else squares + lengths
    grams = []
    for columns, square in zip(slices, squares.tolist(), strict=True):
        # A parameter without any gradient gets a damping that changes nothing.
        damping = ridge * square / count if square > 0 else 1.0
        gram = DampedGram(columns=columns, damping=damping, blocks=blocks)
        grams.append(_factorised(gram, count, columns.stop - columns.start, side_max))
    return grams


def precondition(grams: Sequence[DampedGram], vectors: Tensor) -> Tensor:
    """Apply the inverse of every damped Gram to vectors (vector, width); float64."""
    return torch.cat([_solve(gram, vectors[:, gram.columns].double()) for gram in grams], dim=1)


def as_if_inside(
    grams: Sequence[DampedGram], rows: Tensor, groups: Sequence[Sequence[int]]
) -> Tensor:
    """Correct held-back rows as if each group of them had been in the Gram.

    A train row's score has its own leverage divided out, since the Gram holds it; a row outside
    scores too high. By Sherman-Morrison a single row's score shrinks by 1 / (1 + h), with h its
    leverage; for the rows of one work together, (ΦG⁻¹Φᵀ + I)⁻¹ Φ (push-through identity).
    Returns rows to be multiplied by preconditioned queries; float64.
    """
    inverse = precondition(grams, rows)
    corrected = rows.double().clone()
    for group in groups:
        own = torch.as_tensor(list(group), device=rows.device)
        for gram in grams:
            block = corrected[own, gram.columns]
            leverage = inverse[own, gram.columns] @ block.T
            eye = torch.eye(len(group), dtype=leverage.dtype, device=leverage.device)
            corrected[own, gram.columns] = torch.linalg.solve(eye + leverage, block)
    return corrected


def _factorised(gram: DampedGram, count: int, width: int, side_max: int) -> DampedGram:
    if min(count, width) > side_max:
        return gram
    rowwise = count < width
    full = _row_gram(gram, count) if rowwise else _column_gram(gram)
    full.diagonal().add_(gram.damping)
    return DampedGram(
        columns=gram.columns,
        damping=gram.damping,
        blocks=gram.blocks,
        rowwise=rowwise,
        cholesky=torch.linalg.cholesky(full),
    )


def _column_gram(gram: DampedGram) -> Tensor:
    total = torch.zeros(())
    for rows in gram.rows():
        total = total + rows.double().T @ rows.double()
    return total


def _row_gram(gram: DampedGram, count: int) -> Tensor:
    """Fill ΦΦᵀ strip by strip; each strip meets all rows in one pass over them."""
    strips = [
        torch.cat([(strip @ rows.T).double() for rows in gram.rows()], dim=1)
        for strip in _strips(gram)
    ]
    full = torch.cat(strips)
    assert full.shape == (count, count), "the rows changed while they were read"
    return full


def _strips(gram: DampedGram) -> Iterator[Tensor]:
    """Yield the rows in strips as large as may be held at once."""
    held: list[Tensor] = []
    for rows in gram.rows():
        if held and sum(map(torch.numel, held)) + rows.numel() > _STRIP:
            yield torch.cat(held)
            held = []
        held.append(rows)
    if held:
        yield torch.cat(held)


def _solve(gram: DampedGram, vectors: Tensor) -> Tensor:
    if gram.cholesky is None:
        return _conjugate_gradients(gram, vectors)
    if not gram.rowwise:
        return torch.cholesky_solve(vectors.T, gram.cholesky).T
    single = vectors.float()
    products = torch.cat([single @ rows.T for rows in gram.rows()], dim=1)
    weights = torch.cholesky_solve(products.double().T, gram.cholesky).T
    return (vectors - _combined(gram, weights.float())) / gram.damping


def _combined(gram: DampedGram, weights: Tensor) -> Tensor:
    """Sum the rows with these weights: (vector, row) → (vector, column), in float64."""
    total, start = torch.zeros((), dtype=torch.float64), 0
    for rows in gram.rows():
        total = total.to(rows.device) + (weights[:, start : start + len(rows)] @ rows).double()
        start += len(rows)
    return total


def _conjugate_gradients(gram: DampedGram, vectors: Tensor) -> Tensor:
    """Solve G x = v for every vector at once (Hestenes and Stiefel 1952), one pass an iteration."""
    found = torch.zeros_like(vectors)
    residual, direction = vectors.clone(), vectors.clone()
    square = residual.square().sum(1, keepdim=True)
    target = _CLOSE**2 * square
    for _ in range(_ITERATIONS_MAX):
        if bool((square <= target).all()):
            return found
        image = _applied(gram, direction)
        step = square / (direction * image).sum(1, keepdim=True).clamp_min(1e-300)
        found, residual = found + step * direction, residual - step * image
        before, square = square, residual.square().sum(1, keepdim=True)
        direction = residual + square / before.clamp_min(1e-300) * direction
    raise ValueError(
        f"the damped Gram was not inverted in {_ITERATIONS_MAX} iterations; pass a larger ridge"
    )


def _applied(gram: DampedGram, vectors: Tensor) -> Tensor:
    total = gram.damping * vectors
    single = vectors.float()
    for rows in gram.rows():
        total = total + ((single @ rows.T) @ rows).double()
    return total
