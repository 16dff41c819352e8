"""Scores that are bilinear in gradients, qᵀ M g: most of the field, told apart by their options.

For every member (a checkpoint seen through a sketch) queries are sketched as the index's rows were,
multiplied by the inverse of a damped Gram where the method has one, and held against the rows:

    whitened rows, one Gram     q (SᵀS + λI)⁻¹ Sᵀ on EK-FAC-whitened rows S: ours
    plain rows, a Gram          TRAK (Park et al. 2023, section 3); one a parameter: LoGra
    plain rows, no Gram         Grad-Dot; summed with learning rates: TracInCP (Pruthi et al. 2020)
    unit rows and queries       Grad-Cos
    every direction, EK-FAC     influence functions (Grosse et al. 2023)

`recipes` names the combinations. Members that differ in training or sketch alone are replicates;
the checkpoints of one training are added up. With `normalise` each member's scores of one query are
first divided by their root mean square over the train rows, lest one checkpoint drown the others.
Placebo rows are scored as if they had been in the Gram. Positive = having trained on it helped.

One Gram over fewer rows than columns is solved through inner products of rows (`kernel`): queries
meet the rows as they are kept, and nothing but the products stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from attribution.curvature import SIDE_MAX, DampedGram, as_if_inside, damped_grams, precondition
from attribution.encoding import Encoded, decode, signed
from attribution.index import Index, Member, column_slices
from attribution.kernel import Kernel, all_products, fit_kernel, gram_of, products
from attribution.lenses import Lenses, lenses_of, sketched
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
class Columnwise:
    """Damped Grams that are not solved through inner products of rows alone."""

    grams: Sequence[DampedGram]
    placebos: Tensor  # as if inside, float32 (placebo row, width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A method ready to score."""

    lenses: Lenses
    options: ScoringOptions
    solvers: Mapping[str, Kernel | Columnwise]  # by member; none where the method has no Gram
    output_terms: Mapping[str, Tensor]  # by part; float32 (row,): TRAK's Q, or nothing

    @property
    def index(self) -> Index:
        """What is scored."""
        return self.lenses.index

    @property
    def replicates(self) -> tuple[Replicate, ...]:
        """Name what the first axis of the scores counts."""
        return tuple(dict.fromkeys((m.run, m.seed) for m in self.index.members))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Queries ready to be scored, by member: their vectors, or what they scored already."""

    ids: tuple[str, ...]
    owners: tuple[str, ...]
    vectors: Mapping[str, Tensor]  # float32 (query, width), to be multiplied with rows
    known: Mapping[str, Mapping[str, Tensor]]  # by part; float32 (query, row)
    sizes: Mapping[str, Tensor]  # float32 (query,): what scores are divided by


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
        lenses=lenses_of(index, task, checkpoints),
        options=options or ScoringOptions(),
        solvers={},
        output_terms=output_terms or {},
    )
    members = index.members if fitted.options.gram else ()
    return replace(fitted, solvers={m.name: _solver(fitted, m) for m in members})


def prepare(fitted: Fitted, query: Rows, *, sizes: Mapping[str, Tensor] | None = None) -> Prepared:
    """Sketch the queries at every checkpoint, precondition and normalise them.

    `sizes` normalise by what others were divided by: parts of a query by the whole's, so that
    their scores add up to its.
    """
    vectors: dict[str, Tensor] = {}
    known: dict[str, Mapping[str, Tensor]] = {}
    for member, rows in sketched(fitted.lenses, query, fitted.options.execution):
        seen = _seen(fitted, member, rows)
        solver = fitted.solvers.get(member.name)
        if isinstance(solver, Kernel):
            known[member.name] = _met(fitted, member, solver, seen)
        else:
            vectors[member.name] = precondition(solver.grams, seen).float() if solver else seen
    found = Prepared(
        ids=query.ids, owners=query.owners, vectors=vectors, known=known, sizes=sizes or {}
    )
    if sizes is not None:
        return found
    return replace(found, sizes={m.name: _sizes(fitted, found, m) for m in fitted.index.members})


def score(fitted: Fitted, prepared: Prepared, part: str = "train") -> Iterator[Tensor]:
    """Yield the scores a shard of rows at a time: float32 (replicate, query, row)."""
    members, replicates = fitted.index.members, fitted.replicates
    if not _count(fitted, part):
        yield torch.zeros(len(replicates), len(prepared.ids), 0)
        return
    streams = [_scored(fitted, prepared, member, part) for member in members]
    terms, start = fitted.output_terms.get(part), 0
    for blocks in zip(*streams, strict=True):
        found = torch.zeros(len(replicates), *blocks[0].shape, device=blocks[0].device)
        for member, block in zip(members, blocks, strict=True):
            divided = block / prepared.sizes[member.name][:, None]
            found[replicates.index((member.run, member.seed))] += divided
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


def _solver(fitted: Fitted, member: Member) -> Kernel | Columnwise:
    index, ridge, count = fitted.index, fitted.options.ridge, _count(fitted, "train")
    by_parameter = fitted.options.gram == "parameter"
    slices = column_slices(index.manifest) if by_parameter else [slice(0, index.width)]
    if len(slices) == 1 and count < min(index.width, SIDE_MAX + 1):
        gram = gram_of(partial(_both, fitted, member), fitted.options.execution.device)
        return fit_kernel(gram, count, ridge, _works(fitted))
    grams = damped_grams(partial(_rows, fitted, member, "train"), slices, ridge)
    return Columnwise(grams=grams, placebos=_placebo_rows(fitted, member, grams))


def _placebo_rows(fitted: Fitted, member: Member, grams: Sequence[DampedGram]) -> Tensor:
    rows = list(_rows(fitted, member, "placebo"))
    if not rows:
        return torch.zeros(0, fitted.index.width, device=fitted.options.execution.device)
    return as_if_inside(grams, torch.cat(rows), _works(fitted)).float()


def _works(fitted: Fitted) -> list[list[int]]:
    """Say which placebo rows belong together."""
    owners = fitted.index.owners.get("placebo", ())
    return [[i for i, o in enumerate(owners) if o == owner] for owner in dict.fromkeys(owners)]


def _count(fitted: Fitted, part: str) -> int:
    return len(fitted.index.ids.get(part, ()))


def _seen(fitted: Fitted, member: Member, query: Tensor) -> Tensor:
    """Weigh sketched queries, and take cosines' at unit length."""
    if fitted.options.cosine:
        query = torch.nn.functional.normalize(query, dim=1)
    if fitted.options.by_learning_rate:
        query = query * fitted.lenses.checkpoints[member.sha256].learning_rate
    return query


def _met(fitted: Fitted, member: Member, kernel: Kernel, rows: Tensor) -> dict[str, Tensor]:
    """Score sketched queries through the kernel, by part: float32 (query, row)."""
    counts = [_count(fitted, part) for part in ("train", "placebo")]
    found = all_products(rows, partial(_both, fitted, member))
    train, placebo = kernel.scores(*torch.split(found, counts, dim=1))
    return {"train": train.float(), "placebo": placebo.float()}


def _sizes(fitted: Fitted, prepared: Prepared, member: Member) -> Tensor:
    """Root mean square of each query's scores over the train rows; 1 where that is nothing."""
    device = fitted.options.execution.device
    if not fitted.options.normalise:
        return torch.ones(len(prepared.ids), device=device)
    blocks = _scored(fitted, prepared, member, "train")
    squares = torch.stack([block.double().square().sum(1) for block in blocks]).sum(0)
    size = (squares / _count(fitted, "train")).sqrt().float()
    return torch.where(size > 0, size, 1.0)


def _scored(fitted: Fitted, prepared: Prepared, member: Member, part: str) -> Iterator[Tensor]:
    """Yield one member's scores of a part, undivided, some rows at a time: (query, row)."""
    if member.name in prepared.known:
        yield from torch.split(prepared.known[member.name][part], fitted.index.shard_rows, dim=1)
    elif part == "placebo" and isinstance(solver := fitted.solvers.get(member.name), Columnwise):
        yield prepared.vectors[member.name] @ solver.placebos.T
    else:
        yield from products(prepared.vectors[member.name], _kept(fitted, member, part))


def _both(fitted: Fitted, member: Member) -> Iterator[Encoded]:
    """Yield train rows, then placebos."""
    return chain(_kept(fitted, member, "train"), _kept(fitted, member, "placebo"))


def _rows(fitted: Fitted, member: Member, part: str) -> Iterator[Tensor]:
    for block in _kept(fitted, member, part):
        yield torch.from_numpy(decode(block)).to(fitted.options.execution.device)


def _kept(fitted: Fitted, member: Member, part: str) -> Iterator[Encoded]:
    """Yield rows as they are kept; for cosines with scales that give them unit length."""
    for block in fitted.index.encoded(member, part):
        if len(block):
            yield _unit(block) if fitted.options.cosine else block


def _unit(rows: Encoded) -> Encoded:
    lengths = np.linalg.norm(signed(rows).astype(np.float32), axis=1)
    shown = (lengths > 0) & (rows.scales > 0)
    return replace(rows, scales=np.divide(1, lengths, where=shown, out=np.zeros_like(lengths)))


def _dense(blocks: Sequence[Tensor]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return torch.cat(list(blocks), dim=2).cpu().numpy().astype(np.float32)
