"""What becomes of an index when the catalogue changes: rows appended, rows taken down.

An append adds shards and leaves those that stand. Plain rows then equal a rebuild's; whitened rows
equal a rebuild's *with the curvature that was frozen*. A takedown marks rows with tombstones;
nobody who opens the index sees them, in a Gram, a score, or a name, until they are brought back.
Each names the manifest it amends. `drift` says for what part of the rows the frozen curvature does
not stand.

An append that was interrupted is taken up again by the same call. While it lasts the index does
not open.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attribution import processes
from attribution.encoding import Array
from attribution.errors import BadRows, CorruptIndex, IncompleteIndex
from attribution.files import json_bytes, write_whole
from attribution.index import (
    Index,
    IndexOptions,
    Manifest,
    RowNames,
    curvature_fault,
    open_index,
    read_manifest,
    read_names,
    tombstone_path,
)
from attribution.indexing import Plan, fill, names_of, save
from attribution.lenses import checkpoints_of
from attribution.shards import Shard, shard_table
from attribution.sketch import SketchOptions
from attribution.task import Checkpoint, Execution, Rows, Task, rows_sha256
from attribution.whitening import WhiteningOptions

DRIFT_MAX = 0.25  # a convention: beyond it, `Drift.calls_for_rebuild`


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far an index has moved from the rows that its curvature was taken from."""

    written: int  # train rows in all
    appended: int
    taken_down: int
    curvature: float  # 0 to 1: the part of the rows that it does not stand for (`drift`)

    @property
    def calls_for_rebuild(self) -> bool:
        """Tell whether the curvature stands for so few of the rows that it should be taken anew."""
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
    manifest = read_manifest(directory)
    own = checkpoints_of(directory, manifest, checkpoints)
    options = options_of(manifest, execution or Execution())
    if processes.join().first:
        if not _is_last(manifest, more):
            manifest = _extended(manifest, more, directory)
            save(directory, manifest)
        _write_names(directory, manifest, more)
    manifest = processes.told(manifest)
    before = manifest["appended"][-1]["before"]
    return fill(Plan(task, own, more, options, manifest, before), directory)


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
    """Say how far an index has moved from the rows that its curvature was taken from.

    Its part of the written train rows counts those appended and there, and those of the first build
    and hidden. It is no bound on how far the curvature or a score is off. A plain index freezes
    nothing, so its curvature never moves.
    """
    manifest, alive = index.manifest, index.alive["train"]
    appended = sum(each["parts"].get("train", {"rows": 0})["rows"] for each in manifest["appended"])
    built = len(alive) - appended
    moved = (int((~alive[:built]).sum()) + int(alive[built:].sum())) / len(alive)
    return Drift(
        written=len(alive),
        appended=appended,
        taken_down=int((~alive).sum()),
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


def _extended(manifest: Manifest, more: Mapping[str, Rows], directory: Path) -> Manifest:
    """Describe the index with the new rows in it; their shards are still to be made."""
    _check(manifest, more, directory)
    before = {part: manifest["parts"].get(part, {"rows": 0})["rows"] for part in more}
    new = _parts_of(more)
    names = _joined(read_names(directory, manifest), more)
    return {
        **manifest,
        "previous": manifest["sha256"],
        "appended": [*manifest["appended"], {"parts": new, "before": before}],
        "ids_sha256": hashlib.sha256(json_bytes(names)).hexdigest(),
        "parts": {**manifest["parts"], **_grown(manifest["parts"], new)},
        "shards": [*manifest["shards"], *_new_shards(manifest, new, before)],
    }


def _check(manifest: Manifest, more: Mapping[str, Rows], directory: Path) -> None:
    if not all(shard["sha256"] for shard in manifest["shards"]):
        raise IncompleteIndex(
            f"{directory} is not finished; build it, or append what was being appended, again"
        )
    for sha256 in manifest["curvature"]:
        if fault := curvature_fault(directory, manifest, sha256):
            raise CorruptIndex(fault)
    there = {name for named in read_names(directory, manifest).values() for name in named["ids"]}
    twice = there & {name for rows in more.values() for name in rows.ids}
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


def _joined(names: RowNames, more: Mapping[str, Rows]) -> RowNames:
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
