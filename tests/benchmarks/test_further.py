from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.models.event_transformer import EventTransformer, EventTransformerConfig
from benchmarks import further
from benchmarks.bank import Bank, token_task
from benchmarks.further import all_runs, margin_task
from tests.attribution.engine_world import VOCABULARY, checkpoint, make_rows

CONFIG = EventTransformerConfig(width=16, layers=1, heads=2, span=8, dropout=0.1)


def inputs(tokens):
    return tokens


@pytest.fixture(scope="module")
def bank():
    torch.manual_seed(0)
    tokens = torch.randint(1, VOCABULARY, (40, 8), generator=torch.Generator().manual_seed(1))
    rows = make_rows(tokens, "w", 1)
    states = {epoch: checkpoint(EventTransformer(CONFIG), epoch) for epoch in (1, 3)}
    return Bank(
        directory=Path(),
        train=rows,
        query=rows.take([0, 1]),
        artists=rows.owners,
        generated=np.zeros(2, bool),
        checkpoints={("s0", epoch): state for epoch, state in states.items()},
        truth={},
        task=token_task(inputs),
        new_model=lambda: EventTransformer(CONFIG),
        inputs=inputs,
    )


def loss(bank, kept):
    with torch.no_grad():
        return float(bank.task.loss(kept.load(), bank.train.tensors).mean())


def test_missing_runs_are_trained_and_kept_at_the_epochs_of_the_bank(bank, tmp_path):
    runs, seconds = all_runs(bank, 3, tmp_path)

    assert list(runs) == ["s0", "further-1", "further-2"]
    assert all(list(epochs) == [1, 3] for epochs in runs.values())
    assert seconds > 0
    assert loss(bank, runs["further-1"][3]) < loss(bank, runs["further-1"][1])
    assert len({kept.sha256 for epochs in runs.values() for kept in epochs.values()}) == 6
    assert {kept.run for kept in runs["further-2"].values()} == {"further-2"}


def test_runs_that_are_kept_are_not_trained_again(bank, tmp_path, monkeypatch):
    before, seconds = all_runs(bank, 2, tmp_path)
    monkeypatch.setattr(further, "_trained", None)

    after, again = all_runs(bank, 2, tmp_path)

    assert again == seconds
    assert after["further-1"][3].sha256 == before["further-1"][3].sha256
    assert loss(bank, after["further-1"][3]) == loss(bank, before["further-1"][3])


def test_a_margin_is_the_log_odds_summed_over_tokens(bank):
    model, tokens = bank.checkpoints["s0", 1].load(), bank.train.tensors["tokens"]
    with torch.no_grad():
        found = margin_task(bank).measurement(model, bank.train.tensors)
        p = model(tokens).double().softmax(-1).gather(-1, tokens[..., None])[..., 0]

    torch.testing.assert_close(found.double(), torch.log(p / (1 - p)).sum(1), rtol=1e-4, atol=1e-4)
