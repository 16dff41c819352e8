"""What a curvature is taken from: gradient factors and gradients of train rows, as they come.

Batches carry the loss that they are seen by: that of labels drawn from the model itself, as Fisher
information has it, or that of what the rows really hold. `whitening` makes a basis and inverse
roots of what is collected here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attribution.gradients import Lens, Names, sketched_gradients, visit_factors
from attribution.sketch import Factor, Lookup, Sketch
from attribution.task import Batch, PerExample, Rows, Task

SIDE_MAX = 4096  # beyond it a factor's second moment is kept as a diagonal
Batches = Iterable[tuple[PerExample, Batch]]  # each with the loss that it is seen by


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose curvature it is: a model on its device, a task, and the parameters looked at."""

    model: nn.Module
    task: Task
    names: Names
    shapes: Mapping[str, tuple[int, int]]  # of every parameter looked at, seen as a matrix


@dataclass(frozen=True, slots=True)
class Moments:
    """Second moments of a parameter's two gradient factors, summed over positions that count."""

    rows: Tensor  # (size, size), or (size,) for a diagonal
    cols: Tensor
    positions: int

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            _plus(self.rows, other.rows),
            _plus(self.cols, other.cols),
            self.positions + other.positions,
        )


def real_batches(subject: Subject, rows: Rows, size: int) -> Iterator[tuple[PerExample, Batch]]:
    """Yield batches of rows, each with the loss of what they really hold."""
    for batch in rows.batches(size):
        yield subject.task.loss, {name: t.to(_device(subject)) for name, t in batch.items()}


def drawn_batches(
    subject: Subject, rows: Rows, size: int, *, seed: int
) -> Iterator[tuple[PerExample, Batch]]:
    """Yield batches of rows, each with the loss of labels drawn for it, where the task draws any.

    Deterministic by the seed; batches of another size would have other labels.
    """
    generator = torch.Generator(device=_device(subject)).manual_seed(seed)
    sampled = subject.task.sampled
    for function, batch in real_batches(subject, rows, size):
        if sampled is None:
            yield function, batch
        else:
            yield lambda model, batch: sampled(model, batch, generator), batch


def second_moments(subject: Subject, batches: Batches) -> dict[str, Moments]:
    """Sum the second moments of both gradient factors, by parameter."""
    found: dict[str, Moments] = {}

    def visit(name: str, left: Factor, right: Tensor) -> None:
        live = (right != 0).any(-1)  # padding has no gradient and no say
        if isinstance(left, Tensor):
            live &= (left != 0).any(-1)
        rows = live.sum(0).float() if left is None else _second(left, live)
        new = Moments(rows, _second(right, live), int(live.sum()))
        found[name] = found[name] + new if name in found else new

    for function, batch in batches:
        visit_factors(subject.model, function, batch, subject.names, visit)
    return found


def mean_squares(subject: Subject, sketch: Sketch, batches: Batches) -> dict[str, Tensor]:
    """Return the mean squares of sketched gradients, (width of the parameter,) by parameter."""
    squares, count = torch.zeros(()), 0
    for function, batch in batches:
        lens = Lens(
            model=subject.model, function=function, sketches=(sketch,), slow=subject.names.slow
        )
        rows = sketched_gradients(lens, batch)[0]
        squares = squares + rows.square().sum(0).double()
        count += len(rows)
    widths = {name: projection.width for name, projection in sketch.projections.items()}
    parts = torch.split((squares / count).float(), list(widths.values()))
    return dict(zip(widths, parts, strict=True))


def _device(subject: Subject) -> torch.device:
    return next(subject.model.parameters()).device


def _second(factor: Tensor | Lookup, live: Tensor) -> Tensor:
    """Sum the outer products of a factor with itself, (size, size), or only their diagonal."""
    if isinstance(factor, Lookup):
        return torch.bincount(factor.ids[live], minlength=factor.size).float()
    kept = (factor.flatten(0, 1) if bool(live.all()) else factor[live]).float()
    return kept.T @ kept if kept.shape[1] <= SIDE_MAX else kept.square().sum(0)


def _plus(a: Tensor, b: Tensor) -> Tensor:
    if a.ndim == b.ndim:
        return a + b
    return torch.diag(a) + b if a.ndim < b.ndim else a + torch.diag(b)
