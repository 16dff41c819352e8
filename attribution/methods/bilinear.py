"""Scores that are bilinear in gradients, qᵀ M g: most of the field, told apart by their options.

For every member (a checkpoint seen through a sketch) queries are sketched as the index's rows were,
multiplied by the inverse of a damped Gram where the method has one, and held against the rows:

    whitened rows, one Gram     q (SᵀS + λI)⁻¹ Sᵀ on K-FAC-whitened rows S: ours
    plain rows, a Gram          TRAK (Park et al. 2023, section 3); one a parameter: LoGra
    plain rows, no Gram         Grad-Dot; summed with learning rates: TracInCP (Pruthi et al. 2020)
    unit rows and queries       Grad-Cos
    every direction, EK-FAC     influence functions (Grosse et al. 2023)

`recipes` names the combinations. Members that differ in training or sketch alone are replicates;
the checkpoints of one training are added up. With `normalise` each member's scores of one query are
first divided by their root mean square over the train rows, lest one checkpoint drown the others.
Placebo rows are scored as if they had been in the Gram. Positive = having trained on it helped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from attribution.curvature import DampedGram, Solved, as_if_inside, damped_grams, solve
from attribution.errors import ForeignIndex
from attribution.gradients import sketched_rows
from attribution.index import Index, Member, column_slices, lens_of
from attribution.task import Checkpoint, Execution, Rows, Task

Replicate = tuple[str, int]  # the training's name and the sketch's seed


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringOptions:
    """How rows and queries are held against each other."""

    gram: Literal["joint", "parameter"] | None = "joint"
    ridge: float = 2.0  # damping of the Gram, in mean squared lengths of a row
    normalise: bool = True
    cosine: bool = False  # rows and queries at unit length
    by_learning_rate: bool = False  # checkpoints weigh as much as training moved there
    execution: Execution = field(default_factory=Execution)  # no part of what is computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A method ready to score."""

    index: Index
    task: Task
    checkpoints: Mapping[str, Checkpoint]  # by hash
    options: ScoringOptions
    grams: Mapping[str, list[DampedGram]]  # by member; empty without a Gram
    placebos: Mapping[str, Tensor]  # by member; float32 (placebo row, width)
    output_terms: Mapping[str, Tensor]  # by part; float32 (row,): TRAK's Q, or nothing

    @property
    def replicates(self) -> tuple[Replicate, ...]:
        """Name what the first axis of the scores counts."""
        return tuple(dict.fromkeys((m.run, m.seed) for m in self.index.members))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Queries ready to be held against rows, one tensor a member."""

    ids: tuple[str, ...]
    owners: tuple[str, ...]
    vectors: Mapping[str, Tensor]  # float32 (query, width)
    sizes: Mapping[str, Tensor]  # float32 (query,): what the scores were divided by
    known: Mapping[str, Tensor]  # float32 (query, train row): of members whose scores fell out


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Dense scores, raw and unitless: float32 (replicate, query, row). Positive = helped."""

    train: np.ndarray[Any, np.dtype[np.float32]]
    placebo: np.ndarray[Any, np.dtype[np.float32]]  # no rows where the index holds no placebos
    replicates: tuple[Replicate, ...] = ()

    def spread(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return mean and standard error of every train score over the replicates.

        Both are (query, row); the error of a single replicate is NaN.
        """
        mean = self.train.mean(0)
        if len(self.train) == 1:
            return mean, np.full_like(mean, np.nan)
        return mean, self.train.std(0, ddof=1) / len(self.train) ** 0.5


def fit(
    index: Index,
    task: Task,
    checkpoints: Sequence[Checkpoint],
    options: ScoringOptions | None = None,
    *,
    output_terms: Mapping[str, Tensor] | None = None,
) -> Fitted:
    """Factorise the damped Grams of every member of the index.

    `output_terms` multiply the scores of every row of a part (`output_term`).
    Raises `ForeignIndex` when a checkpoint of the index is not among `checkpoints`.
    """
    fitted = Fitted(
        index=index,
        task=task,
        checkpoints=_by_hash(index, checkpoints),
        options=options or ScoringOptions(),
        grams={},
        placebos={},
        output_terms=output_terms or {},
    )
    grams = {member.name: _grams(fitted, member) for member in index.members}
    return replace(
        fitted,
        grams=grams,
        placebos={m.name: _placebo_rows(fitted, m, grams[m.name]) for m in index.members},
    )


def prepare(fitted: Fitted, query: Rows, *, sizes: Mapping[str, Tensor] | None = None) -> Prepared:
    """Sketch the queries at every checkpoint, precondition and normalise them.

    `sizes` normalise by what others were divided by: parts of a query by the whole's, so that
    their scores add up to its.
    """
    execution, members = fitted.options.execution, fitted.index.members
    shas = list(dict.fromkeys(member.sha256 for member in members))
    found: dict[str, Solved] = {}
    for number, sha256 in enumerate(shas):
        for member, rows in _sketched(fitted, sha256, query, number):
            found[member.name] = _weighed(fitted, member, rows)
    execution.progress(len(shas) * len(query), len(shas) * len(query))
    if sizes is None:
        sizes = {member.name: _sizes(fitted, member, found[member.name]) for member in members}
    return Prepared(
        ids=query.ids,
        owners=query.owners,
        vectors={name: s.vectors / sizes[name][:, None] for name, s in found.items()},
        sizes=sizes,
        known={
            name: solved.scores / sizes[name][:, None]
            for name, solved in found.items()
            if solved.scores is not None
        },
    )


def score(fitted: Fitted, prepared: Prepared, part: str = "train") -> Iterator[Tensor]:
    """Yield the scores a shard of rows at a time: float32 (replicate, query, row)."""
    members, replicates = fitted.index.members, fitted.replicates
    streams = [_scored(fitted, prepared, member, part) for member in members]
    terms, start = fitted.output_terms.get(part), 0
    for blocks in zip(*streams, strict=True):
        found = torch.zeros(len(replicates), *blocks[0].shape, device=blocks[0].device)
        for member, block in zip(members, blocks, strict=True):
            found[replicates.index((member.run, member.seed))] += block
        stop = start + found.shape[2]
        yield found if terms is None else found * terms[start:stop].to(found.device)
        start = stop


def scores(fitted: Fitted, query: Rows) -> Scores:
    """Score every row of the index for every query, dense."""
    prepared = prepare(fitted, query)
    return Scores(
        train=_dense(list(score(fitted, prepared))),
        placebo=_dense(list(score(fitted, prepared, "placebo"))),
        replicates=fitted.replicates,
    )


def output_term(
    task: Task, checkpoints: Sequence[Checkpoint], rows: Rows, execution: Execution
) -> Tensor:
    """Return TRAK's Q of every row: 1 - p, averaged over the checkpoints; float32 (row,).

    The checkpoints may be others than the index's: dropout masks that only run forward.
    Raises `ValueError` where the task does not say what the probability of an example is.
    """
    if task.probability is None:
        raise ValueError("TRAK's output term needs Task.probability; give one, or leave it out")
    total = torch.zeros(len(rows))
    for checkpoint in checkpoints:
        model = checkpoint.load().to(execution.device).eval()
        with torch.no_grad():
            parts = [
                1 - task.probability(model, {k: t.to(execution.device) for k, t in batch.items()})
                for batch in rows.batches(execution.batch)
            ]
        total += torch.cat(parts).float().cpu()
    return total / len(checkpoints)


def _by_hash(index: Index, checkpoints: Sequence[Checkpoint]) -> dict[str, Checkpoint]:
    found = {checkpoint.sha256: checkpoint for checkpoint in checkpoints}
    for member in index.members:
        if member.sha256 not in found:
            raise ForeignIndex(
                f"{index.directory} was made of checkpoint '{member.checkpoint}' "
                f"({member.sha256[:12]}), which was not passed; pass the run it was made of"
            )
    return found


def _grams(fitted: Fitted, member: Member) -> list[DampedGram]:
    kind = fitted.options.gram
    if kind is None:
        return []
    whole = [slice(0, fitted.index.width)]
    slices = whole if kind == "joint" else column_slices(fitted.index.manifest)
    return damped_grams(partial(_rows, fitted, member, "train"), slices, fitted.options.ridge)


def _weighed(fitted: Fitted, member: Member, rows: Tensor) -> Solved:
    """Turn sketched queries into what is multiplied with rows; float32."""
    if fitted.options.cosine:
        rows = _unit(rows)
    grams = fitted.grams[member.name]
    solved = solve(grams, rows) if grams else Solved(rows, None)
    weight = 1.0
    if fitted.options.by_learning_rate:
        weight = fitted.checkpoints[member.sha256].learning_rate
    scores = None if solved.scores is None else (solved.scores * weight).float()
    return Solved((solved.vectors * weight).float(), scores)


def _scored(fitted: Fitted, prepared: Prepared, member: Member, part: str) -> Iterator[Tensor]:
    """Yield one member's scores of a part, a shard of rows at a time: (query, row)."""
    if part == "train" and member.name in prepared.known:
        yield from torch.split(prepared.known[member.name], fitted.index.shard_rows, dim=1)
        return
    vectors = prepared.vectors[member.name]
    for rows in _rows(fitted, member, part):
        yield vectors @ rows.T


def _sketched(
    fitted: Fitted, sha256: str, query: Rows, number: int
) -> Iterator[tuple[Member, Tensor]]:
    """Sketch the queries at one checkpoint, once a member of it."""
    execution, index = fitted.options.execution, fitted.index
    members = [m for m in index.members if m.sha256 == sha256]
    model = fitted.checkpoints[sha256].load().to(execution.device).eval()
    whitening = index.whitening(members[0], execution.device)
    lens = lens_of(index.manifest, members, fitted.task, model, whitening)
    total = len(query) * len({m.sha256 for m in index.members})
    batches: list[list[Tensor]] = []
    for batch in sketched_rows(lens, query, execution.batch):
        batches.append(batch)
        execution.progress(number * len(query) + sum(len(b[0]) for b in batches), total)
    for place, member in enumerate(members):
        yield member, torch.cat([batch[place] for batch in batches])


def _sizes(fitted: Fitted, member: Member, solved: Solved) -> Tensor:
    """Root mean square of each query's scores over the train rows; 1 where that is nothing."""
    ones = torch.ones(len(solved.vectors), device=solved.vectors.device)
    if not fitted.options.normalise:
        return ones
    if solved.scores is not None:
        blocks: Iterable[Tensor] = (solved.scores,)
    else:
        blocks = (solved.vectors @ rows.T for rows in _rows(fitted, member, "train"))
    squares = torch.stack([block.double().square().sum(1) for block in blocks]).sum(0)
    size = (squares / len(fitted.index.ids["train"])).sqrt().float()
    return torch.where(size > 0, size, ones)


def _rows(fitted: Fitted, member: Member, part: str) -> Iterator[Tensor]:
    if part == "placebo":
        yield fitted.placebos[member.name]
        return
    for block in fitted.index.blocks(member, part):
        yield _seen(fitted, block)


def _seen(fitted: Fitted, block: np.ndarray[Any, np.dtype[Any]]) -> Tensor:
    rows = torch.from_numpy(block).to(fitted.options.execution.device)
    return _unit(rows) if fitted.options.cosine else rows


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows.float(), dim=1)


def _placebo_rows(fitted: Fitted, member: Member, grams: Sequence[DampedGram]) -> Tensor:
    rows = _seen(fitted, fitted.index.rows(member, "placebo"))
    if not grams:
        return rows
    owners = fitted.index.owners.get("placebo", ())
    groups = [[i for i, o in enumerate(owners) if o == owner] for owner in dict.fromkeys(owners)]
    return as_if_inside(grams, rows, groups).float()


def _dense(blocks: Sequence[Tensor]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return torch.cat(list(blocks), dim=2).cpu().numpy().astype(np.float32)
