"""Building the gradient index: planned first, then filled shard by shard, resumable throughout.

The plan is the manifest without checksums. A build takes over what an earlier one of the same plan
finished, and refuses a directory that holds anything else. Under `torchrun` the processes take
turns at the shards, in a directory they share, and the first writes all other files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from attribution import processes
from attribution.encoding import Array, encode
from attribution.errors import ForeignIndex
from attribution.files import json_bytes, write_whole
from attribution.gradients import Lens, Names, sketched_rows, unhooked
from attribution.index import (
    SCHEMA,
    Index,
    IndexOptions,
    Manifest,
    Member,
    curvature_fault,
    curvature_path,
    function_of,
    lens_of,
    manifest_sha256,
    open_index,
    read_manifest,
    shapes_of,
    whitening_of,
)
from attribution.moments import Subject
from attribution.shards import (
    Shard,
    read_bitmap,
    shard_fault,
    shard_table,
    write_bitmap,
    write_shard,
)
from attribution.sketch import Sketch, make_sketch, matrix_shape
from attribution.task import Checkpoint, Rows, Task, chosen_parameters, rows_sha256
from attribution.whitening import Whitening, fit_whitening, whitening_bytes, width_within

_NOT_IDENTITY = {"shards", "curvature", "made_with", "sha256", "previous", "tombstones"}


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
    manifest: Manifest = {}
    if processes.join().first:
        manifest = _adopt(directory, _plan(task, checkpoints, parts, options))
        write_whole(directory / "ids.json", json_bytes(names_of(parts)))
    manifest = processes.told(manifest)
    return fill(Plan(task, checkpoints, parts, options, manifest), directory)


@dataclass(frozen=True, slots=True)
class Plan:
    """A manifest to be filled, and what its rows are made of.

    `parts` begin where the manifest says in `offsets`, by part; at the first row where not.
    """

    task: Task
    checkpoints: Sequence[Checkpoint]
    parts: Mapping[str, Rows]
    options: IndexOptions
    manifest: Manifest
    offsets: Mapping[str, int] = field(default_factory=dict)


def fill(plan: Plan, directory: Path) -> Index:
    """Make every shard that the manifest misses; all of them lie within the plan's rows."""
    report = _reporter(plan.manifest, plan.options)
    for checkpoint in plan.checkpoints:
        work = _Work(plan, directory, checkpoint, report)
        if processes.told(bool(work.todo()) or work.unwhitened()):
            _fill(work)
    processes.told(None)  # until the first has written the manifest
    return open_index(directory)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done for one checkpoint."""

    plan: Plan
    directory: Path
    checkpoint: Checkpoint
    report: Callable[[int], None]

    @property
    def members(self) -> list[Member]:
        """The members of this checkpoint, one a sketch seed."""
        sha256 = self.checkpoint.sha256
        return [Member(**m) for m in self.plan.manifest["members"] if m["sha256"] == sha256]

    def todo(self) -> list[Shard]:
        """List the shards still missing."""
        names = {member.name for member in self.members}
        shards = self.plan.manifest["shards"]
        return [s for s in shards if s["member"] in names and not s["sha256"]]

    def unwhitened(self) -> bool:
        """Tell whether the checkpoint's whitening is missing or harmed."""
        whitens = self.plan.options.whitening is not None
        sha256 = self.checkpoint.sha256
        return whitens and bool(curvature_fault(self.directory, self.plan.manifest, sha256))

    def lens(self) -> Lens:
        """See gradients as the rows shall be; the whitening is taken first, where there is one."""
        model = self.checkpoint.load().to(self.plan.options.execution.device).eval()
        whitening = _whitening(self, model)
        return lens_of(self.plan.manifest, self.members, self.plan.task, model, whitening)


def _whitening(work: _Work, model: nn.Module) -> Whitening | None:
    """Freeze the checkpoint's whitening, or read it where an earlier build froze it."""
    plan, sha256 = work.plan, work.checkpoint.sha256
    if plan.options.whitening is None:
        return None
    if processes.join().first and work.unwhitened():
        subject = subject_of(plan.task, plan.manifest, model)
        _freeze(work, fit_whitening(subject, plan.parts["train"], plan.options.whitening))
    plan.manifest.update(processes.told(plan.manifest))
    device = plan.options.execution.device
    return whitening_of(work.directory, plan.manifest, sha256, device)


def _freeze(work: _Work, whitening: Whitening) -> None:
    manifest, sha256 = work.plan.manifest, work.checkpoint.sha256
    content = whitening_bytes(whitening)
    new = hashlib.sha256(content).hexdigest()
    if manifest["curvature"][sha256] not in {None, new}:  # rows of another whitening
        for shard in manifest["shards"]:
            if shard["member"] in {member.name for member in work.members}:
                shard.update(sha256=None, scale_sha256=None)
    write_whole(work.directory / curvature_path(sha256), content)
    manifest["curvature"][sha256] = new
    save(work.directory, manifest)


def subject_of(task: Task, manifest: Manifest, model: nn.Module) -> Subject:
    """Say whose curvature the rows of an index are whitened with."""
    shapes = {name: matrix_shape(shape) for name, shape in shapes_of(manifest).items()}
    slow = frozenset(manifest["one_by_one"])
    return Subject(model, task, Names(frozenset(shapes) - slow, slow), shapes)


def _fill(work: _Work) -> None:
    """Write the missing shards of one checkpoint, each process one span of rows at a time."""
    lens, place, manifest = work.lens(), processes.join(), work.plan.manifest
    spans = [list(group) for _, group in groupby(sorted(work.todo(), key=_span_of), key=_span_of)]
    for first in range(0, len(spans), place.count):
        own = spans[first : first + place.count][place.rank : place.rank + 1]
        written = [shard for span in own for shard in _written(work, lens, span)]
        found = {_name_of(shard): shard for shard in processes.gathered(written)}
        for shard in manifest["shards"]:
            shard.update(found.get(_name_of(shard), {}))
        if place.first:
            save(work.directory, manifest)


def _written(work: _Work, lens: Lens, span: Sequence[Shard]) -> Sequence[Shard]:
    """Write the shards of one span of rows; those of all seeds come from one pass."""
    part, start, stop = _span_of(span[0])
    skipped = work.plan.offsets.get(part, 0)
    rows = work.plan.parts[part].take(range(start - skipped, stop - skipped))
    options, members = work.plan.options, [member.name for member in work.members]
    found: list[list[Array]] = []
    for batch in sketched_rows(lens, rows, options.execution.batch):
        found.append([sketch.cpu().numpy() for sketch in batch])
        work.report(len(found[-1][0]))
    for shard in span:
        seed = members.index(shard["member"])
        rows_of_seed = np.concatenate([batch[seed] for batch in found])
        write_shard(work.directory, shard, encode(rows_of_seed, options.dtype))
    return span


def _span_of(shard: Shard) -> tuple[str, int, int]:
    return shard["part"], shard["start"], shard["stop"]


def _name_of(shard: Shard) -> tuple[str, str, int]:
    return shard["member"], shard["part"], shard["number"]


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
    function = function_of(task, options.gradient_of)
    few = {
        name: tensor.to(options.execution.device)
        for name, tensor in next(parts["train"].batches(8)).items()
    }
    members = _members(checkpoints, options.seeds)
    counts = {part: len(rows) for part, rows in parts.items()}
    return {
        "schema": SCHEMA,
        "gradient_of": options.gradient_of,
        "sketch": asdict(options.sketch),
        "parameters": [[name, list(chosen[name])] for name in sketch.projections],
        "one_by_one": sorted(unhooked(model, function, few, list(sketch.projections))),
        "dtype": options.dtype,
        "width": _width(sketch, chosen, options),
        "shard_rows": options.shard_rows,
        "whitening": None if options.whitening is None else asdict(options.whitening),
        "curvature": {c.sha256: None for c in checkpoints} if options.whitening else {},
        "previous": None,  # the hash of the manifest that this one amends (`amending`)
        "appended": [],
        "tombstones": {},
        "ids_sha256": hashlib.sha256(json_bytes(names_of(parts))).hexdigest(),
        "parts": {part: {"rows": len(r), "sha256": rows_sha256(r)} for part, r in parts.items()},
        "members": members,
        "shards": shard_table([m["name"] for m in members], counts, options.shard_rows),
        "made_with": {"torch": torch.__version__, "device": options.execution.device},
    }


def _width(sketch: Sketch, shapes: Mapping[str, tuple[int, ...]], options: IndexOptions) -> int:
    """Count the numbers of a row: as many as its whitening keeps, or as its sketch has."""
    sketched = {name: shapes[name] for name in sketch.projections}
    narrowed = width_within(sketched, options.whitening) if options.whitening else None
    return sketch.width if narrowed is None else narrowed


def _members(checkpoints: Sequence[Checkpoint], seeds: Sequence[int]) -> list[dict[str, Any]]:
    pairs = [(checkpoint, seed) for checkpoint in checkpoints for seed in seeds]
    return [
        {"name": f"member-{i:03d}", "checkpoint": c.name, "sha256": c.sha256, "run": c.run}
        | {"seed": seed}
        for i, (c, seed) in enumerate(pairs)
    ]


def names_of(parts: Mapping[str, Rows]) -> dict[str, dict[str, list[str]]]:
    """Return the ids and owners of all rows, as the index keeps them."""
    return {part: {"ids": list(r.ids), "owners": list(r.owners)} for part, r in parts.items()}


def _adopt(directory: Path, plan: Manifest) -> Manifest:
    """Take over what an earlier build of the same index finished and left unharmed."""
    if not (directory / "manifest.json").exists():
        directory.mkdir(parents=True, exist_ok=True)
        save(directory, plan)
        return plan
    found = read_manifest(directory)
    mine, theirs = _identity(plan), _identity(found)
    differs = [key for key in mine if mine[key] != theirs.get(key)]
    if differs:
        raise ForeignIndex(
            f"{directory} holds an index of something else ({', '.join(differs)} differ); "
            "choose another directory, or delete this one"
        )
    forget_harmed(directory, found)
    return found


def forget_harmed(directory: Path, manifest: Manifest) -> None:
    """Take the checksums off shards that are not done or not what was written."""
    done = read_bitmap(directory, len(manifest["shards"]))
    for shard, is_done in zip(manifest["shards"], done, strict=True):
        if not is_done or shard_fault(directory, shard):
            shard.update(sha256=None, scale_sha256=None)


def _identity(manifest: Manifest) -> Manifest:
    """Reduce a manifest to what makes two indexes the same, as JSON would give it back."""
    kept = {key: value for key, value in manifest.items() if key not in _NOT_IDENTITY}
    kept["shards"] = [[s["member"], s["part"], s["start"], s["stop"]] for s in manifest["shards"]]
    return dict(json.loads(json_bytes(kept)))


def save(directory: Path, manifest: Manifest) -> None:
    """Write the manifest under its own hash, and which of its shards are done."""
    manifest["sha256"] = manifest_sha256(manifest)
    write_whole(directory / "manifest.json", json_bytes(manifest))
    write_bitmap(directory, manifest["shards"])


def _reporter(manifest: Manifest, options: IndexOptions) -> Callable[[int], None]:
    """Count sketched rows over all checkpoints, as if all processes went at this one's pace."""
    seeds, place = len(options.seeds), processes.join()
    total = sum(s["stop"] - s["start"] for s in manifest["shards"]) // seeds
    done = sum(s["stop"] - s["start"] for s in manifest["shards"] if s["sha256"]) // seeds

    def report(rows: int) -> None:
        nonlocal done
        done = min(total, done + rows * place.count)
        if place.first:
            options.execution.progress(done, total)

    return report
