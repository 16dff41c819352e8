"""Per-example gradients from hooks on one ordinary batched forward and backward pass.

Activations and output gradients of a pass hold every example's gradient as two factors (`layers`),
which go to `sketch.project` before a gradient is ever formed. Weights are frozen meanwhile, so the
pass costs less than a training step. What hooks (`watch`) get wrong, such as a layer that has the
example second, is found once by `unhooked` and then computed one example at a time.
`exact_gradients` is the slow twin that tests compare with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attribution.sketch import (
    Factor,
    Sketch,
    SketchOptions,
    join,
    make_sketch,
    matrix_shape,
    project,
)
from attribution.task import Batch, PerExample, Rows
from attribution.watch import Visit, watch

_TRIAL_ROWS = 3  # at least; more where a parameter had no gradient yet
_TRIAL_ROWS_MAX = 8
_TOLERANCE = 1e-3  # hook against autograd; wrong hooks are wrong by far more than rounding
_ROUNDING_MAX = 0.1  # what low precision may excuse
_NOTHING = 1e-6  # of the whole gradient: rounding where the true gradient is zero


@dataclass(frozen=True, slots=True)
class Names:
    """Which parameters to look at: by hooks, or one example at a time."""

    hooked: frozenset[str]
    slow: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Through what gradients are seen: a model, a function of it, and one sketch a seed."""

    model: nn.Module
    function: PerExample
    sketches: tuple[Sketch, ...]  # of the same parameters
    slow: frozenset[str] = frozenset()  # those that `unhooked` found: one example at a time


def visit_factors(
    model: nn.Module, function: PerExample, batch: Batch, names: Names, visit: Visit
) -> None:
    """Show the gradient factors of these parameters, by one run of the model forth and back.

    A parameter used several times (tied weights) is visited once a use, under its first name; one
    that took no part is visited with zeros. Some are visited with a formed gradient and no left
    factor, as all slow ones are.
    """
    unseen = {name: p for name, p in model.named_parameters() if name in names.hooked}
    identities = {id(p): name for name, p in unseen.items()}

    def visited(name: str, left: Factor, right: Tensor) -> None:
        unseen.pop(name, None)
        visit(name, left, right)

    with _requiring_grad(model, []):
        watch(model, function, batch, identities, visited)
    for name, parameter in unseen.items():
        left, right = (
            torch.zeros(_examples(batch), 1, size, device=parameter.device)
            for size in matrix_shape(tuple(parameter.shape))
        )
        visit(name, left, right)
    if names.slow:
        formed = exact_gradients(model, function, batch, sorted(names.slow))
        for name, full in formed.items():
            visit(name, None, full.reshape(len(full), *matrix_shape(tuple(full.shape[1:]))))


def sketched_gradients(lens: Lens, batch: Batch) -> list[Tensor]:
    """Return the sketched gradient of every example, (example, width), one tensor a sketch."""
    sums: list[dict[str, Tensor]] = [{} for _ in lens.sketches]

    def visit(name: str, left: Factor, right: Tensor) -> None:
        for parts, sketch in zip(sums, lens.sketches, strict=True):
            part = project(left, right, sketch.projections[name])
            parts[name] = part if name not in parts else parts[name] + part

    chosen = frozenset(lens.sketches[0].projections)
    names = Names(chosen - lens.slow, chosen & lens.slow)
    visit_factors(lens.model, lens.function, batch, names, visit)
    return [join(parts, sketch) for parts, sketch in zip(sums, lens.sketches, strict=True)]


def sketched_rows(lens: Lens, rows: Rows, size: int) -> Iterator[list[Tensor]]:
    """Yield the sketched gradients of rows, at most `size` examples at a time."""
    device = next(lens.model.parameters()).device
    for batch in rows.batches(size):
        yield sketched_gradients(lens, {name: t.to(device) for name, t in batch.items()})


def exact_gradients(
    model: nn.Module, function: PerExample, batch: Batch, names: Sequence[str]
) -> dict[str, Tensor]:
    """Compute the full gradients one example at a time: (example, *shape of the parameter)."""
    rows = [_whole_gradient(model, function, one, names) for one in _one_by_one(batch)]
    return {name: torch.stack([row[name] for row in rows]) for name in names}


def unhooked(
    model: nn.Module, function: PerExample, batch: Batch, names: Sequence[str]
) -> frozenset[str]:
    """Name the parameters whose gradient the hooks get wrong, by trying on a few rows of a batch.

    Rows are added until every parameter has shown a gradient, eight at most: pass a batch that has
    as many. The trial looks through random projections, so that no whole gradients are kept.
    What one row alone and rows together differ by is rounding, and counts as such up to a tenth;
    beyond that the rows touch each other, and are taken one by one.
    """
    shapes = {n: tuple(p.shape) for n, p in model.named_parameters() if n in set(names)}
    device = str(next(model.parameters()).device)
    sketch = make_sketch(shapes, SketchOptions(side=4, vectors=True), seed=0, device=device)
    lens = Lens(model=model, function=function, sketches=(sketch,))
    truth = _true_rows(lens, batch)
    return _wrong(lens, _first(batch, len(truth)), truth)


def _true_rows(lens: Lens, batch: Batch) -> Tensor:
    """Sketch rows by autograd, one at a time, until every parameter has a gradient in one."""
    rows = []
    for one in _one_by_one(_first(batch, _TRIAL_ROWS_MAX)):
        rows.append(_summed(lens, one))
        seen = torch.stack(rows).abs().sum(0)
        if len(rows) >= _TRIAL_ROWS and all((part > 0).any() for part in _parts(lens, seen)):
            break
    return torch.stack(rows)


def _wrong(lens: Lens, batch: Batch, truth: Tensor) -> frozenset[str]:
    """Name the parameters whose sketched rows are not what autograd says, (example, width)."""
    found = sketched_gradients(lens, batch)[0]
    apart = (_summed(lens, batch) - truth.sum(0)).abs()
    nothing = _NOTHING * truth.norm()
    names = lens.sketches[0].projections
    columns = zip(*(_parts(lens, each) for each in (found, truth, apart)), strict=True)
    return frozenset(
        name
        for name, (hooked, true, noise) in zip(names, columns, strict=True)
        if not _agree(hooked, true, noise) and max(hooked.norm(), true.norm()) > nothing
    )


def _agree(found: Tensor, truth: Tensor, noise: Tensor) -> bool:
    rounding = torch.minimum(10 * noise.norm(), _ROUNDING_MAX * truth.norm())
    return bool((found - truth).norm() <= _TOLERANCE * truth.norm() + rounding)


def _summed(lens: Lens, batch: Batch) -> Tensor:
    """Sketch the gradient of the sum over a batch, by autograd: (width,)."""
    (sketch,) = lens.sketches
    full = _whole_gradient(lens.model, lens.function, batch, list(sketch.projections))
    parts = {
        name: project(None, full[name].reshape(1, *matrix_shape(tuple(full[name].shape))), each)
        for name, each in sketch.projections.items()
    }
    return join(parts, sketch)[0]


def _parts(lens: Lens, rows: Tensor) -> tuple[Tensor, ...]:
    """Take rows (…, width) apart by parameter."""
    return torch.split(rows, [p.width for p in lens.sketches[0].projections.values()], dim=-1)


def _whole_gradient(
    model: nn.Module, function: PerExample, batch: Batch, names: Sequence[str]
) -> dict[str, Tensor]:
    parameters = dict(model.named_parameters())
    chosen = [parameters[name] for name in names]
    with _requiring_grad(model, chosen):
        value = function(model, batch).sum()
        if not value.requires_grad:  # none of them took part
            return {name: torch.zeros_like(parameters[name]) for name in names}
        found = torch.autograd.grad(value, chosen, allow_unused=True, materialize_grads=True)
    return dict(zip(names, found, strict=True))


def _first(batch: Batch, count: int) -> Batch:
    """Take the first rows of a batch; one of fewer repeats them."""
    places = [i % _examples(batch) for i in range(count)]
    return {name: tensor[places] for name, tensor in batch.items()}


def _one_by_one(batch: Batch) -> Iterator[Batch]:
    for i in range(_examples(batch)):
        yield {name: tensor[i : i + 1] for name, tensor in batch.items()}


def _examples(batch: Batch) -> int:
    return len(next(iter(batch.values())))


@contextmanager
def _requiring_grad(model: nn.Module, chosen: Sequence[nn.Parameter]) -> Iterator[None]:
    """Let only these parameters require a gradient, and put things back afterwards."""
    before = [(p, p.requires_grad) for p in model.parameters()]
    try:
        model.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        with torch.enable_grad():
            yield
    finally:
        for parameter, required in before:
            parameter.requires_grad_(required)
