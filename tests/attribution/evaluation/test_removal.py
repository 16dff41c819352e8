import numpy as np
import pytest

from attribution.evaluation.bank import build
from attribution.evaluation.plan import PlanRefused
from attribution.evaluation.removal import RemovalOptions, removal, removal_plan
from tests.attribution.evaluation.retraining_world import HELP, bank_of, retraining

LABELS = ["a", "a", "b", "b", "c", "c"]


def test_each_arm_removes_what_ranks_highest_for_each_query():
    plan = removal_plan({"ours": HELP, "similar": -HELP}, options=RemovalOptions(removed=2))
    removed = {
        name: np.flatnonzero(~mask).tolist()
        for name, mask in zip(plan.names, plan.masks, strict=True)
    }

    assert removed["ours:0"] == [1, 5]
    assert removed["ours:1"] == [1, 2]  # rows 1 and 3 tie
    assert removed["similar:1"] == [0, 4]
    assert removed["full"] == []
    assert [len(removed[f"random:{i}"]) for i in range(5)] == [2] * 5
    assert plan.seeds.tolist() == [[0, 1, 2, 3, 4]] * 10


def test_whole_groups_are_removed_by_their_summed_scores():
    # sums of the groups: 3 -1 3.5, and 1 5 -1.5
    plan = removal_plan({"ours": HELP}, LABELS, RemovalOptions(removed=1))
    masks = dict(zip(plan.names, plan.masks.tolist(), strict=True))

    assert masks["ours:0"] == [True, True, True, True, False, False]
    assert masks["ours:1"] == [True, True, False, False, True, True]
    assert all(sum(masks[f"random:{i}"]) == 4 for i in range(5))


def test_removing_what_helped_is_missed_more_than_removing_at_random(tmp_path):
    plan = removal_plan({"ours": HELP, "worst": -HELP}, options=RemovalOptions(removed=2))
    found = removal(build(plan, retraining(noise=0.1), tmp_path))
    arms = {arm.name: arm for arm in found.arms}

    assert list(arms) == ["ours", "worst", "random"]
    # each seed's chance is the same with and without, so what is left is exact
    assert arms["ours"].per_query == pytest.approx([5.0, 5.0])
    assert arms["ours"].change == pytest.approx(5.0)
    assert arms["ours"].change_error == pytest.approx(0.0, abs=1e-12)
    assert arms["worst"].change == pytest.approx((-1.0 - 2.0) / 2)
    assert arms["ours"].beyond_random > 0 > arms["worst"].beyond_random
    assert (arms["random"].beyond_random, arms["random"].rows_removed) == (0.0, 2.0)
    assert (found.queries, found.seeds) == (2, 5)


def test_mean_and_standard_error_by_hand():
    outcomes = [[[10.0], [20.0]], [[9.0], [17.0]], [[10.0], [19.0]], [[10.0], [21.0]]]
    names = ("full", "ours:0", "random:0", "random:1")
    masks = [[1, 1], [0, 1], [1, 0], [1, 0]]
    ours, random = removal(bank_of(masks, outcomes, "removal", names)).arms

    assert (ours.change, ours.change_error) == pytest.approx((2.0, 1.0))  # 1 and 3
    assert (random.change, random.change_error) == pytest.approx((0.0, 0.0))  # 0 and (1 - 1) / 2
    assert (ours.beyond_random, ours.beyond_random_error) == pytest.approx((2.0, 1.0))


def test_an_undefined_outcome_is_not_hidden():
    outcomes = [[[10.0], [20.0]], [[9.0], [np.nan]], [[10.0], [19.0]]]
    names = ("full", "ours:0", "random:0")
    ours, random = removal(bank_of([[1, 1], [0, 1], [1, 0]], outcomes, "removal", names)).arms

    assert np.isnan([ours.change, ours.change_error]).all()
    assert random.change == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rankings", "options", "why"),
    [
        ({"ours": HELP}, RemovalOptions(seeds=4), "4 seeds are too few"),
        ({"random": HELP}, RemovalOptions(), "call no ranking 'random'"),
        ({"ours": HELP * np.nan}, RemovalOptions(), "'ours' has a score that is not finite"),
        ({"ours": HELP}, RemovalOptions(removed=6), "keeps no row"),
    ],
)
def test_what_would_show_nothing_is_refused(rankings, options, why):
    with pytest.raises(PlanRefused, match=why):
        removal_plan(rankings, options=options)


def test_a_bank_of_another_kind_is_refused():
    with pytest.raises(PlanRefused, match="of kind 'items'"):
        removal(bank_of([[1, 0]], [[[1.0]]]))
