"""Per-example gradients from hooks on one ordinary batched forward and backward pass.

Activations and output gradients of a pass hold every example's gradient as two factors (`layers`),
which go to `sketch.project` before a gradient is ever formed. Weights are frozen meanwhile, so the
pass costs less than a training step. What hooks cannot see (bare parameters, weights used without
their module) is found once by `unhooked` and then computed one example at a time.
`exact_gradients` is the slow twin that tests compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attribution.layers import Kind, kind_of
from attribution.sketch import (
    Factor,
    Kronecker,
    Sketch,
    join,
    matrix_shape,
    project,
)
from attribution.task import Batch, PerExample, Rows

# Receives what each call of a layer adds to a parameter: its name, left and right factor.
Visit = Callable[[str, Factor, Tensor], None]
_TOLERANCE = 1e-3  # hook against autograd; wrong hooks are wrong by far more than rounding


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

    A parameter used several times (tied weights) is visited once a use, under its first name; a
    slow one is visited with its formed gradient and no left factor.
    """
    device = next(model.parameters()).device
    state = _Pass(
        examples=_examples(batch),
        names={id(p): name for name, p in model.named_parameters() if name in names.hooked},
        anchor=torch.zeros((), device=device, requires_grad=True),
        visit=visit,
    )
    with _requiring_grad(model, []), _hooks(model, state):
        values = function(model, batch)
        if values.requires_grad:  # else no chosen layer took part
            torch.autograd.grad(values.sum(), state.anchor, allow_unused=True)
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
    device = next(lens.model.parameters()).device
    for parts, sketch in zip(sums, lens.sketches, strict=True):
        for name, projection in sketch.projections.items():
            if name not in parts:
                parts[name] = torch.zeros(_examples(batch), projection.width, device=device)
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
    parameters = dict(model.named_parameters())
    chosen = [parameters[name] for name in names]
    with _requiring_grad(model, chosen):
        rows = [
            torch.autograd.grad(
                function(model, one).sum(), chosen, allow_unused=True, materialize_grads=True
            )
            for one in _one_by_one(batch)
        ]
    return {name: torch.stack([row[i] for row in rows]) for i, name in enumerate(names)}


def unhooked(
    model: nn.Module, function: PerExample, batch: Batch, names: Sequence[str]
) -> frozenset[str]:
    """Name the parameters whose gradient the hooks get wrong, by trying on two examples.

    These are bare parameters, weights used without their module (`F.linear(x, self.e.weight)`),
    modules of unknown kinds, and tables looked up once for the whole batch.
    """
    few = {name: tensor[:2] for name, tensor in batch.items()}
    truth = exact_gradients(model, function, few, names)
    whole = Sketch(projections={n: _whole(truth[n].shape[1:]) for n in names})
    lens = Lens(model=model, function=function, sketches=(whole,))
    sizes = [truth[n][0].numel() for n in names]
    found = torch.split(sketched_gradients(lens, few)[0], sizes, dim=1)
    return frozenset(
        name
        for name, hooked in zip(names, found, strict=True)
        if not _agree(hooked, truth[name].flatten(1))
    )


def _agree(found: Tensor, truth: Tensor) -> bool:
    return bool((found - truth).norm() <= _TOLERANCE * truth.norm())


def _whole(shape: Sequence[int]) -> Kronecker:
    rows, cols = matrix_shape(tuple(shape))
    return Kronecker(None, None, rows * cols)


def _one_by_one(batch: Batch) -> Iterator[Batch]:
    for i in range(_examples(batch)):
        yield {name: tensor[i : i + 1] for name, tensor in batch.items()}


def _examples(batch: Batch) -> int:
    return len(next(iter(batch.values())))


@dataclass(frozen=True, slots=True)
class _Pass:
    """One forward and backward pass under way."""

    examples: int
    names: Mapping[int, str]  # parameter identity → its first name, so tied weights add up
    anchor: Tensor  # the only tensor that requires a gradient
    visit: Visit


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


@contextmanager
def _hooks(model: nn.Module, state: _Pass) -> Iterator[None]:
    handles = [
        module.register_forward_hook(_forward_hook(kind, state))
        for module in model.modules()
        if (kind := kind_of(module)) is not None and _has_any(module, state.names)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _has_any(module: nn.Module, names: Mapping[int, str]) -> bool:
    return any(id(p) in names for p in module.parameters(recurse=False))


def _forward_hook(kind: Kind, state: _Pass) -> Callable[[nn.Module, tuple[Tensor], Tensor], Tensor]:
    def hook(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        given = inputs[0].detach()
        version = given._version  # noqa: SLF001  a later in-place change would corrupt the factor
        if not output.requires_grad:
            output = output + state.anchor.to(output.dtype)  # starts the graph

        def backward(gradient: Tensor) -> None:
            if len(gradient) != state.examples or given._version != version:  # noqa: SLF001
                return  # looked up once for the whole batch, or overwritten: `unhooked` sees it
            for attribute, left, right in kind(module, given, gradient):
                name = state.names.get(id(getattr(module, attribute)))
                if name is not None:
                    state.visit(name, left, right)

        output.register_hook(backward)  # type: ignore[no-untyped-call]
        return output

    return hook
