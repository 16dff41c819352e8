"""How sketched rows are kept as bytes: half precision, one byte or one bit a number, or peaks.

Every row has a float32 scale beside its codes, so that no gradient over- or underflows, whatever
its size. A row x of width w comes back as scale times

    float16   code in [-1, 1]; the scale is the row's largest absolute number. 2 w bytes
    int8      code in [-127, 127]; the scale is that number / 127. w bytes
    bit       +1 or -1, its sign; the scale is the row's mean absolute number, which is the
              nearest that signs can come to x (least squares). w / 8 bytes, in whole 8 bytes
    peak      +1 or -1 at the largest of every eight numbers, 0 at the others: three bits for its
              place, one for its sign; the scale is the mean absolute peak. w / 16 bytes. Code 0
              says that all eight are zero; a group whose peak would have it shows its second

A row of zeros comes back as zeros, by its scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Dtype = Literal["float16", "int8", "bit", "peak"]
DTYPES: tuple[Dtype, ...] = get_args(Dtype)
_WORD = 8  # bytes; rows of bits end on whole words
_LEVELS = 127
_SCALE_BYTES = 4
_GROUP = 8  # numbers that share a peak: 8 places and 2 signs are four bits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """Rows as they are kept. `codes` may be mapped from a file."""

    dtype: Dtype
    width: int  # numbers of a row
    codes: Array  # float16 or int8 (row, width); bits and peaks uint8 (row, bytes), lowest first
    scales: Array  # float32 (row,)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.scales)

    def take(self, rows: slice | Array) -> Encoded:
        """Return some of the rows; a slice copies nothing."""
        return Encoded(
            dtype=self.dtype, width=self.width, codes=self.codes[rows], scales=self.scales[rows]
        )


def encode(rows: Array, dtype: Dtype) -> Encoded:
    """Encode rows, float32 (row, width).

    Raises `ValueError` where a number is not finite, and says in which row.
    """
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"row {wrong[0]} holds a number that is not finite; "
            "look at the model's loss on that example"
        )
    codes, scales = _ENCODERS[dtype](np.asarray(rows, np.float32))
    return Encoded(dtype=dtype, width=rows.shape[1], codes=codes, scales=scales)


def decode(encoded: Encoded) -> Array:
    """Return rows as float32 (row, width)."""
    return np.asarray(signed(encoded).astype(np.float32) * encoded.scales[:, None])


def signed(encoded: Encoded) -> Array:
    """Return codes as numbers, (row, width): what rows are before their scales; int8 or float16."""
    if encoded.dtype == "bit":
        bits = np.unpackbits(encoded.codes, axis=1, count=encoded.width, bitorder="little")
        return np.asarray(2 * bits.view(np.int8) - 1)
    if encoded.dtype == "peak":
        wide = _PEAKS.take(encoded.codes).view(np.int8)
        return np.asarray(wide[:, : encoded.width])
    return encoded.codes


def row_bytes(width: int, dtype: Dtype) -> int:
    """Count the bytes of one row of this many numbers, with its scale."""
    return _CODE_BYTES[dtype](width) + _SCALE_BYTES


def _half(rows: Array) -> tuple[Array, Array]:
    scales = _largest(rows)
    divisors = np.where(scales > 0, scales, 1.0)
    return (rows / divisors[:, None]).astype("<f2"), scales.astype("<f4")


def _byte(rows: Array) -> tuple[Array, Array]:
    largest = _largest(rows).astype(np.float64)
    divisors = np.where(largest > 0, largest, 1.0) / _LEVELS
    codes = np.rint(rows / divisors[:, None]).astype(np.int8)
    return codes, (largest / _LEVELS).astype("<f4")


def _bit(rows: Array) -> tuple[Array, Array]:
    packed = np.packbits(rows > 0, axis=1, bitorder="little")
    codes = np.zeros((len(rows), _packed_bytes(rows.shape[1])), np.uint8)
    codes[:, : packed.shape[1]] = packed
    scales = np.abs(rows).mean(axis=1, dtype=np.float64) if rows.shape[1] else np.zeros(len(rows))
    return codes, scales.astype("<f4")


def _peak(rows: Array) -> tuple[Array, Array]:
    """Write each group as place + 8 x (it is positive), two groups a byte; nothing as 0."""
    padded = np.zeros((len(rows), 2 * _GROUP * _peak_bytes(rows.shape[1])), np.float32)
    padded[:, : rows.shape[1]] = rows
    groups = padded.reshape(len(rows), padded.shape[1] // _GROUP, _GROUP)
    places, peaks = _peaks(groups)
    taken = (places == 0) & (peaks < 0)
    second = groups[taken]
    second[:, 0] = 0
    places[taken], peaks[taken] = _peaks(second)
    halves = np.where(peaks == 0, 0, places + _GROUP * (peaks > 0)).astype(np.uint8)
    total = np.abs(peaks).sum(axis=1, dtype=np.float64)
    scales = total / np.maximum(np.count_nonzero(peaks, axis=1), 1)
    return halves[:, ::2] | halves[:, 1::2] << 4, scales.astype("<f4")


def _peaks(groups: Array) -> tuple[Array, Array]:
    """Find the largest number of every group, (…, number): its place and what it is, (…)."""
    places = np.abs(groups).argmax(axis=-1)
    return places, np.take_along_axis(groups, places[..., None], axis=-1)[..., 0]


def _largest(rows: Array) -> Array:
    return np.asarray(np.abs(rows).max(axis=1, initial=0.0))


def _packed_bytes(width: int) -> int:
    return -(-width // (8 * _WORD)) * _WORD


def _peak_bytes(width: int) -> int:
    return -(-width // (2 * _GROUP))


def _peak_table() -> Array:
    """Say of every byte which 16 numbers it stands for: (256,) of 16 bytes, as complex numbers."""
    table = np.zeros((256, 2, _GROUP), np.int8)
    for byte in range(256):
        for half in range(2):
            code = byte >> 4 * half & 15
            if code:
                table[byte, half, code % _GROUP] = 1 if code & _GROUP else -1
    return table.reshape(256, 2 * _GROUP).view(np.complex128)[:, 0]


_PEAKS = _peak_table()
_ENCODERS: Mapping[Dtype, Callable[[Array], tuple[Array, Array]]] = {
    "float16": _half,
    "int8": _byte,
    "bit": _bit,
    "peak": _peak,
}
_CODE_BYTES: Mapping[Dtype, Callable[[int], int]] = {
    "float16": lambda width: 2 * width,
    "int8": lambda width: width,
    "bit": _packed_bytes,
    "peak": _peak_bytes,
}
