"""Scores of the parts of a query: a passage of it, or one event.

A measurement that is summed over events has a gradient that is too, so what a train row scores for
a query is the sum of what it scores for the query's parts. A part is the same row under a mask
that leaves only some of its events; it still reads everything before them.

Normalised methods divide a query's scores by their size over the train rows. Parts are divided by
the size of their whole, or they would not add up to it. Cosines do not add up at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from attribution.curvature import precondition
from attribution.errors import BadRows
from attribution.evidence import Null
from attribution.index import Member
from attribution.kernel import Kernel
from attribution.methods.bilinear import Columnwise, Fitted, Prepared, prepare, score
from attribution.task import Rows

Array = np.ndarray[Any, np.dtype[np.float64]]
_Sized = tuple[Rows, Mapping[str, Tensor]]  # parts, and by member what each is divided by
NOWHERE = -1  # the label of an event that is in no part


@dataclass(frozen=True, slots=True, kw_only=True)
class PartScores:
    """What a few train rows scored for every part, mean over replicates. Positive = helped."""

    parts: tuple[str, ...]
    wholes: tuple[str, ...]  # the row that each part was cut from
    items: tuple[str, ...]
    train: Array  # (part, item), raw and unitless
    placebo: Array  # (part,): what a held-back row scored, on average; 0 where there is none

    @property
    def excess(self) -> Array:
        """What items scored above a held-back row: (part, item)."""
        return np.asarray(self.train - self.placebo[:, None])


def by_event(rows: Rows, *, mask: str = "mask") -> Rows:
    """Cut rows into single events: `row/7` is the event at place 7 of a row."""
    places = torch.arange(rows.tensors[mask].shape[1])
    return by_label(rows, places.expand_as(rows.tensors[mask]), mask=mask)


def by_span(rows: Rows, *, events: int, mask: str = "mask") -> Rows:
    """Cut rows into spans of so many events, the last one shorter: `row/2` is the third."""
    if events < 1:
        raise ValueError(f"a span of {events} events holds nothing; pass 1 or more")
    counted = rows.tensors[mask].bool().long().cumsum(1) - 1
    return by_label(rows, counted // events, mask=mask)


def by_label(rows: Rows, labels: Tensor, *, mask: str = "mask") -> Rows:
    """Cut rows into parts by a label for each event, (row, event); `NOWHERE` leaves one out.

    The mask says which events a row's measurement sums; parts are rows with a smaller one, and
    events outside it are in no part. A part is called `row/label` and is owned by its row.
    """
    kept = torch.where(rows.tensors[mask].bool(), labels, NOWHERE)
    named = [(row, label) for row in range(len(rows)) for label in _labels(kept[row])]
    whole = torch.tensor([row for row, _ in named], dtype=torch.long)
    chosen = torch.tensor([label for _, label in named], dtype=torch.long)
    tensors = {name: tensor[whole] for name, tensor in rows.tensors.items()}
    tensors[mask] = tensors[mask] * (kept[whole] == chosen[:, None])
    return Rows(
        tensors=tensors,
        ids=tuple(f"{rows.ids[row]}/{label}" for row, label in named),
        owners=tuple(rows.ids[row] for row, _ in named),
    )


def prepare_parts(fitted: Fitted, whole: Prepared, parts: Rows) -> Prepared:
    """Prepare the parts of prepared queries so that their scores add up to the queries' own.

    Raises `BadRows` for a part of none of these queries, `ValueError` for a method of cosines.
    """
    return prepare(fitted, parts, sizes=_sizes_of(fitted, whole, parts))


def part_scores(
    fitted: Fitted,
    whole: Prepared,
    parts: Rows,
    *,
    items: Sequence[int],
    placebo_weights: Array | None = None,
) -> PartScores:
    """Score parts of prepared queries against a few train rows and the average held-back one.

    `items` are places in the index; `placebo_weights` (placebo row,) weigh the average, else all
    count alike. Raises as `prepare_parts` does.
    """
    if placebo_weights is None:
        count = len(fitted.index.ids.get("placebo", ()))
        placebo_weights = np.full(count, 1.0 / max(count, 1))
    sizes = _sizes_of(fitted, whole, parts)
    kernels = any(isinstance(solver, Kernel) for solver in fitted.solvers.values())
    through = _through_rows if kernels else _through_items
    total = through(fitted, (parts, sizes), items, placebo_weights)
    return PartScores(
        parts=parts.ids,
        wholes=parts.owners,
        items=tuple(fitted.index.ids["train"][place] for place in items),
        train=total[:, :-1],
        placebo=total[:, -1],
    )


def added_up(values: Array, owners: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """Add up parts to their wholes, or spans to their tracks: names and sums, (whole, …)."""
    names = tuple(dict.fromkeys(owners))
    place = {name: number for number, name in enumerate(names)}
    total = np.zeros((len(names), *values.shape[1:]))
    np.add.at(total, [place[owner] for owner in owners], values)
    return names, total


def null_weights(null: Null, works: Sequence[str]) -> Array:
    """Weigh placebo rows, given the work of each, so that their average is the null's mean.

    Then the excess of a work's items over all parts of a track is the work's own in the evidence.
    """
    counts = Counter(works)
    items = np.array([counts[work] for work in works], dtype=np.float64)
    noise = null.between**2 + null.within**2 / items
    weights = 1.0 / items / (noise if noise.any() else 1.0)
    return np.asarray(weights / weights.sum())


def _labels(labels: Tensor) -> list[int]:
    return sorted({int(label) for label in labels.tolist()} - {NOWHERE})


def _sizes_of(fitted: Fitted, whole: Prepared, parts: Rows) -> Mapping[str, Tensor]:
    """Return by member what the scores of each part's whole are divided by."""
    if fitted.options.cosine:
        raise ValueError("cosines of parts do not add up to the whole's; choose another method")
    place = {name: number for number, name in enumerate(whole.ids)}
    strangers = [owner for owner in parts.owners if owner not in place]
    if strangers:
        raise BadRows(f"'{strangers[0]}' is not among the wholes; prepare the rows that were cut")
    wholes = [place[owner] for owner in parts.owners]
    return {name: sizes[wholes] for name, sizes in whole.sizes.items()}


def _through_rows(fitted: Fitted, parts: _Sized, items: Sequence[int], weights: Array) -> Array:
    """Score every row, as a kernel does anyway, and take what is asked: (part, item + 1)."""
    prepared = prepare(fitted, parts[0], sizes=parts[1])
    train, placebo = (
        np.concatenate([b.mean(0).cpu().numpy() for b in score(fitted, prepared, part)], axis=1)
        for part in ("train", "placebo")
    )
    return np.column_stack([train[:, list(items)], placebo @ weights]).astype(np.float64)


def _through_items(fitted: Fitted, parts: _Sized, items: Sequence[int], weights: Array) -> Array:
    """Score the items and the average placebo: (part, item + 1).

    There are more parts than items, so the inverse Gram, which is symmetric, is applied to the
    items: qᵀ(G⁻¹g), not (qᵀG⁻¹)g.
    """
    prepared = prepare(replace(fitted, solvers={}), parts[0], sizes=parts[1])
    total = np.zeros((len(parts[0]), len(items) + 1))
    for member in fitted.index.members:
        columns = _columns(fitted, member, items, _termed(fitted, weights))
        found = prepared.vectors[member.name].double() @ columns.T
        total += (found / prepared.sizes[member.name][:, None]).cpu().numpy()
    return total / len(fitted.replicates)


def _termed(fitted: Fitted, weights: Array) -> Tensor:
    terms = fitted.output_terms.get("placebo")
    found = torch.from_numpy(weights)
    return found if terms is None else found * terms.double().cpu()


def _columns(fitted: Fitted, member: Member, items: Sequence[int], weights: Tensor) -> Tensor:
    """Return what parts are multiplied with: G⁻¹ of the items and of the average placebo."""
    rows = _taken(fitted, member, items)
    terms = fitted.output_terms.get("train")
    if terms is not None:
        rows = rows * terms[list(items)].to(rows.device)[:, None]
    solver = fitted.solvers.get(member.name)
    if isinstance(solver, Columnwise):
        columns = _with_average(rows, solver.placebos, weights)
        return precondition(solver.grams, columns)
    return _with_average(rows, torch.from_numpy(fitted.index.rows(member, "placebo")), weights)


def _with_average(rows: Tensor, held: Tensor, weights: Tensor) -> Tensor:
    """Append the average of held-back rows to rows, in float64."""
    average = weights.to(held.device) @ held.double()
    return torch.cat([rows.double(), average[None].to(rows.device)])


def _taken(fitted: Fitted, member: Member, items: Sequence[int]) -> Tensor:
    """Read some train rows of a member, a shard at a time: float32 (item, width)."""
    found, start = np.zeros((len(items), fitted.index.width), np.float32), 0
    for block in fitted.index.blocks(member, "train"):
        for number, place in enumerate(items):
            if start <= place < start + len(block):
                found[number] = block[place - start]
        start += len(block)
    return torch.from_numpy(found).to(fitted.options.execution.device)
