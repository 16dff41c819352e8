import numpy as np
import pytest

from attribution.evaluation.estimate import Resampling
from attribution.evaluation.informativeness import (
    Effects,
    InformativenessOptions,
    effects,
    estimates,
    informativeness,
    unit,
)
from attribution.evaluation.plan import PlanRefused
from tests.attribution.evaluation.retraining_world import bank_of

QUICK = InformativenessOptions(scale=1.0, resampling=Resampling(level=0.95, replicates=200))


def of(actual):
    """Effects of one group on several queries, at one seed."""
    return Effects(groups=("a",), values=np.array(actual, float)[None, :, None])


def only(estimated, actual, **more):
    found = informativeness(np.array(estimated, float)[:, None], of(actual), **more)
    return found.groups[0]


def gaussian(noise, queries=4000, gain=1.0):
    random = np.random.default_rng(0)
    actual = random.normal(size=queries)
    return gain * (actual + noise * random.normal(size=queries)), actual


def test_by_hand():
    # est 0 1 2 3, act 0 1 1 2: covariance 1, variances 5/3 and 2/3
    found = only([0, 1, 2, 3], [0, 1, 1, 2], options=QUICK)

    assert found.informativeness.value == pytest.approx(0.6)
    assert found.gain.value == pytest.approx(1.5)
    # est/K - act = 0, -1/3, 1/3, 0: variance 2/27
    assert found.snr.value == pytest.approx(9.0)
    assert found.mean_square_error == pytest.approx(0.5)
    assert found.spearman == pytest.approx(4.5 / (5 * 4.5) ** 0.5)


def test_leaving_out_one_query_at_a_time_by_hand():
    found = only([0, 1, 2, 3], [0, 1, 1, 2], options=QUICK)
    slopes = np.array([np.polyfit(x, y, 1)[0] for x, y in without_each()])

    assert (found.jackknife_low, found.jackknife_high) == pytest.approx(
        (slopes.min(), slopes.max())
    )
    assert found.jackknife_error == pytest.approx((3 * slopes.var()) ** 0.5)


def without_each():
    x, y = np.arange(4.0), np.array([0.0, 1, 1, 2])
    return [(np.delete(x, i), np.delete(y, i)) for i in range(4)]


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_in_the_gaussian_case_it_is_snr_over_one_plus_snr(noise):
    found = only(*gaussian(noise), options=QUICK)
    snr = noise**-2

    assert found.informativeness.value == pytest.approx(snr / (1 + snr), abs=0.03)
    assert found.gain.value == pytest.approx(1.0, abs=0.05)
    assert found.snr.value == pytest.approx(snr, rel=0.08)
    assert found.informativeness.low < snr / (1 + snr) < found.informativeness.high


def test_a_wrong_unit_spoils_i_but_not_snr():
    right, wrong = (only(*gaussian(1.0, gain=gain), options=QUICK) for gain in (1.0, 5.0))

    assert wrong.informativeness.value == pytest.approx(right.informativeness.value / 5)
    assert wrong.snr.value == pytest.approx(right.snr.value)
    assert wrong.spearman == right.spearman


def test_the_fitted_unit_is_one_slope_for_all_groups_and_is_said_to_be_fitted():
    estimated = np.array([[1.0, 2.0], [2.0, 0.0], [3.0, 1.0]])
    actual = Effects(groups=("a", "b"), values=(10 * estimated)[None])
    found = informativeness(estimated, actual)

    assert unit(estimated, 10 * estimated) == pytest.approx(10)
    assert (found.fitted, found.scale) == (True, pytest.approx(10))
    assert [each.informativeness.value for each in found.groups] == pytest.approx([1, 1])
    assert not informativeness(estimated, actual, options=QUICK).fitted


def test_a_given_unit_is_applied_to_every_figure():
    doubled = InformativenessOptions(scale=2.0, resampling=QUICK.resampling)
    one = only([0, 2, 4, 6], [0, 1, 1, 2], options=QUICK)
    two = only([0, 1, 2, 3], [0, 1, 1, 2], options=doubled)

    assert two.informativeness.value == one.informativeness.value
    assert two.gain.value == one.gain.value
    assert two.mean_square_error == one.mean_square_error
    assert two.jackknife_low == one.jackknife_low


def test_scores_that_go_against_the_effects_have_no_unit():
    found = informativeness(-np.arange(5.0)[:, None], of(np.arange(5.0)))

    assert np.isnan([found.scale, found.groups[0].informativeness.value]).all()
    assert found.groups[0].spearman == pytest.approx(-1)


def test_a_price_weighs_queries_in_i_alone():
    x, y, price = np.arange(4.0), np.array([0.0, 1, 1, 2]), np.array([1.0, 1, 1, 3])
    plain, priced = only(x, y, options=QUICK), only(x, y, price=price, options=QUICK)

    expected = np.cov(x * price, y * price)
    assert priced.informativeness.value == pytest.approx(expected[0, 1] / expected[0, 0])
    assert (priced.gain.value, priced.snr.value) == (plain.gain.value, plain.snr.value)


@pytest.mark.parametrize(
    ("estimated", "actual", "names"),
    [
        ([1.0], [1.0], ("informativeness", "gain", "snr")),
        ([0.1] * 3, [0, 1, 2], ("informativeness", "snr")),  # K is 0; their mean is not 0.1
        ([0, 1, 2], [0.1] * 3, ("gain", "snr")),
        ([], [], ("informativeness", "gain", "snr")),
    ],
)
def test_what_has_no_meaning_is_undefined(estimated, actual, names):
    found = only(estimated, actual, options=QUICK)

    for name in ("informativeness", "gain", "snr"):
        assert np.isnan(getattr(found, name).value) == (name in names)


def test_queries_that_are_not_finite_are_counted_and_left_out():
    found = only([0, 1, 2, 3, np.nan, 7], [0, 1, 1, 2, 5, np.inf], options=QUICK)

    assert (found.queries, found.undefined) == (4, 2)
    assert found.informativeness.value == pytest.approx(0.6)


def test_effects_are_paired_with_everything_by_seed():
    outcomes = [[[5.0, 1], [7, 1]], [[4, 1], [5, 3]], [[5, 0], [7, 0]]]  # (subset, seed, query)
    bank = bank_of([[1, 1], [0, 1], [1, 0]], outcomes, "without", ("full", "a", "b"))
    found = effects(bank)

    assert found.groups == ("a", "b")
    assert found.values.tolist() == [[[1, 0], [0, 1]], [[2, 0], [-2, 1]]]


def test_a_bank_without_a_training_on_everything_is_refused():
    with pytest.raises(PlanRefused, match="no training on everything"):
        effects(bank_of([[1, 0]], [[[1.0]]]))


def test_estimates_are_summed_over_groups_in_the_order_asked_for():
    scores = np.array([[1.0, 2, 4, 8]])

    assert estimates(scores, ["b", "a", "b", "c"], ("c", "b")).tolist() == [[8, 5]]


def test_a_score_that_is_not_finite_spoils_its_own_group_only():
    scores = np.array([[1.0, np.nan, 4, np.inf]])

    found = estimates(scores, ["b", "a", "b", "c"], ("a", "b", "c"))
    np.testing.assert_array_equal(found, [[np.nan, 5, np.inf]])


def test_how_well_the_truth_repeats_is_known_from_its_seeds():
    random = np.random.default_rng(0)
    signal = random.normal(size=(1, 3000, 1))
    values = signal + random.normal(size=(4, 3000, 1))
    found = informativeness(signal[0], Effects(groups=("a",), values=values), options=QUICK)
    alone = informativeness(signal[0], Effects(groups=("a",), values=values[:1]), options=QUICK)

    assert found.groups[0].reliability == pytest.approx(0.8, abs=0.03)  # 1 / (1 + 1/4)
    assert np.isnan(alone.groups[0].reliability)


def test_intervals_repeat_by_seed_and_narrow_with_queries():
    few, many = (only(*gaussian(1.0, queries=n), options=QUICK) for n in (30, 3000))
    again = only(*gaussian(1.0, queries=30), options=QUICK)

    assert (few.informativeness, few.gain, few.snr) == (
        again.informativeness,
        again.gain,
        again.snr,
    )
    widths = [each.informativeness.high - each.informativeness.low for each in (few, many)]
    assert widths[0] > 4 * widths[1]
    assert few.informativeness.level == 0.95
