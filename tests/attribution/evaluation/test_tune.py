from dataclasses import replace

import numpy as np
import pytest

from attribution.evaluation.plan import Drawing, PlanRefused, by_item
from attribution.evaluation.tune import (
    Halves,
    Setting,
    grid,
    halved,
    setting_of,
    tune,
    with_setting,
)
from attribution.methods.recipes import RECIPES
from tests.attribution.evaluation.retraining_world import bank_of

ITEMS, QUERIES = 12, 8
TRUTH = np.random.default_rng(0).normal(size=(QUERIES, ITEMS))
HALVES = Halves(tuning=[0, 2, 4, 6], reporting={"held-out": [1, 3], "generated": [5, 7]})
GRID = grid([0.01, 0.1], [8], [1.0, 2.0])
BEFORE = Setting(damping=0.003, kept=41, ridge=2.0)


def world(subsets=40):
    masks = by_item(ITEMS, Drawing(subsets=subsets, seeds=1)).masks
    return {"item": bank_of(masks, (masks @ TRUTH.T)[:, None, :])}


def score(setting, good=GRID[2]):
    noise = 0.0 if setting == good else 2.0
    random = np.random.default_rng(round(1000 * setting.damping) + round(setting.ridge))
    return TRUTH + noise * random.normal(size=TRUTH.shape)


def test_every_combination_is_tried_ridges_innermost():
    assert [(each.damping, each.kept, each.ridge) for each in GRID] == [
        (0.01, 8, 1.0),
        (0.01, 8, 2.0),
        (0.1, 8, 1.0),
        (0.1, 8, 2.0),
    ]


def test_the_setting_that_foretells_best_is_chosen_and_its_gain_reported():
    found = tune(score, GRID, BEFORE, world(), HALVES)

    assert found.chosen == GRID[2]
    assert {trial.setting for trial in found.trials} == {BEFORE, *GRID}
    assert found.reported["item, held-out"].estimate.value == pytest.approx(1.0)
    assert found.gained["item, generated"].estimate.low > 0


def test_the_choice_sees_nothing_of_what_is_reported():
    banks, reported = world(), np.zeros(QUERIES, dtype=bool)
    reported[[1, 3, 5, 7]] = True
    _, unseen = halved(range(40))
    harmed = banks["item"].outcomes.copy()
    harmed[unseen] = np.random.default_rng(1).normal(size=harmed[unseen].shape)
    spoilt = {"item": replace(banks["item"], outcomes=harmed)}

    one = tune(score, GRID, BEFORE, banks, HALVES)
    other = tune(lambda s: np.where(reported[:, None], 0.5, score(s)), GRID, BEFORE, spoilt, HALVES)

    assert one.trials == other.trials
    assert one.chosen == other.chosen


def test_the_report_sees_nothing_of_what_was_tuned_on():
    banks = world()
    seen, _ = halved(range(40))
    harmed = banks["item"].outcomes.copy()
    harmed[seen] = 0.0
    harmed[:, :, [0, 2, 4, 6]] *= 7.0
    spoilt = {"item": replace(banks["item"], outcomes=harmed)}

    one = tune(score, (), BEFORE, banks, HALVES)
    with pytest.raises(PlanRefused, match="no setting has an LDS"):
        tune(score, (), BEFORE, spoilt, HALVES)
    harmed[seen] = banks["item"].outcomes[seen] ** 3
    other = tune(score, (), BEFORE, spoilt, HALVES)

    for level, found in one.reported.items():
        np.testing.assert_array_equal(found.per_query, other.reported[level].per_query)


def test_what_is_in_use_stays_unless_another_is_better():
    found = tune(lambda _: TRUTH, GRID, BEFORE, world(), HALVES)

    assert found.chosen == BEFORE
    assert all(each.estimate.value == 0.0 for each in found.gained.values())


def test_a_query_tuned_on_cannot_be_reported():
    with pytest.raises(PlanRefused, match="tuned on"):
        Halves(tuning=[0, 1], reporting={"all": [1, 2]})
    with pytest.raises(PlanRefused, match="both halves"):
        Halves(tuning=[0], reporting={"none": []})


def test_a_bank_too_small_to_halve_is_refused_by_name():
    with pytest.raises(PlanRefused, match="'item' has too few subsets"):
        tune(score, GRID, BEFORE, world(subsets=3), HALVES)


def test_a_recipe_takes_a_setting_and_keeps_the_rest():
    setting = Setting(damping=0.5, kept=7, ridge=9.0)

    found = with_setting(RECIPES["default"], setting)

    assert setting_of(found) == setting
    assert with_setting(found, setting_of(RECIPES["default"])) == RECIPES["default"]
    with pytest.raises(PlanRefused, match="'trak' chooses no coordinates"):
        with_setting(RECIPES["trak"], setting)
