"""dattri 0.3.0: its TRAK and its LoGra.

TRAK takes one example at a time under vmap; its target is log(p / (1 - p)) of a sequence whose p is
exp(-mean loss of a token). LoGra wants batches that are dictionaries, and a model that returns an
object with a `loss`; the loss is a sum over examples, so that all weigh alike.
Both compute features and curvature in one call, `cache`, so `fit` is within `features`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from dattri.algorithm.logra import LoGraAttributor
from dattri.algorithm.trak import TRAKAttributor
from dattri.task import AttributionTask
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset, TensorDataset

from attribution.task import Checkpoint, Rows
from benchmarks.bank import Bank
from benchmarks.measured import Matrix, Scores, Stopwatch, repeated

BATCH = 16
Params = dict[str, Tensor]


def trak(
    bank: Bank, checkpoints: Sequence[Checkpoint], width: int = 512, ridge: float = 0.0
) -> Scores:
    """Run TRAK; dattri averages over checkpoints itself."""
    model = checkpoints[0].load()
    mean_loss = _mean_loss(bank, model)

    def log_odds(params: Params, data: Sequence[Tensor]) -> Tensor:
        loss = mean_loss(params, data)
        return -loss - torch.log(-torch.expm1(-loss))

    task = AttributionTask(
        loss_func=log_odds,
        model=model,
        checkpoints=[checkpoint.load().state_dict() for checkpoint in checkpoints],
    )
    attributor = TRAKAttributor(
        task=task,
        correct_probability_func=lambda params, data: torch.exp(-mean_loss(params, data)),
        projector_kwargs={"proj_dim": width, "device": "cpu"},
        regularization=ridge,
    )
    stored = len(checkpoints) * (width + 1) * len(bank.train) * 4
    return _run(_Stages(bank, checkpoints, attributor, _tuples), stored)


def logra(
    bank: Bank,
    checkpoints: Sequence[Checkpoint],
    width: int = 4096,
    damping: float | None = None,
) -> Scores:
    """Run LoGra, at one checkpoint; `width` numbers a Linear layer."""
    model = _Lossy(checkpoints[0].load(), bank)
    task = AttributionTask(
        loss_func=lambda model, batch, _device: model(**batch).loss,
        model=model,
        checkpoints=model.state_dict(),
    )
    layers = sum(isinstance(module, nn.Linear) for module in model.modules())
    with tempfile.TemporaryDirectory() as directory:
        attributor = LoGraAttributor(
            task=task, damping=damping, proj_dim=width, cache_dir=directory
        )
        stages = _Stages(bank, checkpoints[:1], attributor, _dictionaries)
        return _run(stages, layers * width * len(bank.train) * 4, takes_train=True)


@dataclass(frozen=True, slots=True)
class _Stages:
    bank: Bank
    checkpoints: Sequence[Checkpoint]
    attributor: Any
    loader: Callable[[Rows], DataLoader[Any]]


def _run(stages: _Stages, stored: int, *, takes_train: bool = False) -> Scores:
    stopwatch, bank = Stopwatch(), stages.bank
    again = {"train_dataloader": stages.loader(bank.train)} if takes_train else {}

    def score(query: Rows) -> Matrix:
        found = stages.attributor.attribute(test_dataloader=stages.loader(query), **again)
        return np.asarray(found.detach(), dtype=np.float32).T  # theirs is (train, query)

    with stopwatch("features"):
        stages.attributor.cache(stages.loader(bank.train))
    with stopwatch("first"):
        found = score(bank.query)
    with stopwatch("further"):
        score(repeated(bank.query))
    return Scores(
        train=found,
        seconds=stopwatch.seconds,
        stored=stored,
        checkpoints=len(stages.checkpoints),
        note="fit is within features",
    )


def _mean_loss(bank: Bank, model: nn.Module) -> Callable[[Params, Sequence[Tensor]], Tensor]:
    def mean_loss(params: Params, data: Sequence[Tensor]) -> Tensor:
        tokens, mask = data
        logits = torch.func.functional_call(model, params, (bank.inputs(tokens[None]),))[0]
        return (F.cross_entropy(logits, tokens, reduction="none") * mask).sum() / mask.sum()

    return mean_loss


@dataclass(frozen=True, slots=True)
class _Output:
    loss: Tensor


class _Lossy(nn.Module):
    """A model that returns its loss, as those of `transformers` do."""

    def __init__(self, model: nn.Module, bank: Bank) -> None:
        super().__init__()
        self.model = model
        self.loss = bank.task.loss

    def forward(self, tokens: Tensor, mask: Tensor) -> _Output:
        return _Output(self.loss(self.model, {"tokens": tokens, "mask": mask}).sum())


class _Dictionaries(Dataset[dict[str, Tensor]]):
    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return {name: tensor[place] for name, tensor in self.rows.tensors.items()}


def _tuples(rows: Rows) -> DataLoader[Any]:
    tensors = rows.tensors["tokens"], rows.tensors["mask"]
    return DataLoader(TensorDataset(*tensors), batch_size=BATCH)


def _dictionaries(rows: Rows) -> DataLoader[Any]:
    return DataLoader(_Dictionaries(rows), batch_size=BATCH)
