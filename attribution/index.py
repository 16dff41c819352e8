"""The gradient index on disk, open: sketched gradients, one member a checkpoint and seed.

    manifest.json                      what it is made of, and the checksum of every file
    ids.json                           row ids and owners, by part
    done.bitmap                        one bit a shard; an interrupted build goes on from it
    member-000/train/shard-00000.npy   rows, with scale-00000.npy beside it (see `shards`)
    member-000/placebo/…               held-back rows: never in the Gram, scored on equal terms
    curvature-<checkpoint>.safetensors the frozen whitening of a checkpoint, where rows are whitened
    tombstones-train-<hash>.bitmap     one bit a row, where rows were taken down

Plain rows take curvature and damping on the query's side, which can change without a rebuild.
Whitened rows (`whitening`) freeze the factors and their damping, hashed in the manifest.
Rows taken down are not there for whoever reads an index. `indexing` builds, `amending` appends and
takes down.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import nn

from attribution.encoding import Array, Dtype, Encoded, decode
from attribution.errors import CorruptIndex, ForeignIndex, IncompleteIndex
from attribution.files import json_bytes
from attribution.gradients import Lens
from attribution.shards import file_fault, hash_anew, read_shard, shard_fault
from attribution.sketch import Sketch, SketchOptions, make_sketch
from attribution.task import Execution, PerExample, Task
from attribution.whitening import Whitening, WhiteningOptions, read_whitening, whitened

SCHEMA = 4
WINDOW = (0.3, 0.4, 0.5)  # the final checkpoint is nearly blind for a model's own tracks
Manifest = dict[str, Any]
RowNames = dict[str, dict[str, list[str]]]  # ids and owners of every row, by part


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """What the index holds. `execution` alone is no part of its identity."""

    sketch: SketchOptions = field(default_factory=SketchOptions)
    whitening: WhiteningOptions | None = None  # None: plain rows
    seeds: tuple[int, ...] = (0, 1)  # one member for each checkpoint and seed, from one pass
    gradient_of: Literal["measurement", "loss"] = "measurement"
    dtype: Dtype = "float16"  # what a number of a row is kept as
    shard_rows: int = 512
    execution: Execution = field(default_factory=Execution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One checkpoint seen through one sketch."""

    name: str
    checkpoint: str
    sha256: str  # of the checkpoint
    run: str  # the training that it is from
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An open index. Shards are mapped into memory, and checked when they are read."""

    directory: Path
    manifest: Manifest
    ids: Mapping[str, tuple[str, ...]]  # by part, without what was taken down
    owners: Mapping[str, tuple[str, ...]]
    members: tuple[Member, ...]
    alive: Mapping[str, Array]  # by part: bool (written row,)

    @property
    def width(self) -> int:
        """Count the numbers of one row of one member."""
        return int(self.manifest["width"])

    @property
    def shard_rows(self) -> int:
        """Count the rows of a shard; the last one of a part may hold fewer."""
        return int(self.manifest["shard_rows"])

    @property
    def sha256(self) -> str:
        """Name the index by the hash of its manifest, which holds every other hash."""
        return str(self.manifest["sha256"])

    def encoded(self, member: Member, part: str) -> Iterator[Encoded]:
        """Yield the rows of one member as they are kept, a shard at a time, for `scan`.

        Raises `CorruptIndex` when a shard is not what the manifest says was written.
        """
        for shard in self.manifest["shards"]:
            if (shard["member"], shard["part"]) == (member.name, part):
                alive = self.alive[part][shard["start"] : shard["stop"]]
                rows = read_shard(self.directory, shard, self.manifest["dtype"], self.width)
                yield rows if alive.all() else rows.take(alive)

    def blocks(self, member: Member, part: str) -> Iterator[Array]:
        """Yield the rows of one member, a shard at a time, as float32 (row, width).

        Raises `CorruptIndex` when a shard is not what the manifest says was written.
        """
        return map(decode, self.encoded(member, part))

    def whitening(self, member: Member, device: str = "cpu") -> Whitening | None:
        """Read what the rows of this member were whitened with; None where they are plain."""
        return whitening_of(self.directory, self.manifest, member.sha256, device)

    def rows(self, member: Member, part: str) -> Array:
        """Return all rows of one member as float32 (row, width)."""
        found = list(self.blocks(member, part))
        return np.concatenate(found) if found else np.zeros((0, self.width), np.float32)


def in_window(fractions: Sequence[float], window: Sequence[float] = WINDOW) -> tuple[int, ...]:
    """Choose the checkpoints nearest to these fractions of training, each once, in order."""
    nearest = {min(range(len(fractions)), key=lambda i: abs(fractions[i] - w)) for w in window}
    return tuple(sorted(nearest))


def lens_of(
    manifest: Manifest,
    members: Sequence[Member],
    task: Task,
    model: nn.Module,
    whitening: Whitening | None,
) -> Lens:
    """See gradients as the rows of these members of one checkpoint were seen.

    `model` is on the device it shall run on, in eval mode.
    """
    device = str(next(model.parameters()).device)
    sketches = (sketch_of(manifest, member.seed, device) for member in members)
    return Lens(
        model=model,
        function=function_of(task, manifest["gradient_of"]),
        sketches=tuple(whitened(s, whitening) if whitening else s for s in sketches),
        slow=frozenset(manifest["one_by_one"]),
    )


def function_of(task: Task, gradient_of: str) -> PerExample:
    """Choose the function whose gradients the rows are."""
    return task.loss if gradient_of == "loss" else task.measurement


def sketch_of(manifest: Manifest, seed: int, device: str = "cpu") -> Sketch:
    """Draw the sketch of a member again, without its whitening."""
    options = SketchOptions(**manifest["sketch"])
    return make_sketch(shapes_of(manifest), options, seed=seed, device=device)


def shapes_of(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters that rows are made of."""
    return {name: tuple(shape) for name, shape in manifest["parameters"]}


def whitening_of(directory: Path, manifest: Manifest, sha256: str, device: str) -> Whitening | None:
    """Read the frozen whitening of a checkpoint; None where rows are plain.

    Raises `CorruptIndex` when the file is not what was written.
    """
    if manifest["whitening"] is None:
        return None
    fault = curvature_fault(directory, manifest, sha256)
    if fault:
        raise CorruptIndex(fault)
    return read_whitening((directory / curvature_path(sha256)).read_bytes(), device)


def curvature_path(sha256: str) -> str:
    """Place a checkpoint's whitening within the index."""
    return f"curvature-{sha256[:16]}.safetensors"


def curvature_fault(directory: Path, manifest: Manifest, sha256: str) -> str | None:
    """Say what is wrong with the whitening of a checkpoint, if anything is."""
    written = manifest["curvature"][sha256]
    path = curvature_path(sha256)
    if written is None:
        return f"{path} in {directory} is not built yet; build the index again and it goes on"
    return file_fault(directory, path, written)


def column_slices(manifest: Manifest) -> list[slice]:
    """Say which columns of a row hold which parameter.

    A sketch that adds all parameters into the same places (SJLT), and a row whose numbers are
    shuffled, is one slice.
    """
    sketch, whitening = sketch_of(manifest, seed=0), manifest["whitening"]
    if sketch.adds or (whitening and WhiteningOptions(**whitening).narrows):
        return [slice(0, manifest["width"])]
    widths = [p.width for p in sketch.projections.values()]
    ends = list(accumulate(widths))
    return [slice(end - width, end) for width, end in zip(widths, ends, strict=True)]


def open_index(directory: Path) -> Index:
    """Open a finished index.

    Raises `IncompleteIndex` when the build stopped half-way and `CorruptIndex` when the manifest
    or the ids are not what was written.
    """
    manifest = read_manifest(directory)
    done = sum(1 for shard in manifest["shards"] if shard["sha256"])
    if done < len(manifest["shards"]):
        raise IncompleteIndex(
            f"{directory} has {done} of {len(manifest['shards'])} shards; "
            "build it again with the same options and it goes on"
        )
    names = read_names(directory, manifest)
    alive = {part: alive_rows(directory, manifest, part) for part in names}
    return Index(
        directory=directory,
        manifest=manifest,
        ids={part: _alive(named["ids"], alive[part]) for part, named in names.items()},
        owners={part: _alive(named["owners"], alive[part]) for part, named in names.items()},
        members=tuple(Member(**member) for member in manifest["members"]),
        alive=alive,
    )


def read_names(directory: Path, manifest: Manifest) -> RowNames:
    """Read the ids and owners of all rows written. Raises `CorruptIndex` if they were changed."""
    fault = file_fault(directory, "ids.json", manifest["ids_sha256"])
    if fault:
        raise CorruptIndex(fault)
    names: RowNames = json.loads((directory / "ids.json").read_bytes())
    return names


def alive_rows(directory: Path, manifest: Manifest, part: str) -> Array:
    """Tell which of a part's rows were not taken down: bool (written row,).

    Raises `CorruptIndex` when the bitmap is not what was written.
    """
    rows, sha256 = manifest["parts"][part]["rows"], manifest["tombstones"].get(part)
    if sha256 is None:
        return np.ones(rows, dtype=bool)
    path = tombstone_path(part, sha256)
    fault = file_fault(directory, path, sha256)
    if fault:
        raise CorruptIndex(fault)
    bits = np.unpackbits(np.frombuffer((directory / path).read_bytes(), np.uint8))[:rows]
    return np.concatenate([bits == 0, np.ones(rows - len(bits), dtype=bool)])


def tombstone_path(part: str, sha256: str) -> str:
    """Place the bitmap of a part's tombstones within the index."""
    return f"tombstones-{part}-{sha256[:16]}.bitmap"


def _alive(values: Sequence[str], alive: Array) -> tuple[str, ...]:
    return tuple(value for value, is_alive in zip(values, alive, strict=True) if is_alive)


def verify(directory: Path) -> list[str]:
    """Read every file of an index and return a sentence for each that is not what was written."""
    try:
        manifest = read_manifest(directory)
    except (CorruptIndex, IncompleteIndex) as fault:
        return [str(fault)]
    hash_anew()
    faults = [file_fault(directory, "ids.json", manifest["ids_sha256"])]
    faults += [
        file_fault(directory, tombstone_path(part, sha), sha)
        for part, sha in manifest["tombstones"].items()
    ]
    faults += [curvature_fault(directory, manifest, sha) for sha in manifest["curvature"]]
    faults += [shard_fault(directory, shard) for shard in manifest["shards"]]
    return [fault for fault in faults if fault]


def read_manifest(directory: Path) -> Manifest:
    """Read what an index, finished or not, is made of.

    Raises `IncompleteIndex` where there is none, `CorruptIndex` and `ForeignIndex` where it is
    not one that this version wrote.
    """
    path = directory / "manifest.json"
    if not path.exists():
        raise IncompleteIndex(f"{directory} holds no index; build one")
    try:
        manifest: Manifest = json.loads(path.read_bytes())
    except ValueError as fault:
        raise CorruptIndex(f"{path} is not JSON; delete it and build the index again") from fault
    if manifest.get("sha256") != manifest_sha256(manifest):
        raise CorruptIndex(f"{path} was changed since it was written; build the index anew")
    if manifest["schema"] != SCHEMA:
        raise ForeignIndex(
            f"{path} has schema {manifest['schema']}, this reads {SCHEMA}; build the index anew"
        )
    return manifest


def manifest_sha256(manifest: Manifest) -> str:
    """Hash a manifest without its own hash."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json_bytes(rest)).hexdigest()
