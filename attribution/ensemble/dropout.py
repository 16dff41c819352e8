"""Sub-networks of one trained model: dropout masks drawn once and then kept.

In a member every dropout layer multiplies by one mask of the size of a feature vector, the same at
every place, for every example, batch and device, for train rows and queries alike: the member is
one smaller network. With `per="row"` each row has a mask of its own, drawn from the row's content,
so that a batch's composition still changes nothing.

Reached are `nn.Dropout` (by a hook) and `functional.dropout` called in a module's own `forward`, as
MusicGen does, wherever they see (example, …, feature) of two or three dimensions. Dropout on
attention weights, and `dropout_p` inside fused attention, has no feature vector and stays off, as
do `nn.Dropout1d` and its kind. A layer has one mask even where it is used twice.

Masks of one model are not independent of each other: they share its weights, so what they add
saturates, and their spread (`apart`) understates what another training would give.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial, wraps
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from attribution.ensemble.checkpoints import CannotCombine, Load, derived_sha256
from attribution.task import Checkpoint

_DIMENSIONS = (2, 3)  # (example, feature), (example, place, feature)
_DROPOUT = inspect.signature(F.dropout)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropoutOptions:
    """How many masks, and of what kind. All of it is part of what is computed."""

    masks: int = 3
    per: Literal["member", "row"] = "member"
    rate: float | None = None  # part of the features left out; None: each layer's own
    seed: int = 0
    apart: bool = False  # masks are replicates of their own, not added up: a spread over masks

    def __post_init__(self) -> None:
        """Refuse a rate that leaves nothing."""
        if self.rate is not None and not 0 < self.rate < 1:
            raise ValueError(
                f"a dropout rate of {self.rate} makes no sub-network; take 0 < rate < 1"
            )


def dropout(checkpoint: Checkpoint, options: DropoutOptions) -> tuple[Checkpoint, ...]:
    """Make `options.masks` sub-networks of a checkpoint, named `step-300+mask-0` and so on.

    Raises `CannotCombine`, when a member is loaded, where the model has no dropout to fix.
    """
    return tuple(_member(checkpoint, options, number) for number in range(options.masks))


def _member(checkpoint: Checkpoint, options: DropoutOptions, number: int) -> Checkpoint:
    kept = {k: v for k, v in asdict(options).items() if k not in {"masks", "apart"}}
    sha256 = derived_sha256([checkpoint], "dropout", {**kept, "number": number})
    masks = partial(_Masks, key=sha256, rate=options.rate, per_row=options.per == "row")
    return replace(
        checkpoint,
        name=f"{checkpoint.name}+mask-{number}",
        sha256=sha256,
        load=partial(_load_masked, checkpoint.load, checkpoint.name, masks),
        run=f"{checkpoint.run}/mask-{number}" if options.apart else checkpoint.run,
    )


def _load_masked(load: Load, name: str, make: Callable[[], _Masks]) -> nn.Module:
    model, masks = load().eval(), make()
    layers = [_fix(each, where, masks) for where, each in model.named_modules()]
    if not any(layers):
        raise CannotCombine(
            f"checkpoint '{name}' has no dropout to fix: no layer of it, or only at rate 0; pass "
            "DropoutOptions(rate=…) for the latter, else use other members"
        )
    if masks.per_row:
        model.register_forward_pre_hook(masks.read_rows, with_kwargs=True)
    return model


def _fix(module: nn.Module, name: str, masks: _Masks) -> bool:
    """Fix the dropout of one module, and tell whether it has any."""
    if isinstance(module, nn.Dropout):
        module.register_forward_hook(lambda it, _given, out: masks.apply(out, name, it.p))
        return masks.rate is not None or module.p > 0
    if _calls_functional(module):
        module.forward = _under(module.forward, _Functional(masks, name))
        return True
    return False


def _calls_functional(module: nn.Module) -> bool:
    """Tell whether a module's own `forward` names a dropout that is no layer of it."""
    code = getattr(inspect.unwrap(type(module).forward), "__code__", None)
    named = "dropout" in getattr(code, "co_names", ())
    return named and not isinstance(getattr(module, "dropout", None), nn.Module)


def _under(forward: Callable[..., Any], mode: TorchFunctionMode) -> Callable[..., Any]:
    @wraps(forward)
    def watched(*args: object, **named: object) -> object:
        with mode:
            return forward(*args, **named)

    return watched


class _Functional(TorchFunctionMode):
    """While it is entered, `functional.dropout` multiplies by the mask of a module."""

    def __init__(self, masks: _Masks, name: str) -> None:
        super().__init__()
        self.masks, self.name = masks, name

    def __torch_function__(
        self,
        func: Callable[..., Any],
        _types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  whatever the function returns
        if func is not F.dropout:
            return func(*args, **(kwargs or {}))
        called = _DROPOUT.bind(*args, **(kwargs or {}))
        called.apply_defaults()
        return self.masks.apply(called.arguments["input"], self.name, called.arguments["p"])


@dataclass(slots=True, kw_only=True)
class _Masks:
    """The masks of one member, drawn from its key when they are first needed."""

    key: str
    rate: float | None
    per_row: bool
    rows: tuple[str, ...] = ()  # of the batch under way: a hash of each row's content
    drawn: dict[tuple[object, ...], Tensor] = field(default_factory=dict)

    def apply(self, x: Tensor, name: str, own_rate: float) -> Tensor:
        """Leave out what the layer of this name leaves out."""
        rate = own_rate if self.rate is None else self.rate
        if rate == 0 or x.ndim not in _DIMENSIONS:
            return x
        return x * (self._by_row(x, name, rate) if self.per_row else self._shared(x, name, rate))

    def read_rows(self, _model: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Take the rows' content from the first tensor that the model is called with."""
        given = next(_tensors((*args, *named.values()))).detach().cpu().contiguous()
        self.rows = tuple(_sha256(row.reshape(-1).view(torch.uint8).numpy()) for row in given)

    def _shared(self, x: Tensor, name: str, rate: float) -> Tensor:
        features = x.shape[-1]
        place = (name, features, rate, x.device, x.dtype)
        if place not in self.drawn:
            self.drawn[place] = _draw(f"{self.key}\n{name}", features, rate).to(x)
        return self.drawn[place]

    def _by_row(self, x: Tensor, name: str, rate: float) -> Tensor:
        if len(x) != len(self.rows):
            raise CannotCombine(
                f"layer '{name}' sees {len(x)} examples of {len(self.rows)}; masks by row need the "
                "example first everywhere, so take per='member'"
            )
        drawn = [_draw(f"{self.key}\n{name}\n{row}", x.shape[-1], rate) for row in self.rows]
        mask = torch.stack(drawn).to(x)  # (example, feature)
        return mask if x.ndim == mask.ndim else mask[:, None]


def _tensors(given: Iterable[object]) -> Iterator[Tensor]:
    for each in given:
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, Mapping):
            yield from _tensors(each.values())


def _draw(key: str, features: int, rate: float) -> Tensor:
    """Draw a mask on the CPU from its key alone: zeros, and what keeps the mean elsewhere."""
    generator = torch.Generator().manual_seed(int(_sha256(key.encode())[:14], 16))
    return (torch.rand(features, generator=generator) >= rate) / (1 - rate)


def _sha256(content: Any) -> str:  # noqa: ANN401  bytes, or what has a buffer
    return hashlib.sha256(content).hexdigest()
