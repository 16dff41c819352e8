import numpy as np
import pytest

from attribution.evaluation.estimate import Resampling
from attribution.evaluation.sanity import (
    SanityLimits,
    collapse,
    collapse_verdict,
    randomised,
    randomised_verdict,
)

QUICK = Resampling(replicates=100)


def independent(seed, queries=30, rows=400):
    return np.random.default_rng(seed).normal(size=(queries, rows))


def test_scores_that_random_weights_do_not_give_pass():
    found = randomised(independent(0), independent(1), QUICK)
    verdict = randomised_verdict(found)

    assert found.correlation.low < 0 < found.correlation.high
    assert verdict.passed
    assert "depend on what the model has learnt" in verdict.sentence


def test_scores_that_random_weights_give_too_fail():
    found = randomised(independent(0), 2 * independent(0) + 0.5 * independent(1), QUICK)
    verdict = randomised_verdict(found)

    assert found.correlation.value > 0.9
    assert not verdict.passed
    assert f"{found.correlation.value:.2f}" in verdict.sentence
    assert randomised_verdict(found, SanityLimits(correlation=1)).passed


def test_reversed_scores_fail_as_well():
    assert not randomised_verdict(randomised(independent(0), -independent(0), QUICK)).passed


def test_queries_that_cannot_be_compared_are_counted():
    scores = independent(0)
    scores[3] = 1.0
    scores[4, 0] = np.nan
    found = randomised(scores, independent(1), QUICK)

    assert found.undefined == 2
    assert "Left out: 2 queries" in randomised_verdict(found).sentence


def test_nothing_that_can_be_compared_does_not_pass():
    found = randomised(np.ones((2, 5)), independent(0, 2, 5), QUICK)

    assert np.isnan([found.correlation.value, found.correlation.low]).all()
    assert not randomised_verdict(found).passed


def test_collapse_by_hand():
    # after centring, the first two queries point the same way and the third at a right angle
    scores = np.array([[1.0, -1, 1, -1], [6, 2, 6, 2], [3, 3, 1, 1]])
    found = collapse(scores, k=2)

    assert found.first_direction == pytest.approx(2 / 3)
    # best two: {0, 2}, {0, 2}, {0, 1}; shared 2, 1, 1 of 2
    assert found.overlap == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found.overlap_by_chance == pytest.approx(0.5)
    assert (found.most_frequent, found.most_frequent_row) == (1.0, 0)


def test_queries_with_favourites_of_their_own_pass():
    found = collapse(independent(0))

    assert found.first_direction < 0.1
    assert found.overlap < 0.1
    assert collapse_verdict(found).passed


def test_loud_columns_are_found():
    loud = 10 * np.random.default_rng(5).exponential(size=400)
    found = collapse(independent(0) + loud)
    verdict = collapse_verdict(found)

    assert found.first_direction > 0.9
    assert found.most_frequent == 1
    assert loud[found.most_frequent_row] >= np.sort(loud)[-10]
    assert not verdict.passed
    assert "queries share their favourites" in verdict.sentence


def test_the_size_of_a_query_changes_nothing():
    scores = independent(0)
    one, two = collapse(scores), collapse(scores * np.geomspace(1, 1e6, 30)[:, None])

    assert one.first_direction == pytest.approx(two.first_direction)
    assert one.overlap == two.overlap


def test_a_query_that_does_not_vary_or_is_not_finite_is_counted():
    scores = independent(0)
    scores[0] = 4.0
    scores[1, 7] = np.inf
    found = collapse(scores)

    assert (found.queries, found.undefined) == (28, 2)
    assert np.isnan(collapse(np.ones((2, 3))).first_direction)
