"""Independent runs side by side, and the mean weights of one run's checkpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor, nn

from attribution.errors import AttributionError
from attribution.files import json_bytes
from attribution.task import Checkpoint

Load = Callable[[], nn.Module]


class CannotCombine(AttributionError):
    """Checkpoints that make no ensemble: none at all, of several runs, or of unlike models."""


def independent(runs: Mapping[str, Sequence[Checkpoint]]) -> tuple[Checkpoint, ...]:
    """Name the checkpoints of several trainings by their run, so that runs become replicates."""
    return tuple(
        replace(checkpoint, run=run)
        for run, checkpoints in runs.items()
        for checkpoint in checkpoints
    )


def average(checkpoints: Sequence[Checkpoint], name: str | None = None) -> Checkpoint:
    """Make one checkpoint of the mean weights of several of one run; equal weights for each.

    Weights of different trainings have no common meaning, so `CannotCombine` is raised for them;
    and when it is loaded, where the models differ in their parameters.
    """
    runs = sorted({checkpoint.run for checkpoint in checkpoints})
    if len(runs) != 1:
        raise CannotCombine(
            f"an average takes the checkpoints of one run, not of {len(runs)} ({', '.join(runs)}); "
            "average within each run, and let the runs be replicates"
        )
    names = [checkpoint.name for checkpoint in checkpoints]
    return Checkpoint(
        name=name or f"mean({', '.join(names)})",
        sha256=derived_sha256(checkpoints, "average", {}),
        load=partial(_load_mean, tuple(c.load for c in checkpoints), tuple(names)),
        run=runs[0],
        learning_rate=sum(c.learning_rate for c in checkpoints) / len(checkpoints),
    )


def derived_sha256(parents: Sequence[Checkpoint], kind: str, options: Mapping[str, object]) -> str:
    """Name what is made of checkpoints by all that decides it."""
    content = {"parents": [p.sha256 for p in parents], "kind": kind, "options": dict(options)}
    return hashlib.sha256(json_bytes(content)).hexdigest()


def _load_mean(loads: Sequence[Load], names: Sequence[str]) -> nn.Module:
    model = loads[0]()
    kept = model.state_dict()
    sums = {name: tensor.double() for name, tensor in kept.items()}
    for load, checkpoint in zip(loads[1:], names[1:], strict=True):
        other = load().state_dict()
        if _shapes(other) != _shapes(kept):
            raise CannotCombine(
                f"'{checkpoint}' has other parameters than '{names[0]}'; average like models"
            )
        sums = {name: total + other[name].double() for name, total in sums.items()}
    model.load_state_dict({n: (t / len(loads)).to(kept[n].dtype) for n, t in sums.items()})
    return model.eval()


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
