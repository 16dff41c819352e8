"""Inner products of queries with encoded rows, straight from the bytes, a block at a time.

Rows of bytes, bits and peaks are multiplied as integers. A query is written as three signed digits
to base 256, a fixed-point number of 24 bits: off by at most 6e-8 of its largest number, as float32
itself would be. Products of digits and codes are summed in integers, exactly, so neither the size
of a block nor the number of threads changes a single bit of a score. Halves are widened to float32
a few at a time, and a block of another size may round differently.

Nothing here holds a (query, row) matrix: `scan` yields it block by block under a bound on memory,
`top_k` and `sum_by` take it in as it comes. Every row is scored; nothing is approximate search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from attribution.encoding import Encoded, decode, signed

MEMORY_MAX = 2**28  # bytes that scoring may use beside the queries and the mapped rows
_PIECE = 2**19  # bytes of widened rows at a time, for each thread: they stay in the cache
_SUMS = 2**24  # bytes of their products at a time
_ROWS_MIN = 64  # fewer at a time cost more in calls than they save
_DIGITS = 3
_BASE = 256
_LARGEST = 127 * (1 + _BASE + _BASE**2)  # that three digits from -128 to 127 can write either way
_INTEGER_WIDTH_MAX = 2**31 // (128 * 127)  # numbers of a row whose sum fits 32 bits
_MASKS = [int.from_bytes(bytes([1 << place] * 8), "little", signed=True) for place in range(8)]
_PLACES = [2.0**-place for place in range(7)] + [-(2.0**-7)]  # the highest bit is a sign
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Query vectors made ready to meet rows."""

    columns: Tensor  # float32 (width, query), on the CPU
    digits: Tensor  # int8 (digit x query, width in whole words of bits)
    planes: Tensor  # the same by the place of a bit in its byte: (8, digit x query, width / 8)
    steps: Tensor  # float64 (query,): what a query's last digit is worth
    sums: Tensor  # float64 (query,): of the query's numbers, as the digits have them

    def __len__(self) -> int:
        """Count the queries."""
        return self.columns.shape[1]


_Kernel = Callable[[Queries, Encoded], Tensor]  # float (row, query), without the rows' scales


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Top:
    """The highest scores of every query, the highest first, ties by row."""

    scores: Array  # float32 (query, k)
    rows: Array  # int64 (query, k); counted over all blocks


def ready(vectors: Tensor) -> Queries:
    """Make query vectors, (query, width), ready. Raises `ValueError` if one is not finite."""
    single = vectors.detach().float().cpu()
    if not bool(single.isfinite().all()):
        raise ValueError("a query holds a number that is not finite; look at its loss")
    steps = single.abs().amax(1).double() / _LARGEST
    divisors = torch.where(steps > 0, steps, 1.0)
    digits = torch.zeros(_DIGITS, len(single), -(-single.shape[1] // 64) * 64, dtype=torch.int8)
    sums = torch.zeros(len(single), dtype=torch.int64)
    for number, row in enumerate(single):  # one at a time, so that it stays in the cache
        whole = (row.double() / divisors[number]).round_().int()
        sums[number] = whole.sum()
        for digit in digits[:, number, : len(row)]:  # balanced, the lowest first
            digit.copy_(whole)  # its lowest byte, as a signed number
            whole = (whole - digit) >> 8
    flat = digits.flatten(0, 1)
    planes = flat.view(len(flat), -1, 8).permute(2, 0, 1).contiguous()
    return Queries(single.T.contiguous(), flat, planes, steps, sums * steps)


def products(queries: Queries, rows: Encoded) -> Tensor:
    """Return the inner products of queries and rows, float32 (query, row)."""
    found = torch.empty(len(rows), len(queries))
    multiply, size = _kernel(queries, rows)
    for start in range(0, len(rows), size):
        found[start : start + size] = multiply(queries, rows.take(slice(start, start + size)))
    return found.mul_(torch.from_numpy(rows.scales)[:, None]).T


def scan(
    queries: Queries, blocks: Iterable[Encoded], *, memory_max: int = MEMORY_MAX
) -> Iterator[Tensor]:
    """Yield the inner products block by block, float32 (query, row), in the order of the rows.

    A block that would take more than `memory_max` bytes is cut into several.
    """
    for block in blocks:
        size = max(_ROWS_MIN, memory_max // (8 * len(queries)))  # this block's, and the next's
        for start in range(0, len(block), size):
            yield products(queries, block.take(slice(start, start + size)))


def top_k(blocks: Iterable[Tensor], k: int) -> Top:
    """Keep the k highest scores of every query from blocks (query, row); the same in any cut."""
    kept: list[Array] = [np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int64)]
    queries, start = 0, 0
    for block in blocks:
        queries = len(block)
        kept = _best(kept, _candidates(block.cpu(), k, start), k)
        start += block.shape[1]
    count = min(k, start)
    return Top(scores=kept[1].reshape(queries, count), rows=kept[2].reshape(queries, count))


def sum_by(blocks: Iterable[Tensor], labels: Sequence[str]) -> tuple[tuple[str, ...], Tensor]:
    """Add scores up by label of the row: the labels in order, and float64 (…, label).

    Blocks are (…, row). Rows are added one after another, so the cut into blocks changes nothing.
    Raises `ValueError` when there are more or fewer labels than rows.
    """
    names, places = np.unique(np.asarray(labels, np.str_), return_inverse=True)
    where, total, start = torch.from_numpy(places), torch.zeros(0), 0
    for block in blocks:
        if not start:
            total = torch.zeros(*block.shape[:-1], len(names), dtype=torch.float64)
        own = where[start : start + block.shape[-1]]
        start += block.shape[-1]
        if len(own) == block.shape[-1]:
            total.index_add_(-1, own, block.cpu().double())
    if start != len(labels):
        raise ValueError(f"{start} rows have {len(labels)} labels; give each row one")
    return tuple(map(str, names)), total


@cache
def integers_are_exact() -> bool:
    """Tell whether this machine multiplies bytes without saturating on the way.

    Some processors add pairs of products in 16 bits. There, float32 is used instead.
    """
    generator = torch.Generator().manual_seed(0)
    left = torch.randint(-127, 128, (64, 256), generator=generator, dtype=torch.int8)
    right = torch.randint(-128, 128, (256, _DIGITS), generator=generator, dtype=torch.int8)
    left[:8], left[8:16], right[:, 0] = 127, -127, -128
    found = torch._int_mm(left, right)  # noqa: SLF001  public name: none yet
    return bool((found.long() == left.long() @ right.long()).all())


def _kernel(queries: Queries, rows: Encoded) -> tuple[_Kernel, int]:
    """Choose how codes are multiplied, and how many rows at a time.

    What is widened on the way must stay in the cache; the products must stay within memory.
    """
    sums = _SUMS // ((4 * _DIGITS + 3 * 8) * max(len(queries), 1))
    cached = _PIECE * torch.get_num_threads() // max(rows.width, 1)
    kernel, most = _of_bytes, sums
    if rows.dtype == "float16":
        kernel, most = _of_halves, min(cached // 4, sums)
    elif rows.width > _INTEGER_WIDTH_MAX or not integers_are_exact():
        kernel, most = _of_decoded, min(cached // 4, sums)
    elif rows.dtype == "bit":
        kernel, most = _of_bits, min(8 * cached, sums)
    elif rows.dtype == "peak":
        kernel, most = _of_peaks, min(cached, sums)
    return kernel, max(_ROWS_MIN, most)


def _of_bytes(queries: Queries, rows: Encoded) -> Tensor:
    sums = torch._int_mm(torch.from_numpy(rows.codes), queries.digits[:, : rows.width].T)  # noqa: SLF001
    return _from_digits(sums.double(), queries)


def _of_peaks(queries: Queries, rows: Encoded) -> Tensor:
    return _of_bytes(queries, replace(rows, codes=signed(rows)))


def _of_bits(queries: Queries, rows: Encoded) -> Tensor:
    """Multiply each of the eight bits of all bytes in turn, left in its place: 0 or ±2^place."""
    words = torch.from_numpy(rows.codes).view(torch.int64)
    alone = torch.empty_like(words)
    total = torch.zeros(len(rows), len(queries.digits), dtype=torch.float64)
    for place, mask in enumerate(_MASKS):
        torch.bitwise_and(words, mask, out=alone)
        sums = torch._int_mm(alone.view(torch.int8), queries.planes[place].T)  # noqa: SLF001
        total.add_(sums, alpha=_PLACES[place])
    # Zeros and ones stand for -1 and +1.
    return 2 * _from_digits(total, queries) - queries.sums


def _of_halves(queries: Queries, rows: Encoded) -> Tensor:
    return _in_floats(queries, torch.from_numpy(rows.codes).float())


def _of_decoded(queries: Queries, rows: Encoded) -> Tensor:
    ones = np.ones(len(rows), np.float32)
    return _in_floats(queries, torch.from_numpy(decode(replace(rows, scales=ones))))


def _in_floats(queries: Queries, wide: Tensor) -> Tensor:
    if len(queries) == 1:
        return torch.mv(wide, queries.columns[:, 0])[:, None]
    return wide @ queries.columns


def _from_digits(sums: Tensor, queries: Queries) -> Tensor:
    """Put sums of digits together, float64 (row, digit x query) to (row, query); exact."""
    digit = sums.view(len(sums), _DIGITS, len(queries))
    return ((digit[:, 2] * _BASE + digit[:, 1]) * _BASE + digit[:, 0]) * queries.steps


def _candidates(block: Tensor, k: int, start: int) -> list[Array]:
    """List (query, score, row) of at least the k highest scores of every query in a block."""
    least = block.topk(min(k, block.shape[1]), dim=1).values[:, -1:]
    query, row = torch.nonzero(block >= least, as_tuple=True)
    return [query.numpy(), block[query, row].float().numpy(), row.numpy() + start]


def _best(kept: Sequence[Array], new: Sequence[Array], k: int) -> list[Array]:
    query, score, row = (np.concatenate(pair) for pair in zip(kept, new, strict=True))
    order = np.lexsort((row, -score, query))
    query, score, row = query[order], score[order], row[order]
    rank = np.arange(len(query)) - np.searchsorted(query, query)
    return [query[rank < k], score[rank < k], row[rank < k]]
