"""TRAK over an index: damped Gram, normalised per query, summed over checkpoints.

For every member: q (ΦᵀΦ + λI)⁻¹ Φᵀ, one damped Gram a parameter (Park et al. 2023, section 3;
the blocks are LoGra's). Each member's scores of one query are divided by their root mean
square over the train rows, so that no checkpoint drowns the others, then added up over the
checkpoints of one sketch seed. TRAK's factor Q = 1 - p is left out.
Placebo rows are scored as if they had been in the Gram. Positive = having trained on it helped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from attribution.curvature import Curvature, as_if_inside, damped_grams, precondition
from attribution.errors import ForeignIndex
from attribution.gradients import sketched_rows
from attribution.index import Index, Member, column_slices, lens_of
from attribution.task import Checkpoint, Execution, Rows, Task

NAME = "trak"
VERSION = "trak-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrakOptions:
    """How TRAK weighs curvature. `execution` is no part of what is computed."""

    ridge: float = 2.0  # damping, in mean squared lengths of a row
    execution: Execution = field(default_factory=Execution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """TRAK ready to score: the curvature of every member, and the placebo rows on equal terms."""

    index: Index
    task: Task
    checkpoints: Mapping[str, Checkpoint]  # by hash
    options: TrakOptions
    curvatures: Mapping[str, list[Curvature]]  # by member
    placebos: Mapping[str, Tensor]  # by member; float32 (placebo row, width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Queries preconditioned and normalised, one tensor a member: float32 (query, width)."""

    ids: tuple[str, ...]
    owners: tuple[str, ...]
    vectors: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Dense scores, raw and unitless: float32 (seed, query, row). Positive = helped."""

    train: np.ndarray[Any, np.dtype[np.float32]]
    placebo: np.ndarray[Any, np.dtype[np.float32]]  # no rows where the index holds no placebos


def fit(
    index: Index,
    task: Task,
    checkpoints: Sequence[Checkpoint],
    options: TrakOptions | None = None,
) -> Fitted:
    """Factorise the damped Gram of every member of the index.

    Raises `ForeignIndex` when a checkpoint of the index is not among `checkpoints`.
    """
    options = options or TrakOptions()
    by_hash = {checkpoint.sha256: checkpoint for checkpoint in checkpoints}
    for member in index.members:
        if member.sha256 not in by_hash:
            raise ForeignIndex(
                f"{index.directory} was made of checkpoint '{member.checkpoint}' "
                f"({member.sha256[:12]}), which was not passed; pass the run it was made of"
            )
    slices = column_slices(index.manifest)
    device = options.execution.device
    curvatures = {
        member.name: damped_grams(
            partial(_tensors, index, member, "train", device), slices, options.ridge
        )
        for member in index.members
    }
    return Fitted(
        index=index,
        task=task,
        checkpoints=by_hash,
        options=options,
        curvatures=curvatures,
        placebos={
            m.name: _placebo_rows(index, m, curvatures[m.name], device) for m in index.members
        },
    )


def prepare(fitted: Fitted, query: Rows) -> Prepared:
    """Sketch the queries at every checkpoint, precondition and normalise them."""
    execution = fitted.options.execution
    shas = list(dict.fromkeys(member.sha256 for member in fitted.index.members))
    vectors: dict[str, Tensor] = {}
    for number, sha256 in enumerate(shas):
        members = [m for m in fitted.index.members if m.sha256 == sha256]
        sketched = _sketch(fitted, members, query, number)
        for member, rows in zip(members, sketched, strict=True):
            towards = precondition(fitted.curvatures[member.name], rows).float()
            vectors[member.name] = towards / _size(fitted, member, towards)[:, None]
    execution.progress(len(shas) * len(query), len(shas) * len(query))
    return Prepared(ids=query.ids, owners=query.owners, vectors=vectors)


def score(fitted: Fitted, prepared: Prepared, part: str = "train") -> Iterator[Tensor]:
    """Yield the scores a shard of rows at a time: float32 (seed, query, row)."""
    members = fitted.index.members
    seeds = list(dict.fromkeys(member.seed for member in members))
    streams = [_rows(fitted, member, part) for member in members]
    for blocks in zip(*streams, strict=True):
        found = torch.zeros(len(seeds), len(prepared.ids), len(blocks[0]), device=blocks[0].device)
        for member, rows in zip(members, blocks, strict=True):
            found[seeds.index(member.seed)] += prepared.vectors[member.name] @ rows.T
        yield found


def scores(fitted: Fitted, query: Rows) -> Scores:
    """Score every row of the index for every query, dense."""
    prepared = prepare(fitted, query)
    return Scores(
        train=_dense(list(score(fitted, prepared))),
        placebo=_dense(list(score(fitted, prepared, "placebo"))),
    )


def _dense(blocks: Sequence[Tensor]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return torch.cat(list(blocks), dim=2).cpu().numpy().astype(np.float32)


def _sketch(fitted: Fitted, members: Sequence[Member], query: Rows, number: int) -> list[Tensor]:
    execution = fitted.options.execution
    checkpoint = fitted.checkpoints[members[0].sha256]
    lens = lens_of(fitted.index.manifest, members, fitted.task, checkpoint.load(), execution.device)
    total = len(query) * len({m.sha256 for m in fitted.index.members})
    batches = []
    for batch in sketched_rows(lens, query, execution.batch):
        batches.append(batch)
        execution.progress(number * len(query) + sum(len(b[0]) for b in batches), total)
    return [torch.cat([batch[i] for batch in batches]) for i in range(len(members))]


def _size(fitted: Fitted, member: Member, towards: Tensor) -> Tensor:
    """Root mean square of each query's scores over the train rows."""
    squares = torch.zeros(len(towards), dtype=torch.float64, device=towards.device)
    count = 0
    for rows in _rows(fitted, member, "train"):
        squares += (towards @ rows.T).double().square().sum(1)
        count += len(rows)
    size = (squares / count).sqrt().float()
    return torch.where(size > 0, size, torch.ones_like(size))


def _rows(fitted: Fitted, member: Member, part: str) -> Iterator[Tensor]:
    if part == "placebo":
        return iter((fitted.placebos[member.name],))
    return _tensors(fitted.index, member, part, fitted.options.execution.device)


def _tensors(index: Index, member: Member, part: str, device: str) -> Iterator[Tensor]:
    for block in index.blocks(member, part):
        yield torch.from_numpy(block).to(device)


def _placebo_rows(
    index: Index, member: Member, curvatures: Sequence[Curvature], device: str
) -> Tensor:
    rows = torch.from_numpy(index.rows(member, "placebo")).to(device)
    owners = index.owners.get("placebo", ())
    groups = [[i for i, o in enumerate(owners) if o == owner] for owner in dict.fromkeys(owners)]
    return as_if_inside(curvatures, rows, groups).float()
