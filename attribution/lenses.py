"""Further rows seen as the rows of an index were: its checkpoints loaded, its sketches folded.

Both take longer than a few queries, so they are kept from one batch to the next as far as memory
goes; what does not fit is made anew each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from torch import Tensor

from attribution.errors import ForeignIndex
from attribution.gradients import Lens, sketched_rows
from attribution.index import Index, Manifest, Member, lens_of
from attribution.task import Checkpoint, Execution, Rows, Task

MEMORY_MAX = 2**31  # bytes of models and sketches that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Lenses:
    """Through what the members of an index see gradients."""

    index: Index
    task: Task
    checkpoints: Mapping[str, Checkpoint]  # by hash
    kept: dict[tuple[str, str], Lens] = field(default_factory=dict)  # by hash and device


def lenses_of(index: Index, task: Task, checkpoints: Sequence[Checkpoint]) -> Lenses:
    """Bring an index and the checkpoints it was made of together; nothing is loaded yet.

    Raises `ForeignIndex` when a checkpoint of the index is not among `checkpoints`.
    """
    own = checkpoints_of(index.directory, index.manifest, checkpoints)
    return Lenses(index=index, task=task, checkpoints={each.sha256: each for each in own})


def checkpoints_of(
    directory: Path, manifest: Manifest, checkpoints: Sequence[Checkpoint]
) -> tuple[Checkpoint, ...]:
    """Choose those checkpoints that an index was made of, in its order, among those passed.

    Raises `ForeignIndex` when one of them is not there.
    """
    passed = {checkpoint.sha256: checkpoint for checkpoint in checkpoints}
    for member in manifest["members"]:
        if member["sha256"] not in passed:
            raise ForeignIndex(
                f"{directory} was made of checkpoint '{member['checkpoint']}' "
                f"({member['sha256'][:12]}), which was not passed; pass the run it was made of"
            )
    return tuple(passed[sha] for sha in dict.fromkeys(m["sha256"] for m in manifest["members"]))


def sketched(lenses: Lenses, rows: Rows, execution: Execution) -> Iterator[tuple[Member, Tensor]]:
    """Sketch rows once a member, one checkpoint after the other: float32 (row, width).

    Raises `CorruptIndex` when the whitening of a checkpoint is not what was written.
    """
    shas = list(dict.fromkeys(member.sha256 for member in lenses.index.members))
    done, total = 0, len(shas) * len(rows)
    for sha256 in shas:
        lens = _lens(lenses, sha256, execution.device)
        batches: list[list[Tensor]] = []
        for batch in sketched_rows(lens, rows, execution.batch):
            batches.append(batch)
            done += len(batch[0])
            execution.progress(done, total)
        for place, member in enumerate(_members(lenses.index, sha256)):
            yield member, torch.cat([batch[place] for batch in batches])


def _lens(lenses: Lenses, sha256: str, device: str) -> Lens:
    if (sha256, device) in lenses.kept:
        return lenses.kept[sha256, device]
    index, members = lenses.index, _members(lenses.index, sha256)
    model = lenses.checkpoints[sha256].load().to(device).eval()
    whitening = index.whitening(members[0], device)
    lens = lens_of(index.manifest, members, lenses.task, model, whitening)
    if sum(map(_bytes, [lens, *lenses.kept.values()])) <= MEMORY_MAX:
        lenses.kept[sha256, device] = lens
    return lens


def _members(index: Index, sha256: str) -> list[Member]:
    return [member for member in index.members if member.sha256 == sha256]


def _bytes(lens: Lens) -> int:
    folded = [p for sketch in lens.sketches for p in sketch.projections.values()]
    values = [getattr(p, each.name) for p in folded for each in fields(p)]
    tensors = [*lens.model.parameters(), *lens.model.buffers()]
    return sum(t.nbytes for t in [*tensors, *values] if isinstance(t, Tensor))
