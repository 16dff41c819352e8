import numpy as np

from attribution.evaluation.groups import grouped
from attribution.evaluation.queries import (
    over_owners,
    scores_over_owners,
    with_queries,
    with_subsets,
)
from tests.attribution.evaluation.retraining_world import bank_of

OWNERS = grouped(["b", "a", "b"])
OUTCOMES = np.arange(12.0).reshape(2, 2, 3)  # (subset, seed, span)


def bank():
    return bank_of([[True, False], [True, True]], OUTCOMES)


def test_a_tracks_outcome_is_the_sum_of_its_spans():
    found = over_owners(bank(), OWNERS).outcomes

    np.testing.assert_array_equal(found[..., 0], OUTCOMES[..., 1])
    np.testing.assert_array_equal(found[..., 1], OUTCOMES[..., 0] + OUTCOMES[..., 2])


def test_a_tracks_scores_are_the_sum_of_its_spans():
    scores = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    np.testing.assert_array_equal(scores_over_owners(scores, OWNERS), [[3.0, 4.0], [6.0, 8.0]])


def test_queries_are_kept_in_the_order_asked_for():
    np.testing.assert_array_equal(with_queries(bank(), [2, 0]).outcomes, OUTCOMES[:, :, [2, 0]])


def test_subsets_are_kept_with_their_masks_names_and_seeds():
    found = with_subsets(bank(), [1])

    np.testing.assert_array_equal(found.outcomes, OUTCOMES[[1]])
    np.testing.assert_array_equal(found.masks, [[True, True]])
    assert found.names == ("0001",)
    assert found.plan.seeds.shape == (1, 2)
