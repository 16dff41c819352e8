import numpy as np
import pytest

from attribution.evaluation.estimate import (
    draws,
    from_replicates,
    mean_of_defined,
    reflected,
    wilson,
)


def test_wilson_is_as_in_newcombe():
    # Newcombe 1998, table I, method 3: 81 of 263 at 95 %, and 0 of 20
    many, none = wilson(81 / 263, 263, 0.95), wilson(0.0, 20, 0.95)

    assert (many.low, many.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert (none.low, none.high) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_no_trials_have_no_interval():
    assert np.isnan([wilson(np.nan, 0, 0.9).low, wilson(0.5, 0, 0.9).high]).all()


def test_an_interval_is_between_quantiles_or_their_reflections():
    replicates = np.arange(101) / 100

    assert (from_replicates(0.9, replicates, 0.9).low) == pytest.approx(0.05)
    turned = reflected(0.6, replicates, 0.9, most=1.0)
    assert (turned.low, turned.high) == (pytest.approx(0.25), 1.0)


def test_one_undefined_replicate_leaves_no_interval():
    replicates = np.array([0.1, np.nan, 0.3])

    for found in (from_replicates(0.2, replicates, 0.9), reflected(0.2, replicates, 0.9, most=1.0)):
        assert found.value == 0.2
        assert np.isnan([found.low, found.high]).all()


def test_the_mean_is_of_what_is_defined():
    values = np.array([[1.0, np.nan, 4.0], [np.nan, np.nan, np.nan]])

    np.testing.assert_array_equal(mean_of_defined(values), [2.5, np.nan])
    weighed = mean_of_defined(values, np.array([[3.0, 9.0, 1.0], [1.0, 1.0, 1.0]]))
    np.testing.assert_array_equal(weighed, [1.75, np.nan])


def test_draws_are_as_many_as_there_are_things():
    drawn = draws(np.random.default_rng(0), 7, 50)

    assert drawn.shape == (50, 7)
    assert (drawn.sum(1) == 7).all()
