from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.evaluation.bank import open_bank
from attribution.evaluation.plan import Drawing
from attribution.models.event_transformer import event_task
from benchmarks import own_bank
from benchmarks.bank import Bank, UnreadableBank, read_bank
from cli.jobs.index import parts_of
from cli.jobs.training import find_run
from cli.workspace import Workspace
from tests.cli.evaluation_world import ARTISTS, make


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make(tmp_path_factory.mktemp("demonstration"))


@pytest.fixture(scope="module")
def bank(workspace: Workspace) -> Bank:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(own_bank, "DRAWN", Drawing(subsets=3, seeds=1))
        patched.setattr(own_bank, "WORKERS", 1)
        return read_bank(own_bank.own_bank(workspace.home))


def test_the_bank_holds_the_run_it_was_made_of(bank: Bank, workspace: Workspace) -> None:
    _, run = find_run(workspace, None)
    rows = parts_of(workspace, run)["train"]
    model, same = run.model(), bank.window((1.0,))[0].load()
    batch = next(rows.batches(4))

    assert len(set(bank.artists)) == ARTISTS
    assert bank.train.tensors["mask"].equal(rows.tensors["mask"])
    assert torch.allclose(
        event_task().loss(model, batch), bank.task.loss(same, next(bank.train.batches(4)))
    )


def test_its_queries_are_tracks_and_then_what_was_never_trained_on(
    bank: Bank, workspace: Workspace
) -> None:
    _, run = find_run(workspace, None)
    placebo = parts_of(workspace, run)["placebo"]

    assert bank.generated.any()
    assert not bank.generated[-len(placebo) :].any()
    assert bank.query.tensors["tokens"][-len(placebo) :].equal(placebo.tensors["tokens"])


def test_its_truth_is_what_retraining_showed(bank: Bank, workspace: Workspace) -> None:
    kept = open_bank(workspace.home / "benchmark" / "retrained-artist")

    assert np.allclose(bank.truth["artist"].outcomes, kept.outcomes)
    assert np.array_equal(bank.truth["artist"].masks, kept.masks)
    assert set(bank.truth) == {"artist", "item"}


def test_without_a_demonstration_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UnreadableBank, match="make demo"):
        own_bank.own_bank(tmp_path / "nothing")
