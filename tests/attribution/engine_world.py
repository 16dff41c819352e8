"""A tiny generator trained in seconds, with works it saw and works it never saw."""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from attribution.models.event_transformer import (
    EventTransformer,
    EventTransformerConfig,
    event_task,
)
from attribution.task import Checkpoint, Rows, Task

VOCABULARY = 40  # events that the works are made of
SPAN = 24
CONFIG = EventTransformerConfig(width=32, layers=2, heads=2, span=SPAN, dropout=0.0)


@dataclass(frozen=True)
class World:
    """What the tests of the engine stand on."""

    task: Task
    checkpoints: tuple[Checkpoint, ...]
    train: Rows
    placebo: Rows

    @property
    def parts(self) -> Mapping[str, Rows]:
        return {"train": self.train, "placebo": self.placebo}


def make_rows(tokens: torch.Tensor, prefix: str, items: int) -> Rows:
    """Name rows `w003@1`: the second item of the fourth work."""
    owners = tuple(f"{prefix}{i // items:03d}" for i in range(len(tokens)))
    return Rows(
        tensors={"tokens": tokens, "mask": torch.ones_like(tokens, dtype=torch.bool)},
        ids=tuple(f"{owner}@{i % items}" for i, owner in enumerate(owners)),
        owners=owners,
    )


def works(count: int, items: int, generator: torch.Generator) -> torch.Tensor:
    """Compose works: each repeats a motif of its own, with every fifth event left to chance."""
    tokens = []
    for _ in range(count):
        motif = torch.randint(1, VOCABULARY - 1, (6,), generator=generator).repeat(SPAN // 6)
        for _ in range(items):
            chance = torch.rand(SPAN, generator=generator) < 0.2
            other = torch.randint(1, VOCABULARY - 1, (SPAN,), generator=generator)
            tokens.append(torch.where(chance, other, motif))
    return torch.stack(tokens)


def train_world() -> World:
    """Train for a few seconds and keep three checkpoints, as if at 30, 40 and 50 %."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    train, placebo = make_parts(generator)
    task, model = event_task(), EventTransformer(CONFIG)
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    checkpoints = []
    for epoch in range(10):
        order = torch.randperm(len(train), generator=generator).tolist()
        for batch in train.take(order).batches(16):
            optimiser.zero_grad()
            (task.loss(model, batch).sum() / batch["tokens"].numel()).backward()
            optimiser.step()
        if epoch in {5, 7, 9}:
            checkpoints.append(checkpoint(model, epoch))
    return World(task=task, checkpoints=tuple(checkpoints), train=train, placebo=placebo)


def untrained_world() -> World:
    """Make the same works, and three models that heard none: for what training has no part in."""
    torch.manual_seed(0)
    train, placebo = make_parts(torch.Generator().manual_seed(1))
    checkpoints = tuple(checkpoint(EventTransformer(CONFIG), number) for number in range(3))
    return World(task=event_task(), checkpoints=checkpoints, train=train, placebo=placebo)


def make_parts(generator: torch.Generator) -> tuple[Rows, Rows]:
    """Compose 30 works to train on and 44 to hold back, of three items each."""
    return make_rows(works(30, 3, generator), "w", 3), make_rows(works(44, 3, generator), "p", 3)


def content(directory: Path) -> dict[str, bytes]:
    """Read every file below a directory, by its name there."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def checkpoint(model: nn.Module, number: int) -> Checkpoint:
    """Keep a copy of a model as a checkpoint that loads a fresh one each time."""
    kept = copy.deepcopy(model).eval()
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return Checkpoint(name=f"step-{number}", sha256=sha256, load=lambda: copy.deepcopy(kept))
