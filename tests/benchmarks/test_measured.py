from pathlib import Path

import numpy as np
import pytest

from benchmarks.bank import read_bank
from benchmarks.measured import STAGES, Scores, Stopwatch, load, repeated, save, training_step


def scores(train: np.ndarray) -> Scores:
    seconds = dict.fromkeys(STAGES, 1.0) | {"further": 7.0}
    return Scores(train=train, seconds=seconds, stored=3, checkpoints=1, note="a note")


def test_what_is_saved_is_loaded_as_float32(tmp_path: Path) -> None:
    save(scores(np.eye(3)), 0.004, tmp_path, "ours")

    found, step = load(tmp_path, "ours")

    assert found.train.dtype == np.float32
    assert np.array_equal(found.train, np.eye(3))
    assert (found.seconds["further"], found.note, step) == (7.0, "a note", 0.004)


def test_scores_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="singular gave scores that are not finite"):
        save(scores(np.array([[1.0, np.nan]])), 0.004, tmp_path, "singular")

    assert not list(tmp_path.iterdir())


def test_a_further_batch_is_not_counted_up_to_scores() -> None:
    assert scores(np.eye(2)).up_to_scores == pytest.approx(3.0)


def test_a_stage_entered_twice_adds_up_and_counts_work_alone() -> None:
    stopwatch = Stopwatch()
    with stopwatch("fit"):
        sum(range(300_000))
    once = stopwatch.seconds["fit"]
    with stopwatch("fit"):
        sum(range(300_000))

    assert 0 < once < stopwatch.seconds["fit"]
    assert stopwatch.seconds["features"] == 0


def test_a_training_step_costs_time_and_leaves_the_checkpoint_alone(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)
    before = bank.window((1.0,))[0].load().state_dict()["head.weight"]

    step = training_step(bank, batch=4, steps=2)

    assert step > 0
    assert bank.window((1.0,))[0].load().state_dict()["head.weight"].equal(before)


def test_a_repeated_batch_has_the_same_content_under_new_names(bank_directory: Path) -> None:
    query = read_bank(bank_directory).query

    again = repeated(query)

    assert not set(again.ids) & set(query.ids)
    assert again.tensors["tokens"].equal(query.tensors["tokens"])
