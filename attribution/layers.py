"""What one call of a layer adds to its parameters' gradients, as two factors an example.

For every example b and place t, the gradient of a matrix parameter is Σ_t left_t right_tᵀ, `left`
as long as the matrix has rows and `right` as it has columns. A vector is a matrix of one column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from attribution.sketch import Factor, Lookup

# The parameter's name within its layer, left (example, place, row), right (example, place, column).
Contribution = tuple[str, Factor, Tensor]
Kind = Callable[[nn.Module, Tensor, Tensor], Iterator[Contribution]]


def kind_of(module: nn.Module) -> Kind | None:
    """Find out how a module's call contributes; None for modules of unknown kinds."""
    for layer, kind in _KINDS.items():
        if isinstance(module, layer):
            return kind
    # transformers' Conv1D is a Linear with its weight transposed; known by name, not imported.
    return _transposed_linear if type(module).__name__ == "Conv1D" else None


def _places(tensor: Tensor) -> Tensor:
    """Flatten what stands between example and feature: (example, place, feature)."""
    return tensor.reshape(len(tensor), -1, tensor.shape[-1])


def _vector(name: str, gradient: Tensor) -> Contribution:
    """See a vector's gradients, (example, size), as matrices of one column."""
    return name, gradient[:, None], gradient.new_ones(len(gradient), 1, 1)


def _linear(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    gradient = _places(gradient)
    yield "weight", gradient, _places(given)
    if module.bias is not None:
        yield _vector("bias", gradient.sum(1))


def _transposed_linear(
    module: nn.Module, given: Tensor, gradient: Tensor
) -> Iterator[Contribution]:
    gradient = _places(gradient)
    yield "weight", _places(given), gradient
    if module.bias is not None:
        yield _vector("bias", gradient.sum(1))


def _embedding(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.Embedding)
    ids, right = given.reshape(len(given), -1), _places(gradient)
    if module.padding_idx is not None:
        right = right * (ids != module.padding_idx)[..., None]
    yield "weight", Lookup(ids, module.num_embeddings), right


def _layer_norm(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.LayerNorm)
    normal = F.layer_norm(given, module.normalized_shape, eps=module.eps)
    yield from _scaled(module, normal, gradient)


def _rms_norm(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.RMSNorm)
    normal = F.rms_norm(given, module.normalized_shape, eps=module.eps)
    yield from _scaled(module, normal, gradient)


def _scaled(module: nn.Module, normal: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    if module.weight is not None and module.weight.ndim == 1:
        yield _vector("weight", _places(gradient * normal).sum(1))
    if getattr(module, "bias", None) is not None and module.bias.ndim == 1:
        yield _vector("bias", _places(gradient).sum(1))


def _conv1d(module: nn.Module, given: Tensor, gradient: Tensor) -> Iterator[Contribution]:
    assert isinstance(module, nn.Conv1d)
    gradient = gradient.transpose(1, 2)  # (example, place, channel out)
    if module.groups == 1 and module.padding_mode == "zeros" and module.padding != "same":
        yield "weight", gradient, _windows(module, given)
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
