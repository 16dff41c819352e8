"""What is measured of a method: its scores, CPU seconds by stage, and what it keeps.

Seconds are CPU seconds of one process with one thread, so they compare on a busy machine too; a
training step measured in the same process is what they are quoted against.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from attribution.task import Rows
from benchmarks.bank import Bank

Matrix = np.ndarray[Any, np.dtype[np.float32]]
STAGES = ("features", "fit", "first", "further")


@dataclass(slots=True)
class Stopwatch:
    """CPU seconds of this process by stage; a stage entered twice adds up."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count what happens inside towards a stage: one of `STAGES`."""
        start = time.process_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.process_time() - start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What a method found, and what that took.

    `features` looks at every train row, `fit` is everything else before a query is known, `first`
    scores the bank's queries, and `further` scores as many once more, as a new batch.
    """

    train: Matrix  # (query, train); positive = helped
    seconds: dict[str, float]  # by stage
    stored: int  # bytes kept so that further queries can be scored
    checkpoints: int  # of how many the scores are made
    note: str = ""

    @property
    def up_to_scores(self) -> float:
        """Add up what the first batch of queries took, all told."""
        return sum(self.seconds[stage] for stage in ("features", "fit", "first"))


def training_step(bank: Bank, batch: int = 16, steps: int = 24) -> float:
    """Measure a training step: forward, backward and AdamW; CPU seconds an item."""
    model = bank.window((1.0,))[0].load().train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
    batches = list(bank.train.batches(batch))
    start, items = 0.0, 0
    for step in range(steps + 2):
        if step == 2:  # noqa: PLR2004  the first two warm up
            start, items = time.process_time(), 0
        chosen = batches[step % len(batches)]
        optimiser.zero_grad()
        bank.task.loss(model, chosen).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        items += len(chosen["tokens"])
    return (time.process_time() - start) / items


def repeated(rows: Rows) -> Rows:
    """Give rows new names, so that they are a further batch that nothing has seen."""
    ids = tuple(f"{name} again" for name in rows.ids)
    return Rows(tensors=rows.tensors, ids=ids, owners=ids)


def save(scores: Scores, step: float, directory: Path, name: str) -> None:
    """Write the matrix as `name.npy` and everything else as `name.json`.

    Raises `ValueError` when a score is not finite.
    """
    if not np.isfinite(scores.train).all():
        raise ValueError(f"{name} gave scores that are not finite; its matrix was singular?")
    directory.mkdir(parents=True, exist_ok=True)
    np.save(directory / f"{name}.npy", scores.train.astype(np.float32))
    rest = {key: value for key, value in asdict(scores).items() if key != "train"}
    (directory / f"{name}.json").write_text(json.dumps({**rest, "step": step}, indent=1))


def load(directory: Path, name: str) -> tuple[Scores, float]:
    """Read what `save` wrote: the scores, and the training step of the same process."""
    rest = json.loads((directory / f"{name}.json").read_text())
    step = rest.pop("step")
    return Scores(train=np.load(directory / f"{name}.npy"), **rest), step
