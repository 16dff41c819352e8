"""The files of an index: shards of sketched rows, their checksums, the bitmap of what is done.

A shard is two files: `shard-00000.npy`, fp16 (row, width), each row divided by its scale, and
`scale-00000.npy`, fp32 (row,), so that no gradient over- or underflows. Every file is written
whole under another name and then renamed, so a killed build leaves no half of one.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attribution.errors import CorruptIndex
from attribution.files import file_sha256, write_whole

Array = np.ndarray[Any, np.dtype[Any]]
Shard = dict[str, Any]  # member, part, number, start, stop, sha256, scale_sha256


def shard_table(members: Sequence[str], parts: Mapping[str, int], size: int) -> list[Shard]:
    """Cut every part of every member into shards of at most `size` rows; none is done yet."""
    return [
        {
            "member": member,
            "part": part,
            "number": number,
            "start": number * size,
            "stop": min(rows, (number + 1) * size),
            "sha256": None,
            "scale_sha256": None,
        }
        for member in members
        for part, rows in parts.items()
        for number in range(-(-rows // size))
    ]


def write_shard(directory: Path, shard: Shard, rows: Array) -> None:
    """Write sketched rows, float32 (row, width), and note their checksums in the shard's entry."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    scales = np.where(largest > 0, largest, 1.0).astype(np.float32)
    shard["sha256"] = _write_array(directory / shard_path(shard), rows / scales[:, None], "<f2")
    shard["scale_sha256"] = _write_array(directory / scale_path(shard), scales, "<f4")


def read_shard(directory: Path, shard: Shard) -> Array:
    """Read a shard as float32 (row, width). Raises `CorruptIndex` by name of what is wrong."""
    fault = shard_fault(directory, shard)
    if fault:
        raise CorruptIndex(fault)
    rows = np.load(directory / shard_path(shard), mmap_mode="r")
    scales = np.load(directory / scale_path(shard))
    return np.asarray(np.asarray(rows, np.float32) * scales[:, None])


def shard_fault(directory: Path, shard: Shard) -> str | None:
    """Say what is wrong with a shard's files, if anything is."""
    for path, key in ((shard_path(shard), "sha256"), (scale_path(shard), "scale_sha256")):
        if shard[key] is None:
            return f"{path} in {directory} is not built yet; build the index again and it goes on"
        fault = file_fault(directory, path, shard[key])
        if fault:
            return fault
    return None


def file_fault(directory: Path, path: str, sha256: str) -> str | None:
    """Say whether a file is missing or is not the one that was written."""
    if not (directory / path).is_file():
        return f"{path} is missing from {directory}; build the index again to restore it"
    if file_sha256(directory / path) != sha256:
        return (
            f"{path} in {directory} is not the file that was written: it is corrupt or belongs to "
            "another index; build the index again to replace it"
        )
    return None


def shard_path(shard: Shard) -> str:
    """Place a shard's rows within the index."""
    return f"{shard['member']}/{shard['part']}/shard-{shard['number']:05d}.npy"


def scale_path(shard: Shard) -> str:
    """Place a shard's scales within the index."""
    return f"{shard['member']}/{shard['part']}/scale-{shard['number']:05d}.npy"


def write_bitmap(directory: Path, shards: Sequence[Shard]) -> None:
    """Note which shards are done, one bit each in the manifest's order."""
    done = np.array([shard["sha256"] is not None for shard in shards], dtype=bool)
    write_whole(directory / "done.bitmap", np.packbits(done).tobytes())


def read_bitmap(directory: Path, count: int) -> list[bool]:
    """Read which shards are done; none are where there is no bitmap or it has another length."""
    path = directory / "done.bitmap"
    bits = np.frombuffer(path.read_bytes() if path.exists() else b"", dtype=np.uint8)
    if len(bits) != -(-count // 8):
        return [False] * count
    return [bool(bit) for bit in np.unpackbits(bits)[:count]]


def _write_array(path: Path, values: Array, dtype: str) -> str:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(values.astype(dtype)))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()
