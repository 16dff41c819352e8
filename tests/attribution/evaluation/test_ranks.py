import numpy as np
import pytest
from scipy import stats

from attribution.evaluation.ranks import best, rank_correlation, resampled_rank_correlation


def pairs(seed=0, rows=20, columns=6):
    random = np.random.default_rng(seed)
    one = random.integers(0, 8, (rows, columns)).astype(float)  # many ties
    return one, one + random.normal(size=(rows, columns)) * 3


def test_correlations_are_those_of_scipy():
    one, other = pairs()
    expected = [stats.spearmanr(a, b).statistic for a, b in zip(one.T, other.T, strict=True)]

    np.testing.assert_allclose(rank_correlation(one, other), expected)


def test_a_hand_computed_correlation_with_a_tie():
    # ranks 1.5 1.5 3 4 and 1 2 4 3: covariance 3.5, variances 4.5 and 5
    found = rank_correlation(np.array([[1.0], [1], [2], [3]]), np.array([[1.0], [2], [5], [4]]))

    assert found[0] == pytest.approx(3.5 / (4.5 * 5) ** 0.5)


def test_drawing_rows_again_is_as_if_they_stood_twice():
    one, other = pairs()
    weights = np.random.default_rng(1).multinomial(20, np.full(20, 0.05), size=5).astype(float)
    slow = [
        rank_correlation(np.repeat(one, w.astype(int), 0), np.repeat(other, w.astype(int), 0))
        for w in weights
    ]

    np.testing.assert_allclose(resampled_rank_correlation(one, other, weights), slow)


@pytest.mark.parametrize("odd", [[2.0, 2, 2], [1, np.nan, 3], [1, np.inf, 3]])
def test_what_does_not_vary_or_is_not_finite_is_undefined_in_its_own_column_only(odd):
    one = np.array([odd, [1.0, 2, 3]]).T
    other = np.array([[3.0, 1, 2], [1, 2, 4]]).T
    drawn = resampled_rank_correlation(one, other, np.ones((2, 3)))

    np.testing.assert_array_equal(rank_correlation(one, other), [np.nan, 1.0])
    np.testing.assert_allclose(drawn, [[np.nan, 1.0]] * 2)


def test_a_draw_of_one_row_only_is_undefined():
    one, other = pairs(rows=3)

    assert np.isnan(resampled_rank_correlation(one, other, np.array([[3.0, 0, 0]]))).all()
    assert np.isnan(rank_correlation(one[:1], other[:1])).all()


def test_the_best_come_first_and_ties_to_the_earlier():
    assert best(np.array([[1.0, 3, 3, 2], [0, 0, 0, 0]]), 3).tolist() == [[1, 2, 3], [0, 1, 2]]
