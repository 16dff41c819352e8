"""The gradient index on disk: sketched gradients of every row, one member a checkpoint and seed.

    manifest.json                      what it is made of, and the checksum of every file
    ids.json                           row ids and owners, by part
    done.bitmap                        one bit a shard; an interrupted build goes on from it
    member-000/train/shard-00000.npy   rows, with scale-00000.npy beside it (see `shards`)
    member-000/placebo/…               held-back rows: never in the Gram, scored on equal terms

Rows are plain (not preconditioned): curvature and damping act on the query's side and can change
without a rebuild. The manifest's field `curvature` is null for such rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from attribution.errors import CorruptIndex, ForeignIndex, IncompleteIndex
from attribution.files import json_bytes, write_whole
from attribution.gradients import Lens, sketched_rows, unhooked
from attribution.shards import (
    Array,
    Shard,
    file_fault,
    read_bitmap,
    read_shard,
    shard_fault,
    shard_table,
    write_bitmap,
    write_shard,
)
from attribution.sketch import SketchOptions, make_sketch
from attribution.task import (
    Checkpoint,
    Execution,
    PerExample,
    Rows,
    Task,
    chosen_parameters,
    rows_sha256,
)

SCHEMA = 1
WINDOW = (0.3, 0.4, 0.5)  # the final checkpoint is nearly blind for a model's own tracks
Manifest = dict[str, Any]
_NOT_IDENTITY = {"shards", "made_with", "sha256"}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """What the index holds. `execution` alone is no part of its identity."""

    sketch: SketchOptions = field(default_factory=SketchOptions)
    seeds: tuple[int, ...] = (0, 1)  # one member for each checkpoint and seed, from one pass
    gradient_of: Literal["measurement", "loss"] = "measurement"
    shard_rows: int = 512
    execution: Execution = field(default_factory=Execution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One checkpoint seen through one sketch."""

    name: str
    checkpoint: str
    sha256: str  # of the checkpoint
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An open index. Shards are mapped into memory, and checked when they are read."""

    directory: Path
    manifest: Manifest
    ids: Mapping[str, tuple[str, ...]]  # by part
    owners: Mapping[str, tuple[str, ...]]
    members: tuple[Member, ...]

    @property
    def width(self) -> int:
        """Count the numbers of one row of one member."""
        return int(self.manifest["width"])

    @property
    def sha256(self) -> str:
        """Name the index by the hash of its manifest, which holds every other hash."""
        return str(self.manifest["sha256"])

    def blocks(self, member: Member, part: str) -> Iterator[Array]:
        """Yield the rows of one member, a shard at a time, as float32 (row, width).

        Raises `CorruptIndex` when a shard is not what the manifest says was written.
        """
        for shard in self.manifest["shards"]:
            if (shard["member"], shard["part"]) == (member.name, part):
                yield read_shard(self.directory, shard)

    def rows(self, member: Member, part: str) -> Array:
        """Return all rows of one member as float32 (row, width)."""
        found = list(self.blocks(member, part))
        return np.concatenate(found) if found else np.zeros((0, self.width), np.float32)


def in_window(fractions: Sequence[float], window: Sequence[float] = WINDOW) -> tuple[int, ...]:
    """Choose the checkpoints nearest to these fractions of training, each once, in order."""
    nearest = {min(range(len(fractions)), key=lambda i: abs(fractions[i] - w)) for w in window}
    return tuple(sorted(nearest))


def lens_of(
    manifest: Manifest, members: Sequence[Member], task: Task, model: nn.Module, device: str
) -> Lens:
    """See gradients as the rows of these members of one checkpoint were seen."""
    shapes = {name: tuple(shape) for name, shape in manifest["parameters"]}
    options = SketchOptions(**manifest["sketch"])
    return Lens(
        model=model.to(device).eval(),
        function=_function(task, manifest["gradient_of"]),
        sketches=tuple(
            make_sketch(shapes, options, seed=member.seed, device=device) for member in members
        ),
        slow=frozenset(manifest["one_by_one"]),
    )


def column_slices(manifest: Manifest) -> list[slice]:
    """Say which columns of a row hold which parameter: one Gram each.

    A sketch that adds all parameters into the same places (SJLT) is one slice.
    """
    options = SketchOptions(**manifest["sketch"])
    shapes = {name: tuple(shape) for name, shape in manifest["parameters"]}
    sketch = make_sketch(shapes, options, seed=0)
    widths = [sketch.width] if sketch.adds else [p.width for p in sketch.projections.values()]
    ends = list(accumulate(widths))
    return [slice(end - width, end) for width, end in zip(widths, ends, strict=True)]


def open_index(directory: Path) -> Index:
    """Open a finished index.

    Raises `IncompleteIndex` when the build stopped half-way and `CorruptIndex` when the manifest
    or the ids are not what was written.
    """
    manifest = _read_manifest(directory)
    done = sum(1 for shard in manifest["shards"] if shard["sha256"])
    if done < len(manifest["shards"]):
        raise IncompleteIndex(
            f"{directory} has {done} of {len(manifest['shards'])} shards; "
            "build it again with the same options and it goes on"
        )
    fault = file_fault(directory, "ids.json", manifest["ids_sha256"])
    if fault:
        raise CorruptIndex(fault)
    names = json.loads((directory / "ids.json").read_text())
    return Index(
        directory=directory,
        manifest=manifest,
        ids={part: tuple(named["ids"]) for part, named in names.items()},
        owners={part: tuple(named["owners"]) for part, named in names.items()},
        members=tuple(Member(**member) for member in manifest["members"]),
    )


def verify(directory: Path) -> list[str]:
    """Read every file of an index and return a sentence for each that is not what was written."""
    try:
        manifest = _read_manifest(directory)
    except (CorruptIndex, IncompleteIndex) as fault:
        return [str(fault)]
    faults = [file_fault(directory, "ids.json", manifest["ids_sha256"])]
    faults += [shard_fault(directory, shard) for shard in manifest["shards"]]
    return [fault for fault in faults if fault]


def _read_manifest(directory: Path) -> Manifest:
    path = directory / "manifest.json"
    if not path.exists():
        raise IncompleteIndex(f"{directory} holds no index; build one")
    try:
        manifest: Manifest = json.loads(path.read_bytes())
    except ValueError as fault:
        raise CorruptIndex(f"{path} is not JSON; delete it and build the index again") from fault
    if manifest.get("sha256") != _manifest_sha256(manifest):
        raise CorruptIndex(f"{path} was changed since it was written; build the index anew")
    if manifest["schema"] != SCHEMA:
        raise ForeignIndex(f"{path} has schema {manifest['schema']}, this reads {SCHEMA}")
    return manifest


def _manifest_sha256(manifest: Manifest) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json_bytes(rest)).hexdigest()


def build(
    task: Task,
    checkpoints: Sequence[Checkpoint],
    parts: Mapping[str, Rows],
    directory: Path,
    options: IndexOptions | None = None,
) -> Index:
    """Index the rows of every part: `train`, and `placebo` where there are held-back rows.

    An interrupted build goes on where it stopped; a finished one is left as it is. Raises
    `ForeignIndex` when the directory holds an index of something else.
    """
    options = options or IndexOptions()
    plan = _plan(task, checkpoints, parts, options)
    manifest = _adopt(directory, plan)
    write_whole(directory / "ids.json", json_bytes(_names(parts)))
    source = _Source(task, parts, options, _reporter(manifest, options))
    for checkpoint in checkpoints:
        members = [Member(**m) for m in manifest["members"] if m["sha256"] == checkpoint.sha256]
        names = {member.name for member in members}
        todo = [s for s in manifest["shards"] if s["member"] in names and not s["sha256"]]
        if todo:
            device = options.execution.device
            lens = lens_of(manifest, members, task, checkpoint.load(), device)
            _fill(source, lens, manifest, todo, directory)
    return open_index(directory)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where rows come from, and who hears how far we are."""

    task: Task
    parts: Mapping[str, Rows]
    options: IndexOptions
    report: Callable[[int], None]


def _fill(
    source: _Source, lens: Lens, manifest: Manifest, todo: Sequence[Shard], directory: Path
) -> None:
    """Write the missing shards of one checkpoint; those of all seeds come from one pass."""
    place = lambda shard: (shard["part"], shard["start"], shard["stop"])  # noqa: E731
    members = [m["name"] for m in manifest["members"]]
    seeds = len(source.options.seeds)
    for (part, start, stop), group in groupby(sorted(todo, key=place), key=place):
        rows = source.parts[part].take(range(start, stop))
        found: list[list[Array]] = []
        for batch in sketched_rows(lens, rows, source.options.execution.batch):
            found.append([sketch.cpu().numpy() for sketch in batch])
            source.report(len(found[-1][0]))
        for shard in group:
            seed = members.index(shard["member"]) % seeds
            write_shard(directory, shard, np.concatenate([batch[seed] for batch in found]))
        _save(directory, manifest)


def _plan(
    task: Task,
    checkpoints: Sequence[Checkpoint],
    parts: Mapping[str, Rows],
    options: IndexOptions,
) -> Manifest:
    """Describe the index before anything is computed; no shard has a checksum yet."""
    model = checkpoints[0].load().to(options.execution.device).eval()
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    chosen = {name: shapes[name] for name in chosen_parameters(task, model)}
    sketch = make_sketch(chosen, options.sketch, seed=options.seeds[0])
    function = _function(task, options.gradient_of)
    few = {
        name: tensor.to(options.execution.device)
        for name, tensor in next(parts["train"].batches(2)).items()
    }
    members = _members(checkpoints, options.seeds)
    counts = {part: len(rows) for part, rows in parts.items()}
    return {
        "schema": SCHEMA,
        "gradient_of": options.gradient_of,
        "sketch": asdict(options.sketch),
        "parameters": [[name, list(chosen[name])] for name in sketch.projections],
        "one_by_one": sorted(unhooked(model, function, few, list(sketch.projections))),
        "dtype": "float16 with a float32 scale a row",
        "width": sketch.width,
        "curvature": None,  # plain rows; whitened ones will name the factors they froze
        "previous": None,  # the hash of the manifest that this one was appended to
        "ids_sha256": hashlib.sha256(json_bytes(_names(parts))).hexdigest(),
        "parts": {part: {"rows": len(r), "sha256": rows_sha256(r)} for part, r in parts.items()},
        "members": members,
        "shards": shard_table([m["name"] for m in members], counts, options.shard_rows),
        "made_with": {"torch": torch.__version__, "device": options.execution.device},
    }


def _members(checkpoints: Sequence[Checkpoint], seeds: Sequence[int]) -> list[dict[str, Any]]:
    pairs = [(checkpoint, seed) for checkpoint in checkpoints for seed in seeds]
    return [
        {"name": f"member-{i:03d}", "checkpoint": c.name, "sha256": c.sha256, "seed": seed}
        for i, (c, seed) in enumerate(pairs)
    ]


def _names(parts: Mapping[str, Rows]) -> dict[str, dict[str, list[str]]]:
    return {part: {"ids": list(r.ids), "owners": list(r.owners)} for part, r in parts.items()}


def _function(task: Task, gradient_of: str) -> PerExample:
    return task.loss if gradient_of == "loss" else task.measurement


def _adopt(directory: Path, plan: Manifest) -> Manifest:
    """Take over what an earlier build of the same index finished and left unharmed."""
    if not (directory / "manifest.json").exists():
        directory.mkdir(parents=True, exist_ok=True)
        _save(directory, plan)
        return plan
    found = _read_manifest(directory)
    mine, theirs = _identity(plan), _identity(found)
    differs = [key for key in mine if mine[key] != theirs.get(key)]
    if differs:
        raise ForeignIndex(
            f"{directory} holds an index of something else ({', '.join(differs)} differ); "
            "choose another directory, or delete this one"
        )
    done = read_bitmap(directory, len(found["shards"]))
    for shard, is_done in zip(found["shards"], done, strict=True):
        if not is_done or shard_fault(directory, shard):
            shard.update(sha256=None, scale_sha256=None)
    return found


def _identity(manifest: Manifest) -> Manifest:
    """Reduce a manifest to what makes two indexes the same, as JSON would give it back."""
    kept = {key: value for key, value in manifest.items() if key not in _NOT_IDENTITY}
    kept["shards"] = [[s["member"], s["part"], s["start"], s["stop"]] for s in manifest["shards"]]
    return dict(json.loads(json_bytes(kept)))


def _save(directory: Path, manifest: Manifest) -> None:
    manifest["sha256"] = _manifest_sha256(manifest)
    write_whole(directory / "manifest.json", json_bytes(manifest))
    write_bitmap(directory, manifest["shards"])


def _reporter(manifest: Manifest, options: IndexOptions) -> Callable[[int], None]:
    """Count sketched rows over all checkpoints for the progress callback."""
    seeds = len(options.seeds)
    total = sum(s["stop"] - s["start"] for s in manifest["shards"]) // seeds
    done = sum(s["stop"] - s["start"] for s in manifest["shards"] if s["sha256"]) // seeds

    def report(rows: int) -> None:
        nonlocal done
        done = min(total, done + rows)
        options.execution.progress(done, total)

    return report
