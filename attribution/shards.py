"""The files of an index: shards of sketched rows, their checksums, the bitmap of what is done.

A shard is two files (see `encoding`): `shard-00000.npy`, the codes of its rows, and
`scale-00000.npy`, float32 (row,). Every file is written whole under another name and then renamed,
so a killed build leaves no half of one. Rows are read where they lie, mapped into memory.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from attribution.encoding import Array, Dtype, Encoded
from attribution.errors import CorruptIndex
from attribution.files import file_sha256, write_whole

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


def write_shard(directory: Path, shard: Shard, rows: Encoded) -> None:
    """Write encoded rows and note their checksums in the shard's entry."""
    shard["sha256"] = _write_array(directory / shard_path(shard), rows.codes)
    shard["scale_sha256"] = _write_array(directory / scale_path(shard), rows.scales)


def read_shard(directory: Path, shard: Shard, dtype: Dtype, width: int) -> Encoded:
    """Map a shard's rows, of this many numbers each, kept as this, into memory.

    Raises `CorruptIndex` by name of what is wrong. A file is hashed once, and again when it is no
    longer the one that was hashed.
    """
    fault = shard_fault(directory, shard)
    if fault:
        raise CorruptIndex(fault)
    # Copy on write: a tensor may see the rows, and nobody can change the file.
    codes = np.load(directory / shard_path(shard), mmap_mode="c")
    scales = np.load(directory / scale_path(shard))
    return Encoded(dtype=dtype, width=width, codes=codes, scales=scales)


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
    if _sha256(directory / path) != sha256:
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


def hash_anew() -> None:
    """Forget which files were hashed, to notice those that decayed untouched."""
    _sha256_of.cache_clear()


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _sha256_of(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@lru_cache(maxsize=2**16)
def _sha256_of(path: Path, _state: tuple[int, ...]) -> str:
    return file_sha256(path)


def _write_array(path: Path, values: Array) -> str:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(values))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()
