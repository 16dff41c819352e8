"""What becomes of an index when the catalogue changes: rows appended, rows taken down.

An append adds shards and leaves those that stand. Plain rows then equal a rebuild's; whitened rows
equal a rebuild's *with the curvature that was frozen*. A takedown marks rows with tombstones;
nobody who opens the index sees them, in a Gram, a score, or a name, until they are brought back.
Each names the manifest it amends. `drift` says how far the frozen curvature has been left behind.

An append that was interrupted is taken up again by the same call. While it lasts the index does
not open.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from attribution import processes
from attribution.encoding import Array
from attribution.errors import BadRows, CorruptIndex, ForeignIndex, IncompleteIndex
from attribution.files import json_bytes, write_whole
from attribution.index import (
    Index,
    IndexOptions,
    Manifest,
    Names,
    curvature_fault,
    open_index,
    read_manifest,
    read_names,
    tombstone_path,
    whitening_of,
)
from attribution.indexing import Plan, fill, names_of, save, subject_of
from attribution.shards import Shard, shard_table
from attribution.sketch import SketchOptions
from attribution.task import Checkpoint, Execution, Rows, Task, rows_sha256
from attribution.whitening import Whitener, WhiteningOptions, fit_whitening

DRIFT_MAX = 0.25  # a convention: beyond it, `Drift.calls_for_rebuild`


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far an index has moved from the rows that its curvature was taken from."""

    written: int  # train rows in all
    appended: int
    taken_down: int
    curvature: float  # 0 is none; 1 as much as the curvature itself. An upper bound (`_moved`)

    @property
    def calls_for_rebuild(self) -> bool:
        """Tell whether scores may by now differ from a rebuild's by more than its noise."""
        return self.curvature > DRIFT_MAX


def append(
    task: Task,
    checkpoints: Sequence[Checkpoint],
    more: Mapping[str, Rows],
    directory: Path,
    execution: Execution | None = None,
) -> Index:
    """Add rows to the parts of a finished index, which keeps its options and its curvature.

    The same rows appended twice in a row are there once. Raises `ForeignIndex` when a checkpoint
    of the index is not passed, `BadRows` when an id is there already, `IncompleteIndex` when the
    build or another append stopped half-way, and `CorruptIndex`.
    """
    manifest: Manifest = {}
    options = options_of(read_manifest(directory), execution or Execution())
    plan = Plan(task, checkpoints, more, options, manifest)
    if processes.join().first:
        found = read_manifest(directory)
        if not _is_last(found, more):
            found = _extended(plan, found, directory)
            save(directory, found)
        _write_names(directory, found, more)
        manifest.update(found)
    manifest.update(processes.told(manifest))
    before = manifest["appended"][-1]["before"]
    return fill(Plan(task, checkpoints, more, options, manifest, before), directory)


def take_down(directory: Path, owners: Collection[str]) -> Index:
    """Take down every row of these owners, in every part, until `bring_back`.

    Raises `BadRows` when one of them owns no row of the index, or no train row would be left, and
    `IncompleteIndex` or `CorruptIndex` as `open_index` does.
    """
    index = open_index(directory)
    alive = {part: index.alive[part] & ~rows for part, rows in _rows_of(index, owners).items()}
    if not alive["train"].any():
        raise BadRows(f"no train row of {directory} would be left; delete the index instead")
    return _marked(index, alive)


def bring_back(directory: Path, owners: Collection[str]) -> Index:
    """Undo the takedown of these owners; their rows were hidden and never left the disk.

    Raises `BadRows` when one of them owns no row of the index, and what `open_index` does.
    """
    index = open_index(directory)
    return _marked(
        index, {part: index.alive[part] | rows for part, rows in _rows_of(index, owners).items()}
    )


def taken_down(index: Index) -> frozenset[str]:
    """Name the owners of the rows that were taken down."""
    names = read_names(index.directory, index.manifest)
    return frozenset(
        str(owner)
        for part, named in names.items()
        for owner in np.array(named["owners"], dtype=np.str_)[~index.alive[part]]
    )


def drift(index: Index) -> Drift:
    """Say how far an index has moved; a plain one freezes nothing, so its curvature never does."""
    manifest, alive = index.manifest, index.alive["train"]
    appended = sum(each["parts"].get("train", {"rows": 0})["rows"] for each in manifest["appended"])
    gone = int((~alive).sum())
    moved = sum(each["drift"] for each in manifest["appended"]) + gone / len(alive)
    return Drift(
        written=len(alive),
        appended=appended,
        taken_down=gone,
        curvature=moved if manifest["whitening"] else 0.0,
    )


def options_of(manifest: Manifest, execution: Execution) -> IndexOptions:
    """Return the options that an index was built with."""
    whitening = manifest["whitening"]
    return IndexOptions(
        sketch=SketchOptions(**manifest["sketch"]),
        whitening=WhiteningOptions(**whitening) if whitening else None,
        seeds=tuple(dict.fromkeys(member["seed"] for member in manifest["members"])),
        gradient_of=manifest["gradient_of"],
        dtype=manifest["dtype"],
        shard_rows=manifest["shard_rows"],
        execution=execution,
    )


def _parts_of(more: Mapping[str, Rows]) -> dict[str, dict[str, Any]]:
    return {part: {"rows": len(r), "sha256": rows_sha256(r)} for part, r in more.items()}


def _is_last(manifest: Manifest, more: Mapping[str, Rows]) -> bool:
    return bool(manifest["appended"]) and manifest["appended"][-1]["parts"] == _parts_of(more)


def _extended(plan: Plan, manifest: Manifest, directory: Path) -> Manifest:
    """Describe the index with the new rows in it; their shards are still to be made."""
    _check(plan, manifest, directory)
    before = {part: manifest["parts"].get(part, {"rows": 0})["rows"] for part in plan.parts}
    new = _parts_of(plan.parts)
    names = _joined(read_names(directory, manifest), plan.parts)
    return {
        **manifest,
        "previous": manifest["sha256"],
        "appended": [
            *manifest["appended"],
            {"parts": new, "before": before, "drift": _moved(plan, manifest, directory)},
        ],
        "ids_sha256": hashlib.sha256(json_bytes(names)).hexdigest(),
        "parts": {**manifest["parts"], **_grown(manifest["parts"], new)},
        "shards": [*manifest["shards"], *_new_shards(manifest, new, before)],
    }


def _check(plan: Plan, manifest: Manifest, directory: Path) -> None:
    passed = {checkpoint.sha256 for checkpoint in plan.checkpoints}
    for member in manifest["members"]:
        if member["sha256"] not in passed:
            raise ForeignIndex(
                f"{directory} was made of checkpoint '{member['checkpoint']}', which was not "
                "passed; pass the run it was made of"
            )
    if not all(shard["sha256"] for shard in manifest["shards"]):
        raise IncompleteIndex(
            f"{directory} is not finished; build it, or append what was being appended, again"
        )
    for sha256 in manifest["curvature"]:
        if fault := curvature_fault(directory, manifest, sha256):
            raise CorruptIndex(fault)
    there = {name for named in read_names(directory, manifest).values() for name in named["ids"]}
    twice = there & {name for rows in plan.parts.values() for name in rows.ids}
    if twice:
        raise BadRows(f"row id '{min(twice)}' is in {directory} already; append new rows alone")


def _grown(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Count the rows of each part, and chain the hashes of what it was made of."""
    grown = dict(new)
    for part in set(old) & set(new):
        chained = hashlib.sha256(f"{old[part]['sha256']}\n{new[part]['sha256']}".encode())
        rows = old[part]["rows"] + new[part]["rows"]
        grown[part] = {"rows": rows, "sha256": chained.hexdigest()}
    return grown


def _new_shards(
    manifest: Manifest, new: Mapping[str, Any], before: Mapping[str, int]
) -> list[Shard]:
    members = [member["name"] for member in manifest["members"]]
    there = [(shard["member"], shard["part"]) for shard in manifest["shards"]]
    counts = {part: found["rows"] for part, found in new.items()}
    return [
        {
            **shard,
            "number": shard["number"] + there.count((shard["member"], shard["part"])),
            "start": shard["start"] + before[shard["part"]],
            "stop": shard["stop"] + before[shard["part"]],
        }
        for shard in shard_table(members, counts, manifest["shard_rows"])
    ]


def _joined(names: Names, more: Mapping[str, Rows]) -> Names:
    joined = {part: {key: list(values) for key, values in n.items()} for part, n in names.items()}
    for part, new in names_of(more).items():
        there = joined.setdefault(part, {"ids": [], "owners": []})
        for key in there:
            there[key] += new[key]
    return joined


def _write_names(directory: Path, manifest: Manifest, more: Mapping[str, Rows]) -> None:
    """Write the names that the manifest was written for, unless they are there."""
    names = json.loads((directory / "ids.json").read_bytes())
    if hashlib.sha256(json_bytes(names)).hexdigest() != manifest["ids_sha256"]:
        write_whole(directory / "ids.json", json_bytes(_joined(names, more)))
    read_names(directory, manifest)


def _rows_of(index: Index, owners: Collection[str]) -> dict[str, Array]:
    """Find the written rows of these owners, by part: bool (written row,)."""
    names = read_names(index.directory, index.manifest)
    unknown = set(owners) - {owner for named in names.values() for owner in named["owners"]}
    if unknown:
        raise BadRows(f"no row of {index.directory} belongs to '{min(unknown)}'; check its name")
    return {part: np.isin(named["owners"], list(owners)) for part, named in names.items()}


def _marked(index: Index, alive: Mapping[str, Array]) -> Index:
    """Write which rows are there from now on, and open the index so."""
    if all((alive[part] == index.alive[part]).all() for part in alive):
        return index
    directory, before = index.directory, index.manifest["tombstones"]
    written = {part: _write_tombstones(directory, part, ~rows) for part, rows in alive.items()}
    tombstones = {part: sha256 for part, sha256 in written.items() if sha256}
    save(directory, {**index.manifest, "tombstones": tombstones, "previous": index.sha256})
    for part, sha256 in before.items():
        if tombstones.get(part) != sha256:
            (directory / tombstone_path(part, sha256)).unlink()
    return open_index(directory)


def _write_tombstones(directory: Path, part: str, gone: Array) -> str | None:
    if not gone.any():
        return None
    content = np.packbits(gone).tobytes()
    sha256 = hashlib.sha256(content).hexdigest()
    write_whole(directory / tombstone_path(part, sha256), content)
    return sha256


def _moved(plan: Plan, manifest: Manifest, directory: Path) -> float:
    """Say how much the new train rows move the curvature, as the frozen one sees it.

    A rebuild's factor would be (1 - s) M + s N, for new rows of factor N that are a part s of all.
    Whitened by M it is off from 1 by s (M^(-1/2) N M^(-1/2) - 1): its root mean square eigenvalue,
    averaged over factors. Several appends at most add up, by the triangle inequality. EK-FAC, and
    what is taken down, count by their part of the rows alone.
    """
    if "train" not in plan.parts or plan.options.whitening is None:
        return 0.0
    new = len(plan.parts["train"])
    part = float(new / (manifest["parts"]["train"]["rows"] + new))
    if plan.options.whitening.kind == "ekfac":
        return part
    changes = [_change(plan, manifest, directory, checkpoint) for checkpoint in plan.checkpoints]
    return part * sum(changes) / len(changes)


def _change(plan: Plan, manifest: Manifest, directory: Path, checkpoint: Checkpoint) -> float:
    device, options = plan.options.execution.device, plan.options.whitening
    frozen = whitening_of(directory, manifest, checkpoint.sha256, device)
    assert options is not None, "only whitened rows drift"
    assert frozen is not None, "whitened rows without their whitening"
    model = checkpoint.load().to(device).eval()
    found = fit_whitening(subject_of(plan.task, manifest, model), plan.parts["train"], options)
    sides = [side for name in frozen for side in _sides(frozen[name], found[name])]
    return sum(_distance(old, new) for old, new in sides) / len(sides)


def _sides(old: Whitener, new: Whitener) -> list[tuple[Tensor, Tensor]]:
    return [(old.rows, new.rows), (old.cols, new.cols)]


def _distance(old: Tensor, new: Tensor) -> float:
    """Compare two inverse roots: root mean square of the eigenvalues of old new⁻² old, less 1."""
    if old.ndim == 1:
        return float(((old / new).square() - 1).square().mean().sqrt())
    inverse = torch.linalg.inv(new.double())
    seen = old.double() @ inverse @ inverse @ old.double()
    seen.diagonal().sub_(1)
    return float(seen.norm()) / math.sqrt(len(seen))
