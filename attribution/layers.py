"""What one call of a function adds to its parameters' gradients, as two factors an example.

For every example b and place t, the gradient of a matrix parameter is Σ_t left_t right_tᵀ, `left`
as long as the matrix has rows and `right` as it has columns. A vector is a matrix of one column.

A rule takes the arguments of the call it is for, and says of each tensor that may be a parameter
how the gradient of the output becomes its two factors. Rules go by function, not by module: what a
module is called, and what it does around the call, does not matter. `local` serves every other.
"""
# ruff: noqa: A002, PLR0913, PLR0917  rules take the arguments that PyTorch takes, by its names

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attribution.sketch import Factor, Lookup, matrix_shape

Contribution = tuple[Factor, Tensor]  # left (example, place, row), right (example, place, column)
Pull = Callable[[Tensor], Contribution]  # from the gradient of the call's output
Uses = Iterator[tuple[object, Pull]]
Function = Callable[..., Any]
MARK = "_tells_examples_apart"  # an attribute of tensors that come of the batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a function; its tensors have the example first if it is `batched`."""

    function: Function
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    examples: int
    batched: bool


def tells_examples_apart(tensor: Tensor) -> bool:
    """Tell whether a tensor comes of the batch: marked, or behind a call that is watched."""
    return tensor.requires_grad or hasattr(tensor, MARK)


def uses_of(call: Call, targets: Sequence[Tensor]) -> list[tuple[Tensor, Pull]]:
    """Say how the call's output gradient becomes a contribution to each of these arguments."""
    rule = RULES.get(call.function)
    if rule is None or not (call.batched or rule is _embedding):
        return [(target, _local(call, target)) for target in targets]
    found = list(rule(call.examples, *call.arguments, **call.keywords))
    pulls = {id(argument): pull for argument, pull in found if argument is not None}
    return [(target, pulls.get(id(target)) or _local(call, target)) for target in targets]


def formed(contribution: Contribution) -> Tensor:
    """Multiply the factors: the gradients themselves, float32 (example, row, column)."""
    left, right = contribution
    if left is None:
        return right
    if isinstance(left, Lookup):
        sums = torch.zeros(len(right), left.size, right.shape[-1], device=right.device)
        return sums.scatter_add_(1, left.ids[..., None].expand_as(right), right.float())
    return left.float().transpose(1, 2) @ right.float()


def _places(examples: int, tensor: Tensor) -> Tensor:
    """Flatten what stands between example and feature: (example, place, feature)."""
    return tensor.reshape(examples, -1, tensor.shape[-1])


def _whole(gradient: Tensor, shape: Sequence[int]) -> Contribution:
    """See gradients (example, …) of a parameter as matrices; a vector's have one column."""
    rows, cols = matrix_shape(tuple(shape))
    if cols > 1:
        return None, gradient.reshape(-1, rows, cols)
    return gradient.reshape(-1, 1, rows), gradient.new_ones(gradient.numel() // rows, 1, 1)


def _reduced(examples: int, gradient: Tensor, shape: Sequence[int]) -> Contribution:
    """Sum over everything that a tensor of this shape was broadcast along, but the examples."""
    kept = list(shape)
    while kept and kept[0] == 1:
        del kept[0]
    ahead = gradient.ndim - len(kept)
    spread = [d for d, size in enumerate(kept, ahead) if size == 1 and gradient.shape[d] > 1]
    summed = gradient.float().sum(spread, keepdim=True) if spread else gradient.float()
    if not ahead:  # it was made as long as the batch: `expand(len(x), …)`
        return _whole(_on_diagonal(examples, summed), shape)
    return _whole(summed.reshape(examples, -1, *kept).sum(1), shape)


def _on_diagonal(examples: int, parts: Tensor) -> Tensor:
    """Give each example a tensor as long as the batch, zero but for its own part."""
    full = parts.new_zeros(examples, *parts.shape)
    own = torch.arange(examples if len(parts) == examples else 0, device=parts.device)
    full[own, own] = parts[own]
    return full


def _linear(n: int, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Uses:
    yield weight, lambda g: (_places(n, g), _places(n, input))
    yield bias, lambda g: _reduced(n, g, g.shape[-1:])


def _product(n: int, input: Tensor, other: Tensor) -> Uses:
    if other.ndim == 2:  # noqa: PLR2004  a matrix, which every place meets
        yield other, lambda g: (_places(n, input), _places(n, g))


def _shifted_product(
    n: int, input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Uses:
    yield mat2, lambda g: (_places(n, mat1), _places(n, g * alpha))
    yield input, lambda g: _reduced(n, g * beta, input.shape)


def _embedding(
    n: int,
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,  # noqa: ARG001  has changed the table before it was read
    norm_type: float = 2.0,  # noqa: ARG001
    scale_grad_by_freq: bool = False,  # noqa: FBT001, FBT002
    sparse: bool = False,  # noqa: ARG001, FBT001, FBT002
) -> Uses:
    def pull(gradient: Tensor) -> Contribution:
        ids = input.expand(gradient.shape[:-1]).reshape(n, -1)  # positions may be told only once
        right = _places(n, gradient)
        if padding_idx is not None:
            right = right * (ids != padding_idx % len(weight))[..., None]
        if scale_grad_by_freq:
            right = right / (ids[:, :, None] == ids[:, None, :]).sum(-1, keepdim=True)
        return Lookup(ids, len(weight)), right

    yield weight, pull


def _layer_norm(
    n: int,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Uses:
    def pull(gradient: Tensor) -> Contribution:
        normal = F.layer_norm(input.float(), normalized_shape, eps=eps)
        return _reduced(n, gradient.float() * normal, normalized_shape)

    yield weight, pull
    yield bias, lambda g: _reduced(n, g, normalized_shape)


def _rms_norm(
    n: int,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Uses:
    def pull(gradient: Tensor) -> Contribution:
        normal = F.rms_norm(input, normalized_shape, eps=eps)  # without eps its type decides
        return _reduced(n, gradient.float() * normal, normalized_shape)

    yield weight, pull


def _multiplied(n: int, input: Tensor | float, other: Tensor | float) -> Uses:
    for factor, rest in ((input, other), (other, input)):
        if isinstance(factor, Tensor):
            yield factor, partial(_weighted, n, factor.shape, rest)


def _added(n: int, input: Tensor | float, other: Tensor | float, *, alpha: float = 1) -> Uses:
    for term, weight in ((input, 1), (other, alpha)):
        if isinstance(term, Tensor):
            yield term, partial(_weighted, n, term.shape, weight)


def _weighted(
    n: int, shape: Sequence[int], weight: Tensor | float, gradient: Tensor
) -> Contribution:
    return _reduced(n, gradient.float() * weight, shape)


def _conv1d(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: str | int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> Uses:
    step, hop = _only(stride), _only(dilation)
    reach = hop * (weight.shape[2] - 1)
    ahead, behind = (reach // 2, reach - reach // 2) if padding == "same" else (_only(padding),) * 2

    def pull(gradient: Tensor) -> Contribution:
        seen = F.pad(input, (ahead, behind)).unfold(2, reach + 1, step)[..., ::hop]
        left, right = gradient.transpose(1, 2), seen.transpose(1, 2)  # (example, place, …)
        if groups == 1:
            return left, right.flatten(2)
        left = left.reshape(*left.shape[:2], groups, -1)
        right = right.reshape(*right.shape[:2], groups, -1)
        full = torch.einsum("btgo,btgi->bgoi", left.float(), right.float())
        return None, full.flatten(1, 2)

    yield weight, pull
    yield bias, lambda g: _reduced(n, g.transpose(1, 2), g.shape[1:2])


def _only(size: str | int | tuple[int, ...]) -> int:
    if size == "valid":
        return 0
    return int(size[0] if isinstance(size, tuple) else size)


def _local(call: Call, target: Tensor) -> Pull:
    """Differentiate this one call for one example at a time: for functions without a rule."""

    def pull(gradient: Tensor) -> Contribution:
        parts = [_local_gradient(call, target, gradient, i) for i in range(call.examples)]
        return _whole(torch.stack(parts).float(), target.shape)

    return pull


def _local_gradient(call: Call, target: Tensor, gradient: Tensor, i: int) -> Tensor:
    part = gradient[i : i + 1] if call.batched else gradient[i]
    for everything in (False, True):
        leaf = target.detach().requires_grad_()
        output = _again(call, partial(_own, call, i, (target, leaf), everything=everything))
        if output is not None and output.shape == part.shape:
            (found,) = torch.autograd.grad(
                output, leaf, part.to(output.dtype), allow_unused=True, materialize_grads=True
            )
            return found
    return torch.zeros_like(target)  # the example does not come first; `unhooked` sees it


def _own(
    call: Call, i: int, instead: tuple[Tensor, Tensor], given: Tensor, *, everything: bool
) -> Tensor:
    """Take an example's own part of an argument, with another in the target's stead.

    With `everything` also of what is as long as the batch but was made of parameters alone, such as
    `expand(len(x), …)`; of a parameter never.
    """
    content = instead[1] if given is instead[0] else given.detach()
    by_example = given.ndim > 0 and len(given) == call.examples
    own = tells_examples_apart(given) or (everything and not isinstance(given, nn.Parameter))
    return content[i : i + 1] if call.batched and by_example and own else content


def _again(call: Call, replaced: Callable[[Tensor], Tensor]) -> Tensor | None:
    """Call the function with other tensors; None where it does not take them."""

    def other(value: Any) -> Any:  # noqa: ANN401  an argument of any function
        if isinstance(value, Tensor):
            return replaced(value)
        return type(value)(map(other, value)) if type(value) in {list, tuple} else value

    with torch.enable_grad():
        arguments = [other(value) for value in call.arguments]
        keywords = {name: other(value) for name, value in call.keywords.items()}
        try:
            output = call.function(*arguments, **keywords)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            return None
    return output if isinstance(output, Tensor) else None


RULES: dict[Function, Callable[..., Uses]] = {
    F.linear: _linear,
    F.embedding: _embedding,
    F.layer_norm: _layer_norm,
    F.rms_norm: _rms_norm,
    F.conv1d: _conv1d,
    torch.addmm: _shifted_product,
    **dict.fromkeys((torch.matmul, Tensor.matmul, Tensor.__matmul__), _product),
    **dict.fromkeys((torch.mul, Tensor.mul, Tensor.__mul__, Tensor.__rmul__), _multiplied),
    **dict.fromkeys((torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__), _added),
}
