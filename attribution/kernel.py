"""Scores under one damped Gram from inner products of rows alone, where rows are fewer than wide.

For rows Φ (row, width), λ as in `curvature`, G = ΦᵀΦ + λI and K = ΦΦᵀ, a query q scores

    train rows      q G⁻¹ Φᵀ = q Φᵀ (K + λI)⁻¹                          push-through identity
    held-back rows  q G⁻¹ Pᵀ = (q Pᵀ - q Φᵀ (K + λI)⁻¹ Φ Pᵀ) / λ        Woodbury identity

so a query is multiplied with rows as they are kept, and neither it nor a row is ever changed.
The Gram of all rows is taken once: of bytes, bits and peaks in integers, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise

import torch
from torch import Tensor

from attribution.encoding import Encoded, decode, signed
from attribution.scan import integers_are_exact, ready, scan

EncodedBlocks = Callable[[], Iterable[Encoded]]  # gives the rows anew on each call, block by block
_SUMS_MAX = 2**31 // 127**2  # numbers of a row whose products of bytes sum to 32 bits
_QUERIES = 128  # multiplied at a time: made ready, they take some 20 bytes a number


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kernel:
    """What turns inner products with rows into scores; all float64."""

    damping: float
    cholesky: Tensor  # of K + λI, (row, row)
    held: Tensor  # (K + λI)⁻¹ Φ Pᵀ, (row, held-back row)
    inside: Sequence[tuple[Tensor, Tensor]]  # by work: its held-back rows, and (I + P G⁻¹ Pᵀ)⁻¹

    def scores(self, train: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        """Turn inner products (query, row) with train and held-back rows into scores.

        Held-back rows score as if each work's had been in the Gram, as in `as_if_inside`.
        """
        train, held = train.double(), held.double()
        outside = (held - train @ self.held) / self.damping
        for own, shrunk in self.inside:
            outside[:, own] = outside[:, own] @ shrunk
        return torch.cholesky_solve(train.T, self.cholesky).T, outside


def fit_kernel(
    gram: Tensor, count: int, ridge: float, works: Sequence[Sequence[int]] = ()
) -> Kernel:
    """Factorise the Gram of rows, float64 (row, row): `count` train rows, then held-back ones.

    `works` say which held-back rows belong together. Raises `ValueError` for a ridge of nothing.
    """
    if ridge <= 0:
        raise ValueError(
            f"a ridge of {ridge} leaves the Gram singular; pass one above 0, such as 2"
        )
    inner, cross = gram[:count, :count].clone(), gram[:count, count:]
    # Rows without any gradient get a damping that changes nothing.
    damping = ridge * float(inner.diagonal().mean()) or 1.0
    inner.diagonal().add_(damping)
    cholesky = torch.linalg.cholesky(inner)
    held = torch.cholesky_solve(cross, cholesky)
    inside = []
    for work in works:
        own = torch.tensor(list(work), device=gram.device)
        within = gram[count + own][:, count + own] - cross[:, own].T @ held[:, own]
        eye = torch.eye(len(own), dtype=gram.dtype, device=gram.device)
        inside.append((own, torch.linalg.inv(eye + within / damping)))
    return Kernel(damping=damping, cholesky=cholesky, held=held, inside=tuple(inside))


def gram_of(blocks: EncodedBlocks, device: str = "cpu") -> Tensor:
    """Multiply all rows with each other: float64 (row, row).

    Two blocks are held at a time, as whole numbers or in single precision.
    """
    ends = list(accumulate((len(block) for block in blocks()), initial=0))
    places = [slice(*pair) for pair in pairwise(ends)]
    full = torch.empty(ends[-1], ends[-1], dtype=torch.float64, device=device)
    for number, block in enumerate(blocks()):
        own = _Numbers.of(block, device)
        for place, other in zip(places, islice(blocks(), number + 1), strict=False):
            found = own.times(_Numbers.of(other, device))
            full[places[number], place] = found
            full[place, places[number]] = found.T
    return full


def products(vectors: Tensor, blocks: Iterable[Encoded]) -> Iterator[Tensor]:
    """Yield inner products with rows as they are kept, a block at a time: float32 (vector, row).

    On the processor straight from the bytes (`scan`), elsewhere from decoded rows.
    """
    if vectors.device.type == "cpu":
        yield from scan(ready(vectors), blocks)
        return
    for block in blocks:
        yield vectors @ torch.from_numpy(decode(block)).to(vectors.device).T


def all_products(vectors: Tensor, blocks: EncodedBlocks) -> Tensor:
    """Return the inner products with all rows, float32 (vector, row)."""
    few = torch.split(vectors, _QUERIES)
    return torch.cat([torch.cat(list(products(each, blocks())), dim=1) for each in few])


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """A block of rows ready to meet another: codes apart from their scales."""

    codes: Tensor  # int8 where integers serve, else float32: (row, width)
    scales: Tensor  # float64 (row,)

    @classmethod
    def of(cls, rows: Encoded, device: str) -> _Numbers:
        codes = torch.from_numpy(signed(rows))
        serves = torch.device(device).type == "cpu" and rows.width <= _SUMS_MAX
        if codes.dtype != torch.int8 or not serves or not integers_are_exact():
            codes = codes.to(device).float()
        return cls(codes, torch.from_numpy(rows.scales).to(device).double())

    def times(self, other: _Numbers) -> Tensor:
        """Multiply rows with rows, float64 (row, other row)."""
        if self.codes.dtype == torch.int8:
            sums = torch._int_mm(self.codes, other.codes.T)  # noqa: SLF001  public name: none yet
        else:
            sums = self.codes @ other.codes.T
        return self.scales[:, None] * sums.double() * other.scales
