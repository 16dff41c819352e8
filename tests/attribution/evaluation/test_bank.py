import hashlib
import json
from functools import partial

import numpy as np
import pytest
import torch

from attribution.evaluation.bank import (
    CorruptBank,
    ForeignBank,
    IncompleteBank,
    Retraining,
    build,
    open_bank,
)
from attribution.evaluation.plan import Drawing, PlanRefused, by_item, without_each_group
from attribution.files import json_bytes
from tests.attribution.evaluation.retraining_world import HELP, ROWS, measure, retraining, train

PLAN = by_item(ROWS, Drawing(subsets=4, seeds=2))


def contents(directory):
    return {p.name: p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_a_bank_holds_what_each_retraining_came_to(tmp_path):
    bank = build(PLAN, retraining(noise=0.0), tmp_path)

    assert bank.outcomes.shape == (4, 2, 2)
    expected = PLAN.masks.astype(float) @ HELP.T
    np.testing.assert_allclose(bank.outcomes, np.repeat(expected[:, None], 2, axis=1))


def test_an_interrupted_bank_goes_on_to_the_same_bytes(tmp_path):
    build(PLAN, retraining(), tmp_path / "whole")
    stopped = partial(train_some, [])
    with pytest.raises(KeyboardInterrupt):
        build(PLAN, Retraining(train=stopped, measure=measure, subject="sums"), tmp_path / "cut")
    assert len(contents(tmp_path / "cut")) == 4  # the plan and three retrainings

    with pytest.raises(IncompleteBank, match="lacks 5 of 8 retrainings"):
        open_bank(tmp_path / "cut")
    build(PLAN, retraining(), tmp_path / "cut")

    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def train_some(done, kept, seed):
    if len(done) == 3:
        raise KeyboardInterrupt
    done.append(seed)
    return train(0.1, kept, seed)


def test_only_what_is_missing_or_harmed_is_done_again(tmp_path):
    build(PLAN, retraining(), tmp_path)
    before = contents(tmp_path)
    (tmp_path / "retrained" / "0002-1.json").unlink()
    (tmp_path / "retrained" / "0001-0.json").write_text('{"sha256": "0"}')
    heard = []

    build(PLAN, retraining(), tmp_path, progress=lambda done, total: heard.append((done, total)))

    assert heard == [(6, 8), (7, 8), (8, 8)]
    assert contents(tmp_path) == before


def test_a_finished_bank_trains_nothing(tmp_path):
    build(PLAN, retraining(), tmp_path)
    never = Retraining(train=partial(train_some, [0, 1, 2]), measure=measure, subject="sums")

    assert build(PLAN, never, tmp_path).outcomes.shape == (4, 2, 2)


@pytest.mark.slow
def test_two_processes_give_the_same_bytes_as_one(tmp_path):
    one = build(PLAN, retraining(), tmp_path / "one")
    two = build(PLAN, retraining(), tmp_path / "two", workers=2)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert (one.outcomes == two.outcomes).all()


@pytest.mark.parametrize(
    ("plan", "subject", "what"),
    [
        (by_item(ROWS, Drawing(subsets=4, seeds=2, seed=9)), "sums", "masks, seeds"),
        (PLAN, "other music", "subject"),
        (without_each_group(["a"] * 3 + ["b"] * 3), "sums", "kind, names"),
    ],
)
def test_a_foreign_bank_is_refused(tmp_path, plan, subject, what):
    build(PLAN, retraining(), tmp_path)
    before = contents(tmp_path)

    with pytest.raises(ForeignBank, match=f"{what}.* differ"):
        build(plan, retraining(subject=subject), tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["plan.json", "retrained/0003-1.json"])
def test_a_corrupt_file_is_refused_by_name(tmp_path, name):
    build(PLAN, retraining(), tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))

    with pytest.raises(CorruptBank, match=name):
        open_bank(tmp_path)


def test_a_retraining_of_another_subset_is_refused_by_name(tmp_path):
    build(PLAN, retraining(), tmp_path)
    folder = tmp_path / "retrained"
    (folder / "0000-0.json").write_bytes((folder / "0001-0.json").read_bytes())

    with pytest.raises(CorruptBank, match=r"0000-0.json is a retraining of something else"):
        open_bank(tmp_path)


def test_what_is_no_bank_is_said_to_be_none(tmp_path):
    with pytest.raises(IncompleteBank, match="holds no bank"):
        open_bank(tmp_path)


def test_a_bank_of_a_later_schema_is_refused(tmp_path):
    build(PLAN, retraining(), tmp_path)
    document = json.loads((tmp_path / "plan.json").read_bytes())
    later = {**document, "schema": 2}
    del later["sha256"]
    signed = {**later, "sha256": hashlib.sha256(json_bytes(later)).hexdigest()}
    (tmp_path / "plan.json").write_bytes(json_bytes(signed))

    with pytest.raises(ForeignBank, match="schema 2"):
        open_bank(tmp_path)


def test_outcomes_that_are_not_numbers_are_kept_as_such(tmp_path):
    odd = Retraining(train=partial(train, 0.1), measure=undefined, subject="odd")

    assert np.isnan(build(PLAN, odd, tmp_path).outcomes[..., 1]).all()


def undefined(_model):
    return np.array([1.0, np.nan])


def test_a_measurement_of_another_shape_is_refused(tmp_path):
    odd = Retraining(train=partial(train, 0.1), measure=lambda _: np.ones((2, 2)), subject="odd")

    with pytest.raises(PlanRefused, match=r"shape \(2, 2\)"):
        build(PLAN, odd, tmp_path)


def test_chance_comes_from_the_seeds_of_the_plan_alone(tmp_path):
    for name in ("a", "b"):
        torch.rand(len(name) + ord(name))  # whatever was drawn before
        build(PLAN, retraining(), tmp_path / name)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_random_numbers_and_threads_are_left_as_they_were(tmp_path):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    before = torch.get_num_threads()

    build(PLAN, retraining(threads=2), tmp_path)

    assert torch.rand(1) == expected
    assert torch.get_num_threads() == before
