import numpy as np
import pytest
from scipy import stats

from attribution.resampling import drawn_weights

COUNT = 20_000


def drawn(runs, spans=1, count=COUNT, seed=0):
    random = np.random.default_rng(seed)
    weights = drawn_weights(random, runs, spans, count=count, level=0.90)
    return weights.reshape(count, len(runs), spans)


@pytest.mark.parametrize("runs", [["a"], ["a", "a"], ["a", "b"], list("abc"), list("aabbcc")])
def test_the_weights_of_a_draw_add_up_to_the_number_of_spans(runs):
    weights = drawn(runs, spans=5, count=50)

    np.testing.assert_allclose(weights.sum((1, 2)), 5)


def test_members_of_fewer_than_three_runs_are_drawn_as_seeds_of_one():
    np.testing.assert_array_equal(drawn(["a", "a", "b", "b"], 3), drawn(["a"] * 4, 3))
    assert drawn(["a", "b"]).min() == 0  # drawn with replacement


def test_a_mean_over_runs_strays_by_its_standard_error_widened_to_student():
    values = np.array([1.0, 2.0, 6.0])  # mean 3, variance 7

    means = drawn(["a", "b", "c"])[..., 0] @ values

    assert means.mean() == pytest.approx(3, abs=0.05)
    reach = stats.t.ppf(0.95, df=2) * (7 / 3) ** 0.5
    np.testing.assert_allclose(
        np.quantile(means, [0.05, 0.95]), [3 - reach, 3 + reach], atol=0.05 * reach
    )


def test_seeds_are_drawn_within_their_run():
    weights = drawn(["a", "b", "c", "a", "b", "c"])[..., 0]
    of_first = weights[:, [0, 3]]

    assert (weights.reshape(COUNT, 2, 3).sum(1).std(0) > 0.5).all()  # runs
    shares = of_first[:, 0] / of_first.sum(1)
    assert sorted(np.unique(shares.round(6)).tolist()) == [0, 0.5, 1]
