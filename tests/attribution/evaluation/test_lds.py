import numpy as np
import pytest

from attribution.evaluation.estimate import Resampling
from attribution.evaluation.lds import lds, lds_difference
from attribution.evaluation.plan import Drawing, by_item
from tests.attribution.evaluation.retraining_world import bank_of

MASKS = [[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
QUICK = Resampling(replicates=60)


def outcomes(columns):
    """Put one outcome a subset for each query: → (subset, 1 seed, query)."""
    return np.array(columns, float).T[:, None]


def noisy(seed, noise, seeds=2, shape=(64, 30), error=0.0):
    """Truth linear in rows, measured with noise: its reliability is known."""
    random = np.random.default_rng(seed)
    subsets, queries = shape
    masks = by_item(40, Drawing(subsets=subsets)).masks
    helps = random.normal(size=(queries, 40))
    means = masks @ helps.T
    means = (means - means.mean(0)) / means.std(0)
    chance = random.normal(size=(subsets, seeds, queries)) * noise
    return helps + error * random.normal(size=helps.shape), bank_of(masks, means[:, None] + chance)


def test_lds_by_hand():
    # sums 3 4 6 7 against 1 2 4 3: ranks 1 2 3 4 and 1 2 4 3, so 0.8; reversed, -0.8
    scores = np.array([[1.0, 2, 3, 4], [4, 3, 2, 1]])
    found = lds(scores, bank_of(MASKS, outcomes([[1, 2, 4, 3], [1, 2, 4, 3]])), QUICK)

    assert found.per_query == pytest.approx([0.8, -0.8])
    assert found.estimate.value == pytest.approx(0.0)
    assert (found.subsets, found.seeds, found.undefined) == (4, 1, 0)


def test_seeds_are_averaged_before_ranking():
    found = lds(
        np.array([[1.0, 2, 3, 4]]),
        bank_of(MASKS, [[[0.0], [2]], [[4], [0]], [[4], [4]], [[3], [3]]]),  # means 1 2 4 3
        QUICK,
    )

    assert found.estimate.value == pytest.approx(0.8)


def test_queries_without_a_correlation_are_counted_and_left_out_of_the_mean():
    scores = np.array([[1.0, 2, 3, 4], [0.1, 0.1, 0.1, 0.1], [1, np.nan, 3, 4], [1, 2, 3, 4]])
    bank = bank_of(MASKS, outcomes([[1, 2, 4, 3]] * 3 + [[5, 5, 5, 5]]))
    found = lds(scores, bank, QUICK)

    assert found.undefined == 3
    np.testing.assert_array_equal(np.isnan(found.per_query), [False, True, True, True])
    assert found.estimate.value == pytest.approx(0.8)


def test_without_any_defined_query_there_is_no_figure():
    found = lds(np.ones((2, 4)), bank_of(MASKS, outcomes([[1, 2, 4, 3]] * 2)), QUICK)

    assert found.undefined == 2
    assert np.isnan([found.estimate.value, found.estimate.low, found.ceiling.value]).all()


def test_equal_scores_foretell_nothing_though_their_sums_are_rounded():
    masks = by_item(384, Drawing(subsets=64)).masks
    truth = np.random.default_rng(0).normal(size=(64, 1, 3))

    assert lds(np.full((3, 384), 0.1), bank_of(masks, truth), QUICK).undefined == 3


@pytest.mark.parametrize(("noise", "seeds"), [(0.5, 2), (1.0, 3), (1.0, 4), (2.0, 6)])
def test_the_ceiling_is_what_perfect_scores_reach(noise, seeds):
    scores, bank = noisy(0, noise, seeds)
    found = lds(scores, bank, QUICK)

    # Pearson's ceiling is 1 / sqrt(1 + noise² / seeds); Spearman's lies a little lower.
    pearson = (1 + noise**2 / seeds) ** -0.5
    assert found.ceiling.value == pytest.approx(6 / np.pi * np.arcsin(pearson / 2), abs=0.03)
    assert found.ceiling.value == pytest.approx(found.estimate.value, abs=0.03)
    assert found.relative.low < 1 < found.relative.high


def test_one_seed_has_no_ceiling():
    scores, bank = noisy(0, 1.0, seeds=1)
    found = lds(scores, bank, QUICK)

    assert np.isnan([found.ceiling.value, found.relative.value]).all()
    assert not np.isnan(found.estimate.low)


def test_truth_that_is_all_noise_has_a_ceiling_near_zero():
    random = np.random.default_rng(0)
    masks = by_item(40, Drawing(subsets=64)).masks
    found = lds(
        random.normal(size=(200, 40)), bank_of(masks, random.normal(size=(64, 2, 200))), QUICK
    )

    assert found.ceiling.value < 0.25
    assert found.estimate.low < 0 < found.estimate.high


def test_the_interval_holds_the_figure_of_far_more_subsets_and_queries():
    scores, bank = noisy(1, 1.0, shape=(400, 100), error=1.0)
    truth = lds(scores, bank, Resampling(replicates=2)).estimate.value
    held, widths = 0, []
    for seed in range(15):
        scores, bank = noisy(seed + 2, 1.0, shape=(48, 20), error=1.0)
        found = lds(scores, bank, QUICK).estimate
        held += found.low <= truth <= found.high
        widths.append(found.high - found.low)

    print(f"\n90 % intervals held the figure of a far larger bank in {held} of 15 cases")  # noqa: T201
    assert held >= 12
    assert np.mean(widths) < 0.3


def test_more_queries_and_more_subsets_narrow_the_interval():
    def width(subsets, queries):
        scores, bank = noisy(3, 1.0, shape=(subsets, queries), error=2.0)
        found = lds(scores, bank, QUICK).estimate
        return found.high - found.low

    assert width(16, 10) > 1.3 * width(64, 10) > 1.3 * width(64, 80)


def test_two_methods_are_compared_on_the_same_draws():
    scores, bank = noisy(4, 1.0)
    worse = scores + np.random.default_rng(0).normal(size=scores.shape)
    better = lds_difference(scores, worse, bank, QUICK).estimate

    one, other = (lds(each, bank, QUICK).per_query for each in (scores, worse))
    assert better.value == pytest.approx((one - other).mean())
    assert better.low > 0
    assert lds_difference(scores, scores, bank, QUICK).estimate.high == 0


def test_a_query_that_one_of_two_methods_leaves_undefined_is_counted():
    scores, bank = noisy(4, 1.0)
    other = scores.copy()
    other[3, 5] = np.nan

    assert lds_difference(scores, other, bank, QUICK).undefined == 1
    assert lds_difference(scores, other, bank, QUICK).estimate.value == 0


def test_how_far_the_size_of_a_subset_alone_foretells_outcomes_is_said():
    masks = [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    uneven = lds(np.eye(4)[:1], bank_of(masks, outcomes([[1, 2, 3, 4]])), QUICK)
    even = lds(np.eye(4)[:1], bank_of(MASKS, outcomes([[1, 2, 3, 4]])), QUICK)

    assert uneven.size_alone == pytest.approx(1.0)
    assert np.isnan(even.size_alone)


def test_the_same_seed_gives_the_same_interval_and_another_another():
    scores, bank = noisy(5, 1.0, error=1.0)
    one, two = (lds(scores, bank, QUICK) for _ in range(2))
    other = lds(scores, bank, Resampling(replicates=60, seed=1))

    assert one.estimate == two.estimate
    assert one.estimate != other.estimate
