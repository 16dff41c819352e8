"""An ensemble as data: I runs, D members of each, and where the members are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from attribution.ensemble.checkpoints import average, independent
from attribution.ensemble.dropout import DropoutOptions, dropout
from attribution.ensemble.lora import LoraOptions, TrainedOn, lora
from attribution.task import Checkpoint

Runs = Mapping[str, Sequence[Checkpoint]]  # the checkpoints to use, by the name of their run


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsemblePlan:
    """Which members to make of trained runs. The default is the runs' checkpoints as they are.

    Everything multiplies: with two runs of three checkpoints, two adapters and five masks there
    are sixty members. Members of one run are added up and runs are replicates; `apart` in the
    options of masks or adapters makes each of them a replicate, whose spread leaves out what
    another training would change.
    """

    runs: int | None = None  # the first so many; None: all
    average: bool = False  # the checkpoints of a run become one, of their mean weights
    lora: LoraOptions | None = None
    dropout: DropoutOptions | None = None
    forward_only: bool = False  # masks only in TRAK's output term; gradients are of whole models

    def __post_init__(self) -> None:
        """Refuse masks that are asked for and not described."""
        if self.forward_only and self.dropout is None:
            raise ValueError("forward_only is about dropout masks; say which, by dropout=…")


def members(
    plan: EnsemblePlan, runs: Runs, trained_on: TrainedOn | None = None
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints to index and to score by; adapters are trained where needed.

    Raises `ValueError` where adapters are planned and `trained_on` is missing.
    """
    planned = replace(plan, dropout=None, forward_only=False) if plan.forward_only else plan
    return _members(planned, runs, trained_on)


def output_members(
    plan: EnsemblePlan, runs: Runs, trained_on: TrainedOn | None = None
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints over which `bilinear.output_term` takes its mean, masks included."""
    return _members(plan, runs, trained_on)


def _members(
    plan: EnsemblePlan, runs: Runs, trained_on: TrainedOn | None
) -> tuple[Checkpoint, ...]:
    found = independent(dict(islice(runs.items(), plan.runs)))
    if plan.average:
        found = tuple(average([c for c in found if c.run == run]) for run in _names(found))
    if plan.lora:
        if trained_on is None:
            raise ValueError("adapters have to be trained: pass trained_on=TrainedOn(…)")
        found = tuple(a for base in found for a in lora(base, plan.lora, trained_on))
    if plan.dropout:
        found = tuple(mask for whole in found for mask in dropout(whole, plan.dropout))
    return found


def _names(checkpoints: Sequence[Checkpoint]) -> list[str]:
    return list(dict.fromkeys(checkpoint.run for checkpoint in checkpoints))
