"""kronfluence 1.0.1: EK-FAC influence (Grosse et al. 2023) by its authors.

It knows one checkpoint; looping over several, dividing each query's scores by their size and adding
them up is its user's work, done here as our default does it. Nothing is stored a row: every batch
of queries goes through the whole training set again.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import ScoreArguments
from kronfluence.task import Task as KronfluenceTask
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from attribution.task import Batch, Checkpoint, Rows
from benchmarks.bank import Bank
from benchmarks.measured import Matrix, Scores, Stopwatch, repeated

BATCH = 64
QUERIES = 128  # at a time: as many as go through the train set together
DEFAULT_DAMPING = 1e-8


class NextToken(KronfluenceTask):  # type: ignore[misc]
    """The loss of a batch, of its own labels or of drawn ones, and the loss of a query."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.random = torch.Generator().manual_seed(0)

    def compute_train_loss(
        self,
        batch: Sequence[Tensor],
        model: nn.Module,
        sample: bool = False,  # noqa: FBT001, FBT002  kronfluence's own signature
    ) -> Tensor:
        """Return the loss summed over the batch."""
        task, one = self.bank.task, _named(batch)
        if sample:
            assert task.sampled is not None
            return task.sampled(model, one, self.random).sum()
        return task.loss(model, one).sum()

    def compute_measurement(self, batch: Sequence[Tensor], model: nn.Module) -> Tensor:
        """Return the loss of the queries: its scores are positive where training helped."""
        return self.bank.task.loss(model, _named(batch)).sum()


@dataclass(slots=True)
class _Run:
    bank: Bank
    directory: str
    damping: float | None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def checkpoint(self, checkpoint: Checkpoint) -> Matrix:
        task, train = NextToken(self.bank), _dataset(self.bank.train)
        with self.stopwatch("fit"):
            analyzer = Analyzer(
                analysis_name=checkpoint.name,
                model=prepare_model(checkpoint.load(), task),
                task=task,
                cpu=True,
                disable_tqdm=True,
                log_level=logging.ERROR,
                output_dir=self.directory,
            )
            analyzer.fit_all_factors("factors", train, per_device_batch_size=BATCH)
        with self.stopwatch("first"):
            found = self.score(analyzer, "first", self.bank.query)
        with self.stopwatch("further"):
            self.score(analyzer, "further", repeated(self.bank.query))
        return found

    def score(self, analyzer: Analyzer, name: str, query: Rows) -> Matrix:
        analyzer.compute_pairwise_scores(
            scores_name=name,
            factors_name="factors",
            query_dataset=_dataset(query),
            train_dataset=_dataset(self.bank.train),
            per_device_query_batch_size=QUERIES,
            per_device_train_batch_size=BATCH,
            score_args=ScoreArguments(damping_factor=self.damping),
        )
        found = analyzer.load_pairwise_scores(name)["all_modules"]  # (query, train)
        return np.asarray(found, dtype=np.float32)


def scores(
    bank: Bank, checkpoints: Sequence[Checkpoint], damping: float | None = DEFAULT_DAMPING
) -> Scores:
    """Run kronfluence at every checkpoint; a damping of None is its own heuristic."""
    with tempfile.TemporaryDirectory() as directory:
        run = _Run(bank, directory, damping)
        found = [_normalised(run.checkpoint(checkpoint)) for checkpoint in checkpoints]
    return Scores(
        train=np.sum(found, axis=0, dtype=np.float32),
        seconds=run.stopwatch.seconds,
        stored=0,
        checkpoints=len(checkpoints),
        note="keeps nothing a row; a further batch goes through the train set again",
    )


def _normalised(found: Matrix) -> Matrix:
    size = np.sqrt(np.square(found).mean(1, keepdims=True))
    return np.asarray(found / size, dtype=np.float32)


def _dataset(rows: Rows) -> TensorDataset:
    return TensorDataset(rows.tensors["tokens"], rows.tensors["mask"])


def _named(batch: Sequence[Tensor]) -> Batch:
    return {"tokens": batch[0], "mask": batch[1]}
