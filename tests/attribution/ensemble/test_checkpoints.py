import copy
import dataclasses

import pytest
import torch
from torch import nn

from attribution.ensemble.checkpoints import CannotCombine, average, derived_sha256, independent
from tests.attribution.engine_world import checkpoint


def test_an_average_holds_the_mean_of_every_weight(world):
    states = [c.load().state_dict() for c in world.checkpoints]

    found = average(world.checkpoints).load().state_dict()

    for name, tensor in found.items():
        by_hand = sum(state[name].double() for state in states) / len(states)
        torch.testing.assert_close(tensor, by_hand.float(), rtol=0, atol=0)


def test_an_average_is_named_by_its_checkpoints_and_weighs_as_they_do(world):
    rates = [
        dataclasses.replace(c, learning_rate=r)
        for c, r in zip(world.checkpoints, (1, 2, 6), strict=True)
    ]

    found = average(rates)

    assert found.name == "mean(step-5, step-7, step-9)"
    assert found.learning_rate == 3
    assert found.sha256 == average(rates, "other").sha256
    assert found.sha256 != average(rates[:2]).sha256


def test_an_average_keeps_the_type_of_the_weights():
    models = [nn.Linear(2, 2).bfloat16() for _ in range(2)]

    found = average([checkpoint(model, i) for i, model in enumerate(models)]).load()

    assert found.weight.dtype == torch.bfloat16


def test_weights_of_several_runs_are_not_averaged(world):
    two = independent({"a": world.checkpoints[:1], "b": world.checkpoints[1:]})

    with pytest.raises(CannotCombine, match=r"not of 2 \(a, b\)"):
        average(two)
    with pytest.raises(CannotCombine, match="not of 0"):
        average([])


def test_unlike_models_are_not_averaged():
    unlike = [checkpoint(nn.Linear(2, 2), 0), checkpoint(nn.Linear(2, 3), 1)]

    with pytest.raises(CannotCombine, match="'step-1' has other parameters"):
        average(unlike).load()


def test_independent_runs_keep_their_order_and_take_the_name_of_their_run(world):
    found = independent({"b": world.checkpoints[:2], "a": world.checkpoints[2:]})

    assert [(c.run, c.name) for c in found] == [("b", "step-5"), ("b", "step-7"), ("a", "step-9")]


def test_a_derived_name_depends_on_parents_kind_and_options(world):
    one, two, _ = world.checkpoints
    made = [
        derived_sha256([one], "dropout", {"seed": 0}),
        derived_sha256([two], "dropout", {"seed": 0}),
        derived_sha256([one], "lora", {"seed": 0}),
        derived_sha256([one], "dropout", {"seed": 1}),
        derived_sha256([one, two], "dropout", {"seed": 0}),
    ]

    assert len(set(made)) == len(made)
    assert made[0] == derived_sha256([copy.copy(one)], "dropout", {"seed": 0})
