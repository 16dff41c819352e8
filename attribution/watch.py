"""Watch one pass of a model: every call that takes a parameter, and its output's gradient.

Calls are seen as they happen, whoever makes them, so a bare parameter, a weight used without its
module and one used in several places are all the same to us. What is computed from parameters alone
(positions looked up once for the whole batch, `1 + weight`) is remembered, and the gradients of the
examples that meet it later are carried back through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from attribution.layers import (
    MARK,
    Call,
    Contribution,
    Pull,
    formed,
    tells_examples_apart,
    uses_of,
)
from attribution.sketch import Factor
from attribution.task import Batch, PerExample

# Receives what each call adds to a parameter's gradients: its name, left and right factor.
Visit = Callable[[str, Factor, Tensor], None]


def watch(
    model: nn.Module, function: PerExample, batch: Batch, names: Mapping[int, str], visit: Visit
) -> None:
    """Run the model forth and back and show what every call adds to these parameters.

    `names` are by the parameters' identity. No parameter may require a gradient.
    """
    given = {name: tensor.detach() for name, tensor in batch.items()}
    for tensor in given.values():
        setattr(tensor, MARK, True)
    device = next(model.parameters()).device
    state = _Pass(
        examples=len(next(iter(batch.values()))),
        names=names,
        visit=visit,
        anchor=torch.zeros((), device=device, requires_grad=True),
    )
    with _Watch(state):
        values = function(model, given)
        if values.requires_grad:  # else no chosen parameter took part
            torch.autograd.grad(values.sum(), state.anchor, allow_unused=True)


@dataclass(slots=True)
class _Pass:
    """One pass forth and back under way."""

    examples: int
    names: Mapping[int, str]
    visit: Visit
    anchor: Tensor  # the only tensor that requires a gradient
    # By identity, with what came of it: tensors computed from parameters, but from no example.
    derived: dict[int, tuple[Tensor, Sequence[tuple[Tensor, Pull]]]] = field(default_factory=dict)
    resting: bool = False

    def targets(self, given: Sequence[Tensor]) -> list[Tensor]:
        """Pick the arguments that are parameters we look at, or come of them."""
        return [t for t in given if id(t) in self.names or id(t) in self.derived]

    def deliver(self, target: Tensor, contribution: Contribution) -> None:
        """Show a contribution to its parameter, through whatever was computed of it."""
        name = self.names.get(id(target))
        if name is not None:
            self.visit(name, *contribution)
            return
        derived, uses = self.derived[id(target)]
        gradient = formed(contribution).reshape(self.examples, *derived.shape)
        for source, pull in uses:
            self.deliver(source, pull(gradient))


class _Watch(TorchFunctionMode):
    """Attaches to the output of every call that takes a parameter."""

    def __init__(self, state: _Pass) -> None:
        super().__init__()
        self.state = state

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if self.state.resting:
            return output
        given = list(_tensors((*args, *kwargs.values())))
        batched = any(map(tells_examples_apart, given))
        targets = self.state.targets(given)
        if targets and isinstance(output, Tensor) and not any(output is t for t in given):
            call = Call(
                function=func,
                arguments=args,
                keywords=kwargs,
                examples=self.state.examples,
                batched=batched,
            )
            output = _attach(self.state, call, targets, output)
        if batched:
            for tensor in _tensors((output,)):
                setattr(tensor, MARK, True)
        return output


def _attach(state: _Pass, call: Call, targets: Sequence[Tensor], output: Tensor) -> Tensor:
    """Remember what the call was made of, for when the gradient of its output comes."""
    if not (output.is_floating_point() and torch.is_grad_enabled()):
        return output
    uses = uses_of(call, targets)
    if not call.batched:
        state.derived[id(output)] = (output, uses)
        return output
    if output.ndim == 0 or len(output) % state.examples:
        return output  # the example does not come first; `unhooked` sees it
    if not output.requires_grad:
        output = output + state.anchor.to(output.dtype)  # starts the graph
    output.register_hook(_Backward(state, uses, _versions(call, targets)))  # type: ignore[no-untyped-call]
    return output


@dataclass(frozen=True, slots=True)
class _Backward:
    """What to do once the gradient of a call's output has come."""

    state: _Pass
    uses: Sequence[tuple[Tensor, Pull]]
    versions: Sequence[tuple[Tensor, int]]  # of the call's other arguments

    def __call__(self, gradient: Tensor) -> None:
        """Show the contributions, unless an argument was overwritten since: `unhooked` sees it."""
        if any(tensor._version != version for tensor, version in self.versions):  # noqa: SLF001
            return
        self.state.resting = True
        with torch.no_grad():
            for target, pull in self.uses:
                self.state.deliver(target, pull(gradient))
        self.state.resting = False


def _versions(call: Call, targets: Sequence[Tensor]) -> list[tuple[Tensor, int]]:
    given = _tensors((*call.arguments, *call.keywords.values()))
    return [(t, t._version) for t in given if not any(t is each for each in targets)]  # noqa: SLF001


def _tensors(values: Iterable[object]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (each for each in value if isinstance(each, Tensor))
