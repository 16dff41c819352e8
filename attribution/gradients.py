"""Per-example gradients from hooks on one ordinary batched forward and backward pass.

Activations and output gradients of a pass hold every example's gradient as two factors, which go to
`sketch.project` before a gradient is ever formed. Weights are frozen meanwhile, so the pass costs
less than a training step. What hooks cannot see (bare parameters, weights used without their
module) is found once by `unhooked` and then computed one example at a time.
`exact_gradients` is the slow twin that tests compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attribution.sketch import (
    Kronecker,
    Projection,
    Sketch,
    join,
    matrix_shape,
    onehot,
    project,
    project_full,
)
from attribution.task import Batch, PerExample, Rows

# What a layer's call adds to the gradient of one of its parameters: the parameter's name within
# the layer and a function from its projection to the sketch (example, width).
Contribution = tuple[str, Callable[[Projection], Tensor]]
_TOLERANCE = 1e-3  # hook against autograd; wrong hooks are wrong by far more than rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Through what gradients are seen: a model, a function of it, and one sketch a seed."""

    model: nn.Module
    function: PerExample
    sketches: tuple[Sketch, ...]  # of the same parameters
    slow: frozenset[str] = frozenset()  # those that `unhooked` found: one example at a time


def sketched_gradients(lens: Lens, batch: Batch) -> list[Tensor]:
    """Return the sketched gradient of every example, (example, width), one tensor a sketch."""
    names = set(lens.sketches[0].projections)
    sums = _hooked(
        lens.model, lens.function, batch, [_only(s, names - lens.slow) for s in lens.sketches]
    )
    if names & lens.slow:
        _add_slow(lens, batch, sums)
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
    shapes = {name: truth[name].shape[1:] for name in names}
    whole = Sketch(projections={n: _whole(shape) for n, shape in shapes.items()})
    found = _hooked(model, function, few, [whole])[0]
    return frozenset(n for n in names if not _agree(found[n], truth[n].flatten(1)))


def _agree(found: Tensor, truth: Tensor) -> bool:
    return bool((found - truth).norm() <= _TOLERANCE * truth.norm())


def _whole(shape: Sequence[int]) -> Kronecker:
    rows, cols = matrix_shape(tuple(shape))
    return Kronecker(None, None, rows * cols)


def _only(sketch: Sketch, names: set[str] | frozenset[str]) -> Sketch:
    return Sketch(projections={n: p for n, p in sketch.projections.items() if n in names})


def _one_by_one(batch: Batch) -> Iterator[Batch]:
    for i in range(_examples(batch)):
        yield {name: tensor[i : i + 1] for name, tensor in batch.items()}


def _examples(batch: Batch) -> int:
    return len(next(iter(batch.values())))


def _add_slow(lens: Lens, batch: Batch, sums: list[dict[str, Tensor]]) -> None:
    names = [name for name in lens.sketches[0].projections if name in lens.slow]
    gradients = exact_gradients(lens.model, lens.function, batch, names)
    for parts, sketch in zip(sums, lens.sketches, strict=True):
        for name, full in gradients.items():
            shaped = full.reshape(len(full), *matrix_shape(tuple(full.shape[1:])))
            parts[name] = project_full(shaped, sketch.projections[name])


@dataclass(slots=True)
class _Pass:
    """What one forward and backward pass leaves behind."""

    examples: int
    sketches: Sequence[Sketch]
    names: Mapping[int, str]  # parameter identity → its first name, so tied weights add up
    anchor: Tensor  # the only tensor that requires a gradient
    sums: list[dict[str, Tensor]] = field(default_factory=list)

    def add(self, contribution: Contribution, module: nn.Module) -> None:
        """Add what one call of a layer gives to one of its parameters, in every sketch."""
        attribute, sketch_by = contribution
        name = self.names.get(id(getattr(module, attribute)))
        if name is None:
            return
        for parts, sketch in zip(self.sums, self.sketches, strict=True):
            part = sketch_by(sketch.projections[name])
            parts[name] = part if name not in parts else parts[name] + part


def _hooked(
    model: nn.Module, function: PerExample, batch: Batch, sketches: Sequence[Sketch]
) -> list[dict[str, Tensor]]:
    chosen = {n: p for n, p in model.named_parameters() if n in sketches[0].projections}
    device = next(model.parameters()).device
    state = _Pass(
        examples=_examples(batch),
        sketches=sketches,
        names={id(parameter): name for name, parameter in chosen.items()},
        anchor=torch.zeros((), device=device, requires_grad=True),
        sums=[{} for _ in sketches],
    )
    with _requiring_grad(model, []), _hooks(model, state):
        values = function(model, batch)
        if values.requires_grad:  # else no chosen layer took part
            torch.autograd.grad(values.sum(), state.anchor, allow_unused=True)
    for parts, sketch in zip(state.sums, sketches, strict=True):
        for name, projection in sketch.projections.items():
            if name not in parts:
                parts[name] = torch.zeros(state.examples, projection.width, device=device)
    return state.sums


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
        if (kind := _kind(module)) is not None and _has_any(module, state.names)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _has_any(module: nn.Module, names: Mapping[int, str]) -> bool:
    return any(id(p) in names for p in module.parameters(recurse=False))


Kind = Callable[[nn.Module, Tensor, Tensor], Iterator[Contribution]]


def _forward_hook(kind: Kind, state: _Pass) -> Callable[[nn.Module, tuple[Tensor], Tensor], Tensor]:
    def hook(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        given = inputs[0].detach()
        version = given._version  # noqa: SLF001  a later in-place change would corrupt the factor
        if not output.requires_grad:
            output = output + state.anchor.to(output.dtype)  # starts the graph

        def backward(gradient: Tensor) -> None:
            if len(gradient) != state.examples or given._version != version:  # noqa: SLF001
                return  # looked up once for the whole batch, or overwritten: `unhooked` sees it
            for contribution in kind(module, given, gradient):
                state.add(contribution, module)

        output.register_hook(backward)  # type: ignore[no-untyped-call]
        return output

    return hook


def _kind(module: nn.Module) -> Kind | None:
    for layer, kind in _KINDS.items():
        if isinstance(module, layer):
            return kind
    # transformers' Conv1D is a Linear with its weight transposed; known by name, not imported.
    return _transposed_linear if type(module).__name__ == "Conv1D" else None


def _places(tensor: Tensor) -> Tensor:
    """Flatten what stands between example and feature: (example, place, feature)."""
    return tensor.reshape(len(tensor), -1, tensor.shape[-1])


def _matrix(name: str, left: Tensor, right: Tensor) -> Contribution:
    return name, lambda projection: project(left, right, projection)


def _vector(name: str, gradient: Tensor) -> Contribution:
    """See a vector's gradients, (example, size), as matrices of one column."""
    one = gradient.new_ones(len(gradient), 1, 1)
    return _matrix(name, gradient[:, None], one)


def _linear(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    gradient = _places(gradient)
    yield _matrix("weight", gradient, _places(given))
    if module.bias is not None:
        yield _vector("bias", gradient.sum(1))


def _transposed_linear(
    module: nn.Module, given: Tensor, gradient: Tensor
) -> Iterator[Contribution]:
    gradient = _places(gradient)
    yield _matrix("weight", _places(given), gradient)
    if module.bias is not None:
        yield _vector("bias", gradient.sum(1))


def _embedding(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.Embedding)
    ids, right = given.reshape(len(given), -1), _places(gradient)
    if module.padding_idx is not None:
        right = right * (ids != module.padding_idx)[..., None]

    def sketch_by(projection: Projection) -> Tensor:
        left, rest = onehot(ids, projection, module.num_embeddings)
        return project(left, right, rest)

    yield "weight", sketch_by


def _layer_norm(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.LayerNorm)
    normal = F.layer_norm(given, module.normalized_shape, eps=module.eps)
    yield from _scaled(module, normal, gradient, module.normalized_shape)


def _rms_norm(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.RMSNorm)
    normal = F.rms_norm(given, module.normalized_shape, eps=module.eps)
    yield from _scaled(module, normal, gradient, module.normalized_shape)


def _scaled(
    module: nn.Module, normal: Tensor, gradient: Tensor, shape: Sequence[int]
) -> Iterator[Contribution]:
    size = (len(gradient), -1, *shape)
    if module.weight is not None:
        yield _shaped("weight", (gradient * normal).reshape(size).sum(1))
    if getattr(module, "bias", None) is not None:
        yield _shaped("bias", gradient.reshape(size).sum(1))


def _shaped(name: str, gradient: Tensor) -> Contribution:
    rows, cols = matrix_shape(tuple(gradient.shape[1:]))
    full = gradient.reshape(len(gradient), rows, cols)
    return name, lambda projection: project_full(full, projection)


def _conv1d(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.Conv1d)
    gradient = gradient.transpose(1, 2)  # (example, place, channel out)
    if module.groups == 1 and module.padding_mode == "zeros" and module.padding != "same":
        yield _matrix("weight", gradient, _windows(module, given))
    if module.bias is not None:
        yield _vector("bias", gradient.sum(1))


def _windows(module: nn.Conv1d, given: Tensor) -> Tensor:
    """Lay out what each output place saw: (example, place, channel in by kernel)."""
    pad = int(module.padding[0])
    reach = module.dilation[0] * (module.kernel_size[0] - 1) + 1
    seen = F.pad(given, (pad, pad)).unfold(2, reach, module.stride[0])[..., :: module.dilation[0]]
    return seen.transpose(1, 2).flatten(2)


_KINDS: dict[type[nn.Module], Kind] = {
    nn.Linear: _linear,
    nn.Embedding: _embedding,
    nn.LayerNorm: _layer_norm,
    nn.RMSNorm: _rms_norm,
    nn.Conv1d: _conv1d,
}
