"""The lines that docs/method.md shows to people with a model of their own are run here."""

import copy
import re
from functools import partial
from pathlib import Path

import torch
from torch import nn

from attribution.task import Checkpoint, Rows

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/method.md").read_text(encoding="utf-8")
LINES_MAX = 10
KINDS = 8


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch["x"]), batch["y"], reduction="none")


def rows(prefix, works, generator):
    """Make works of two items each; what belongs to a work is a region and an answer."""
    centres = torch.randn(works, 24, generator=generator).repeat_interleave(2, 0)
    answers = torch.randint(KINDS, (works,), generator=generator).repeat_interleave(2)
    x = centres + 0.1 * torch.randn(2 * works, 24, generator=generator)
    names = [f"{prefix}{work:02d}" for work in range(works) for _ in range(2)]
    ids = tuple(f"{name}@{i % 2}" for i, name in enumerate(names))
    return Rows(tensors={"x": x, "y": answers}, ids=ids, owners=tuple(names))


def trained(train):
    """Fit a small network to the rows; return two of its states as checkpoints."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(24, 32), nn.Tanh(), nn.Linear(32, KINDS))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    kept = []
    for step in range(20):
        optimiser.zero_grad()
        loss(model, train.tensors).mean().backward()
        optimiser.step()
        if step in {9, 19}:
            state = copy.deepcopy(model).eval()
            load = partial(copy.deepcopy, state)
            kept.append(Checkpoint(name=f"step-{step}", sha256=f"{step:064d}", load=load))
    return kept


def test_the_lines_for_a_model_of_ones_own_do_what_they_say(tmp_path):
    (block,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    generator = torch.Generator().manual_seed(1)
    train, held_back = rows("w", 30, generator), rows("p", 44, generator)
    names = {
        "loss": loss,
        "checkpoints": trained(train),
        **train.tensors,
        "ids": train.ids,
        "recordings": train.owners,
        "held_back": held_back,
        "folder": tmp_path,
        "piece": train.take([6, 7]),  # as if it had been generated
    }

    exec(compile(block, "docs/method.md", "exec"), names)

    assert len(block.splitlines()) <= LINES_MAX
    assert names["scores"].train.shape == (2, 2, len(train))
    best = max(names["evidence"].works, key=lambda work: work.mean)
    assert best.work == "w03"
    assert best.cleared


def test_every_test_that_the_document_names_is_there():
    here = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    named = re.findall(r"`(test_\w+)`", DOCUMENT)

    assert named
    assert [name for name in named if f"def {name}(" not in here] == []
