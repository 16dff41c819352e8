import json

import numpy as np
import pytest

from attribution.evaluation.plan import (
    Drawing,
    PlanRefused,
    by_group,
    by_item,
    plan_from,
    without,
    without_each_group,
)

LABELS = ["c", "a", "b", "a", "d", "d", "d"]


def test_subsets_of_items_are_different_and_equally_large():
    plan = by_item(20, Drawing(subsets=30, fraction=0.25))

    assert plan.masks.shape == (30, 20)
    assert (plan.masks.sum(1) == 5).all()
    assert len({mask.tobytes() for mask in plan.masks}) == 30


def test_subsets_of_groups_keep_whole_groups():
    plan = by_group(LABELS, Drawing(subsets=6))  # there are six ways to keep two of four

    assert len({mask.tobytes() for mask in plan.masks}) == 6
    for mask in plan.masks:
        kept = {label for label, is_kept in zip(LABELS, mask, strict=True) if is_kept}
        assert len(kept) == 2
        assert mask.sum() == sum(label in kept for label in LABELS)


def test_every_drawn_training_has_a_seed_of_its_own():
    plan = by_item(20, Drawing(subsets=30, seeds=3, seed=7))

    assert plan.seeds.shape == (30, 3)
    assert len(np.unique(plan.seeds)) == 90
    assert plan.seeds.min() == 7


def test_the_same_drawing_gives_the_same_plan_and_another_seed_another():
    one, two = (by_item(20, Drawing(seed=1)).as_document() for _ in range(2))

    assert one == two
    assert one["masks"] != by_item(20, Drawing(seed=2)).as_document()["masks"]


def test_leaving_out_groups_starts_with_everything_and_pairs_seeds():
    plan = without_each_group(LABELS, seeds=2, seed=5)

    assert plan.names == ("full", "a", "b", "c", "d")
    assert plan.masks[0].all()
    assert plan.masks[1].tolist() == [True, False, True, False, True, True, True]
    assert plan.seeds.tolist() == [[5, 6]] * 5


def test_explicit_sets_are_removed():
    plan = without({"two": [0, 3], "one": [1]}, rows=4, seeds=np.arange(2))

    assert plan.masks[1:].tolist() == [[False, True, True, False], [True, False, True, True]]


def test_a_plan_survives_json():
    plan = by_group(LABELS, Drawing(subsets=6))
    read = plan_from(json.loads(json.dumps(plan.as_document())))

    assert (read.kind, read.names) == (plan.kind, plan.names)
    assert (read.masks == plan.masks).all()
    assert (read.seeds == plan.seeds).all()


@pytest.mark.parametrize("drawing", [Drawing(subsets=7), Drawing(fraction=0), Drawing(fraction=1)])
def test_more_subsets_than_there_are_is_refused(drawing):
    with pytest.raises(PlanRefused, match="different ways to keep"):
        by_group(LABELS, drawing)


def test_a_subset_that_keeps_nothing_is_refused_by_name():
    with pytest.raises(PlanRefused, match="subset 'all' keeps no row"):
        without({"all": [0, 1]}, rows=2, seeds=np.arange(1))
