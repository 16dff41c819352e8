"""What the engine is asked: which loss, which measurement, which parameters, which rows.

Everything an attribution method needs of a model stands here: any `nn.Module` will do, unedited,
and `loss` and `measurement` are ordinary batched functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from attribution.errors import BadRows, UnsupportedParameter

Batch = Mapping[str, Tensor]  # the example comes first in every value
PerExample = Callable[[nn.Module, Batch], Tensor]  # → (example,)
Sampled = Callable[[nn.Module, Batch, torch.Generator], Tensor]  # → (example,)
Progress = Callable[[int, int], None]  # done, total


def silent(_done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is trained, what is explained, and through which parameters.

    `loss` and `measurement` return one number an example and must not let one example of a batch
    touch another (no batch normalisation, no mean over the batch).
    `parameters` are `fnmatch` patterns over the names of `model.named_parameters()`; a pattern
    that begins with `!` takes names away again.
    `sampled` is the loss of labels drawn from the model's own prediction; whitening takes its
    curvature from it (the true Fisher). Without it the loss of the real labels serves.
    `probability` of an example, between 0 and 1, is what TRAK's output term 1 - p takes; for a
    sequence, that of a typical token, exp(-mean loss).
    """

    loss: PerExample
    measurement: PerExample
    sampled: Sampled | None = None
    probability: PerExample | None = None
    parameters: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One state of a model in training, loaded when it is needed."""

    name: str
    sha256: str  # of the weights' file
    load: Callable[[], nn.Module]  # in eval mode, on the CPU; the caller moves it
    run: str = ""  # the training it is from; scores of different runs are replicates
    learning_rate: float = 1.0  # when it was kept: TracIn's weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How to compute, never what: none of it may change a result beyond rounding."""

    device: str = "cpu"
    batch: int = 32  # examples at a time
    progress: Progress = silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Examples with their names: what was trained on, held back, or generated.

    Every tensor has the example first. `ids` name one row each; `owners` name the recording
    (or the track) that each row was cut from.
    """

    tensors: Mapping[str, Tensor]
    ids: tuple[str, ...]
    owners: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse rows that contradict themselves."""
        lengths = {len(self.ids), len(self.owners), *(len(t) for t in self.tensors.values())}
        if len(lengths) != 1:
            raise BadRows(f"rows disagree about their number: {sorted(lengths)}; give one of each")
        if len(set(self.ids)) != len(self.ids):
            twice = next(i for i in self.ids if self.ids.count(i) > 1)
            raise BadRows(f"row id '{twice}' stands twice; give every row an id of its own")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.ids)

    def take(self, indices: Sequence[int]) -> Rows:
        """Return the rows at these places, in this order."""
        places = torch.as_tensor(list(indices), dtype=torch.long)
        return Rows(
            tensors={name: tensor[places] for name, tensor in self.tensors.items()},
            ids=tuple(self.ids[i] for i in indices),
            owners=tuple(self.owners[i] for i in indices),
        )

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all rows in order, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield {name: tensor[start : start + size] for name, tensor in self.tensors.items()}


def rows_sha256(rows: Rows) -> str:
    """Hash ids, owners and content, so that an index knows what it was made of."""
    digest = hashlib.sha256("\n".join((*rows.ids, "", *rows.owners)).encode())
    for name in sorted(rows.tensors):
        tensor = rows.tensors[name].detach().cpu().contiguous()
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def chosen_parameters(task: Task, model: nn.Module) -> tuple[str, ...]:
    """Name the parameters the task looks at, in the model's order.

    A tied parameter counts once, under its first name. Raises `UnsupportedParameter` when a
    pattern leaves nothing over.
    """
    names = [name for name, _ in model.named_parameters()]
    chosen = tuple(name for name in names if _matches(name, task.parameters))
    if not chosen:
        patterns = ", ".join(task.parameters)
        raise UnsupportedParameter(
            f"no parameter of the model matches {patterns}; it has {', '.join(names[:6])} …"
        )
    return chosen


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    wanted = [p for p in patterns if not p.startswith("!")]
    unwanted = [p[1:] for p in patterns if p.startswith("!")]
    return any(fnmatchcase(name, p) for p in wanted) and not any(
        fnmatchcase(name, p) for p in unwanted
    )
