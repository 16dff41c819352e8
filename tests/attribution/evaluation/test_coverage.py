import numpy as np
import pytest

from attribution.evaluation.coverage import actual_shares, coverage, covered, gated
from attribution.evaluation.informativeness import Effects
from attribution.evaluation.simulation import DEPARTURES, Simulation, simulate
from attribution.evidence import EvidenceOptions
from royalty.shares import WorkEvidence
from royalty.shares import gated as paid

QUICK = EvidenceOptions(replicates=300)


@pytest.fixture(scope="module")
def found():
    names = ("as assumed", "common component", "heavy tails", "placebos lower than trained works")
    return {n: coverage(DEPARTURES[n], n, worlds=20, options=QUICK) for n in names}


@pytest.mark.parametrize("name", ["as assumed", "common component", "heavy tails"])
def test_stated_90_percent_intervals_cover_80_to_97_percent(found, name):
    shares, effects = found[name].shares, found[name].effects

    print(f"\n{name}: {shares.value:.1%} of shares [{shares.low:.1%}, {shares.high:.1%}]")  # noqa: T201
    assert 0.80 <= shares.value <= 0.97
    assert 0.80 <= effects.value <= 0.97
    assert shares.low < shares.value < shares.high


def test_most_works_with_an_effect_are_found_and_noise_is_hardly_paid(found):
    assert found["as assumed"].found.value > 0.7
    assert found["as assumed"].noise_paid < 0.03
    assert found["as assumed"].noise_cleared < 1


def test_placebos_that_are_not_like_trained_works_break_it_and_that_is_seen(found):
    assert found["placebos lower than trained works"].shares.value < 0.7


def test_worlds_are_made_by_their_seed():
    one, two, other = (simulate(Simulation(works=5, with_effect=1), s) for s in (1, 1, 2))

    assert (one.train.values == two.train.values).all()
    assert one.train.values.sum() != other.train.values.sum()


def test_noise_has_the_spread_that_was_asked_for():
    kept = Simulation(works=4000, with_effect=0, spans=3, seeds=2, by_seed=0.3)
    totals = simulate(kept, 0).train.values.sum(1)  # (seed, item)

    parts = [kept.between, kept.within, kept.by_span, kept.by_seed]
    assert totals.std() == pytest.approx(np.linalg.norm(parts), rel=0.03)
    assert (totals[0] - totals[1]).std() == pytest.approx(2**0.5 * kept.by_seed, rel=0.03)
    assert totals.mean() == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("shape", ["skewed", "heavy"])
def test_noise_of_another_shape_has_the_same_spread(shape):
    base = {"works": 8000, "with_effect": 0, "by_span": 0.0, "within": 0.0}
    totals = simulate(Simulation(shape=shape, **base), 1).train.values.sum(1)

    assert totals.std() == pytest.approx(0.7, rel=0.1)


def test_effects_are_what_the_scores_of_a_work_hold_beyond_noise():
    silent = {"between": 0.0, "within": 0.0, "by_span": 0.0}
    world = simulate(Simulation(works=4, with_effect=2, spans=4000, **silent), 3)
    works = np.array(world.train.works)
    excess = [
        (world.train.values.sum(1)[0] - 2.0)[works == name].sum() for name in np.unique(works)
    ]

    np.testing.assert_allclose(excess, world.effects, rtol=0.05, atol=1e-9)


def test_the_mapping_tested_is_the_one_that_pays():
    random = np.random.default_rng(0)
    excess, cleared = random.normal(size=(50, 6)) + 0.5, np.array([1, 0, 1, 1, 0, 0], bool)
    shares = paid(
        [
            WorkEvidence(work=f"w{i}", cleared=bool(c), replicates=column, scores={f"w{i}": 1.0})
            for i, (column, c) in enumerate(zip(excess.T.tolist(), cleared, strict=True))
        ]
    )

    expected = dict.fromkeys((f"w{i}" for i in range(6)), 0)
    expected |= {share.recording: share.ppb for share in shares if share.recording}
    np.testing.assert_allclose(
        gated(excess, cleared).mean(0) * 1e9, list(expected.values()), atol=1.5
    )


def test_worlds_that_differ_make_the_interval_of_a_rate_wider():
    alike = [np.array([True] * 8 + [False] * 2)] * 20
    apart = [np.ones(10, bool)] * 16 + [np.zeros(10, bool)] * 4
    one, other = covered(alike), covered(apart)

    assert one.value == other.value == 0.8
    assert other.high - other.low > 2.5 * (one.high - one.low)


def test_no_case_at_all_is_undefined():
    assert np.isnan(covered([np.zeros(0, bool)]).value)


def test_actual_shares_are_the_positive_effects_in_proportion():
    values = np.array([[[3.0, 1, -2], [-1, -1, 0]], [[3, 1, 0], [-1, -1, 0]]])

    found = actual_shares(Effects(groups=("a", "b", "c"), values=values))
    np.testing.assert_array_equal(found, [[0.75, 0.25, 0], [np.nan] * 3])
