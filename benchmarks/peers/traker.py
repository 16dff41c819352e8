"""traker 0.3.2: TRAK (Park et al. 2023) by its authors.

It has no task for language models. As its classifiers have the margin of the right class, log p -
log(1 - p), a sequence has the mean of its tokens' margins. Half precision is off: on a CPU it gains
nothing.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from trak import TRAKer
from trak.modelout_functions import AbstractModelOutput

from attribution.task import Checkpoint, Rows
from benchmarks.bank import Bank
from benchmarks.measured import Matrix, Scores, Stopwatch, repeated

BATCH = 16
Named = Mapping[str, Tensor]


class NextToken(AbstractModelOutput):  # type: ignore[misc]
    """The mean margin of a sequence's tokens, and 1 - p of a typical one."""

    def __init__(self, inputs: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inputs = inputs

    def get_output(self, model: nn.Module, weights: Named, buffers: Named, *one: Tensor) -> Tensor:
        """Return the output of one example, whose tokens and mask are (place,): a number."""
        tokens, mask = one
        likelihood = self._likelihood(model, (weights, buffers), tokens[None])[0]
        margin = likelihood - torch.log1p(-likelihood.exp().clamp(max=1 - 1e-6))
        return (margin * mask).sum() / mask.sum()

    def get_out_to_loss_grad(
        self, model: nn.Module, weights: Named, buffers: Named, batch: Sequence[Tensor]
    ) -> Tensor:
        """Return 1 - p of every example: (example, 1)."""
        tokens, mask = batch
        likelihood = self._likelihood(model, (weights, buffers), tokens)
        mean = (likelihood * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        return (1 - mean.exp()).detach()

    def _likelihood(self, model: nn.Module, state: tuple[Named, Named], tokens: Tensor) -> Tensor:
        both = [dict(part) for part in state]
        logits: Tensor = torch.func.functional_call(model, both, (self.inputs(tokens),))
        return logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]  # (example, place)


@dataclass(slots=True)
class _Run:
    bank: Bank
    checkpoints: Sequence[Checkpoint]
    traker: TRAKer
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def featurize(self) -> None:
        for number, checkpoint in enumerate(self.checkpoints):
            self.traker.load_checkpoint(checkpoint.load().state_dict(), model_id=number)
            for tokens, mask in _batches(self.bank.train):
                self.traker.featurize(batch=(tokens, mask), num_samples=len(tokens))

    def score(self, name: str, query: Rows) -> Matrix:
        for number, checkpoint in enumerate(self.checkpoints):
            state = checkpoint.load().state_dict()
            self.traker.start_scoring_checkpoint(
                exp_name=name, checkpoint=state, model_id=number, num_targets=len(query)
            )
            for tokens, mask in _batches(query):
                self.traker.score(batch=(tokens, mask), num_samples=len(tokens))
        found = self.traker.finalize_scores(exp_name=name)  # (train, query)
        return np.asarray(found, dtype=np.float32).T


def scores(
    bank: Bank, checkpoints: Sequence[Checkpoint], width: int = 2048, ridge: float = 0.0
) -> Scores:
    """Run traker; `ridge` is in mean diagonals of its Gram, which it takes as a plain number."""
    with tempfile.TemporaryDirectory() as directory:
        traker = TRAKer(
            model=checkpoints[0].load(),
            task=NextToken(bank.inputs),
            train_set_size=len(bank.train),
            save_dir=directory,
            device="cpu",
            proj_dim=width,
            use_half_precision=False,
            logging_level=logging.WARNING,
        )
        run = _Run(bank, checkpoints, traker)
        with run.stopwatch("features"):
            run.featurize()
        with run.stopwatch("fit"):
            grown = np.asarray(traker.saver.current_store["grads"], dtype=np.float64)
            traker.score_computer.lambda_reg = ridge * float((grown**2).sum() / width)
            traker.finalize_features()
        with run.stopwatch("first"):
            found = run.score("first", bank.query)
        with run.stopwatch("further"):
            run.score("further", repeated(bank.query))
    return Scores(
        train=found,
        seconds=run.stopwatch.seconds,
        stored=len(bank.train) * width * 4 * len(checkpoints),
        checkpoints=len(checkpoints),
    )


def _batches(rows: Rows) -> Iterator[tuple[Tensor, Tensor]]:
    for batch in rows.batches(BATCH):
        yield batch["tokens"], batch["mask"]
