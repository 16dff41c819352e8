import dataclasses

import numpy as np
import pytest

from attribution.errors import TooFewPlacebos
from attribution.evidence import (
    EvidenceOptions,
    Scored,
    benjamini_hochberg,
    explain_unattributed,
    gather,
    scored,
    tail_probability,
)
from attribution.methods import bilinear
from tests.attribution.engine_world import VOCABULARY, make_rows

SPANS = 12


@dataclasses.dataclass(frozen=True)
class Simulated:
    """Scores whose truth is known: the effect of each work on the track."""

    train: Scored
    placebo: Scored
    effects: np.ndarray


def simulate(seed, works=220, real=15, placebos=45, shape="normal"):
    """Works of 1 to 8 items; a spread between works, one within, effects of 2 to 10 spreads."""
    random = np.random.default_rng(seed)
    train, items = noise(random, works, shape)
    placebo, held = noise(random, placebos, shape)
    effects = np.zeros(works)
    chosen = random.choice(works, real, replace=False)
    effects[chosen] = random.uniform(2, 10, real) * np.hypot(4.5 * 0.7, 4.5**0.5)
    uneven = 1 + 0.7 * random.normal(
        size=(SPANS, works)
    )  # a work helps some spans more than others
    train += np.repeat(effects / items / SPANS * uneven, items, axis=1)
    return Simulated(label(train, items, "w"), label(placebo, held, "p"), effects)


def noise(random, works, shape):
    draw = {
        "normal": random.standard_normal,
        "skewed": lambda size: (random.gamma(2, 1, size=size) - 2) / 2**0.5,
    }[shape]
    items = random.integers(1, 9, works)
    total = items.sum()
    lasting = np.repeat(draw(works) * 0.7, items) + draw(total) * 0.5**0.5
    return lasting / SPANS + random.normal(size=(SPANS, total)) * (0.5 / SPANS) ** 0.5, items


def label(values, items, prefix):
    names = [f"{prefix}{work:03d}" for work, count in enumerate(items) for _ in range(count)]
    return scored((values + 2.0 / SPANS)[None], names)  # a null that is not zero


def shares(excess, cleared):
    """The mapping `gated`, as the rules apply it."""
    kept = np.maximum(excess[..., cleared], 0)
    rest = np.maximum(excess[..., ~cleared].sum(-1, keepdims=True), 0)
    return kept / np.maximum(kept.sum(-1, keepdims=True) + rest, 1e-30)


def column(evidence, name):
    return np.array([getattr(work, name) for work in evidence.works])


def quick(seed):
    return EvidenceOptions(replicates=400, seed=seed)


def test_stated_90_percent_intervals_cover_known_shares_in_80_to_97_percent_of_cases():
    covered, false_pay, unattributed = [], [], []
    for seed in range(40):
        world = simulate(seed)
        evidence = gather(world.train, world.placebo, quick(seed))
        cleared = column(evidence, "cleared")
        paid = shares(column(evidence, "mean"), cleared)
        low, high = np.quantile(shares(evidence.replicates, cleared), [0.05, 0.95], axis=0)
        truth, real = (world.effects / world.effects.sum())[cleared], world.effects[cleared] > 0
        covered += ((low <= truth) & (truth <= high))[real].tolist()
        false_pay.append(paid[~real].sum())
        unattributed.append(1 - paid.sum())

    print(f"\n90 % share intervals cover {np.mean(covered):.1%} of {len(covered)} known shares;")  # noqa: T201
    print(f"paid to noise {np.mean(false_pay):.1%}, unattributed {np.mean(unattributed):.1%}")  # noqa: T201
    assert 0.80 <= np.mean(covered) <= 0.97
    assert np.mean(false_pay) < 0.03


def test_the_interval_of_a_work_covers_its_effect_as_often_as_it_says():
    covered = []
    for seed in range(25):
        world = simulate(seed)
        evidence = gather(world.train, world.placebo, quick(seed))
        low, high = column(evidence, "low"), column(evidence, "high")
        covered.append(np.mean((low <= world.effects) & (world.effects <= high)))

    print(f"\n90 % intervals of works cover {np.mean(covered):.1%} of known effects")  # noqa: T201
    assert 0.85 <= np.mean(covered) <= 0.97


@pytest.mark.parametrize(("shape", "noise_pay_max"), [("normal", 0.10), ("skewed", 0.25)])
def test_without_any_effect_hardly_anything_is_paid_where_the_bound_alone_would_pay_most(
    shape, noise_pay_max
):
    gated, bound_only = [], []
    for seed in range(40):
        world = simulate(seed, real=0, shape=shape)
        evidence = gather(world.train, world.placebo, quick(seed))
        gated.append(shares(column(evidence, "mean"), column(evidence, "cleared")).sum())
        bound_only.append(shares(column(evidence, "mean"), column(evidence, "low") > 0).sum())

    figures = f"paid {np.mean(gated):.1%}; by the bound alone {np.mean(bound_only):.1%}"
    print(f"\n{shape} noise: {figures}")  # noqa: T201
    assert np.mean(gated) < noise_pay_max
    assert np.mean(bound_only) > 0.5


GATES = {
    "bound alone": lambda p: np.ones(len(p), bool),
    "placebo-bh-1": lambda p: benjamini_hochberg(p, 0.05),
    "Bonferroni": lambda p: p <= 0.05 / len(p),
}


def judged(real):
    """What each gate does in 25 worlds: works cleared, money paid to noise, shares covered."""
    found = {name: [] for name in GATES}
    for seed in range(25):
        world = simulate(seed, real=real)
        evidence = gather(world.train, world.placebo, quick(seed))
        above = column(evidence, "low") > 0  # every gate asks for this as well
        for name, gate in GATES.items():
            found[name].append(verdict(world, evidence, gate(column(evidence, "p")) & above))
    return {name: np.sum(verdicts, axis=0) / 25 for name, verdicts in found.items()}


def verdict(world, evidence, cleared):
    effects = world.effects[cleared]
    known = effects > 0
    paid_to_noise = shares(column(evidence, "mean"), cleared)[~known].sum()
    low, high = np.quantile(shares(evidence.replicates, cleared), [0.05, 0.95], axis=0)
    truth = effects / max(world.effects.sum(), 1e-30)
    covered = (low <= truth) & (truth <= high) & known
    return (~known).sum(), known.sum(), paid_to_noise, covered.sum()


def test_the_gate_pays_noise_less_than_the_bound_alone_and_finds_more_than_bonferroni():
    found, without = judged(real=15), judged(real=0)

    print()  # noqa: T201
    for name, (noise, known, false_pay, covered) in found.items():
        cleared = f"{noise:.2f} of 205 noise works cleared, {known:.1f} of 15 known ones"
        paid = f"noise paid {false_pay:.1%}, {without[name][2]:.1%} where no work has an effect"
        print(f"{name}: {cleared}; {paid}; {covered / known:.1%} of shares covered")  # noqa: T201
    bound, chosen, bonferroni = found.values()
    assert bound[0] > 20 * chosen[0]
    assert bound[2] > 5 * chosen[2]
    assert without["bound alone"][2] > 0.5
    assert without["placebo-bh-1"][2] < 0.1
    assert bound[3] / bound[1] < 0.80 <= chosen[3] / chosen[1] <= 0.97
    assert chosen[1] > bonferroni[1] + 1


def test_the_null_is_told_apart_from_the_spread_between_and_within_works():
    found = [gather(*pair(simulate(seed, placebos=400)), quick(0)).null for seed in range(5)]

    assert np.mean([null.mean for null in found]) == pytest.approx(2.0, abs=0.1)
    assert np.mean([null.between for null in found]) == pytest.approx(0.7, abs=0.1)
    assert np.mean([null.within for null in found]) == pytest.approx(1.0, abs=0.1)


def pair(world):
    return world.train, world.placebo


def test_a_large_effect_clears_and_its_recordings_share_its_score():
    world = simulate(3)
    halves = [f"{work}{'ab'[i % 2]}" for i, work in enumerate(world.train.recordings)]
    work_of = dict(zip(halves, world.train.works, strict=True))
    train = scored(world.train.values, halves, work_of)
    evidence = gather(train, world.placebo)
    best = max(evidence.works, key=lambda work: work.mean)

    assert best.cleared
    assert world.effects[evidence.works.index(best)] > 0
    null = best.items * evidence.null.mean
    assert sum(best.recordings.values()) == pytest.approx(best.mean + null)
    assert set(best.recordings) <= {f"{best.work}a", f"{best.work}b"}


def test_dividing_a_work_into_two_recordings_changes_nothing_for_the_work():
    world = simulate(4)
    halves = [f"{work}{'ab'[i % 2]}" for i, work in enumerate(world.train.recordings)]
    work_of = dict(zip(halves, world.train.works, strict=True))

    one = gather(world.train, world.placebo)
    two = gather(scored(world.train.values, halves, work_of), world.placebo)

    assert [(w.work, w.mean, w.low, w.cleared) for w in one.works] == [
        (w.work, w.mean, w.low, w.cleared) for w in two.works
    ]


def test_the_same_twice_gives_the_same_evidence_and_another_seed_another():
    world = simulate(5)
    one, two = gather(*pair(world)), gather(*pair(world))
    other = gather(*pair(world), EvidenceOptions(seed=1))

    assert one.works == two.works
    assert one.replicates.tobytes() == two.replicates.tobytes()
    assert one.replicates.dtype == np.float32
    assert one.replicates.tobytes() != other.replicates.tobytes()


def test_the_order_of_items_changes_nothing():
    world = simulate(6)
    turned = Scored(
        values=world.train.values[:, :, ::-1],
        recordings=world.train.recordings[::-1],
        works=world.train.works[::-1],
    )

    one, two = gather(*pair(world)), gather(turned, world.placebo)

    assert [w.work for w in one.works] == [w.work for w in two.works]
    np.testing.assert_allclose(column(one, "low"), column(two, "low"))


def test_scores_in_another_unit_give_the_same_decisions():
    world = simulate(7)
    train = dataclasses.replace(world.train, values=world.train.values * 1000)
    placebo = dataclasses.replace(world.placebo, values=world.placebo.values * 1000)

    one, two = gather(*pair(world)), gather(train, placebo)

    assert column(one, "cleared").tolist() == column(two, "cleared").tolist()
    np.testing.assert_allclose(column(one, "mean") * 1000, column(two, "mean"))


def test_sketch_seeds_that_disagree_widen_the_interval():
    world = simulate(8)
    random = np.random.default_rng(0)
    apart = random.normal(size=(2, 1, world.train.values.shape[2]))
    apart -= apart.mean(0)
    train = dataclasses.replace(world.train, values=world.train.values + apart)
    placebo = dataclasses.replace(world.placebo, values=np.repeat(world.placebo.values, 2, axis=0))

    agreed, disagreed = gather(*pair(world)), gather(train, placebo)

    np.testing.assert_allclose(column(agreed, "mean"), column(disagreed, "mean"), atol=1e-8)
    assert column(disagreed, "error").mean() > 1.5 * column(agreed, "error").mean()


def over_runs(world, seed, runs=3, seeds=2):
    """Repeat the training: every item strays in each run, and an effect by a third of itself."""
    random = np.random.default_rng(1000 + seed)
    strays = 1 + 0.33 * random.normal(size=(runs, 1, len(world.effects)))
    _, items = np.unique(world.train.works, return_counts=True)
    effects = np.repeat(world.effects * (strays - 1) / items / SPANS, items, axis=2)
    return dataclasses.replace(
        world,
        train=repeated(world.train, effects, random, seeds),
        placebo=repeated(world.placebo, np.zeros((runs, 1, 1)), random, seeds),
    )


def repeated(one, effects, random, seeds):
    runs = len(effects)
    by_run = effects + random.normal(size=(runs, 1, one.values.shape[2])) * 0.7 / SPANS
    by_seed = random.normal(size=(runs, seeds, 1, one.values.shape[2])) * 0.2 / SPANS
    values = (one.values + by_run)[:, None] + by_seed
    names = [f"run-{run}" for run in range(runs) for _ in range(seeds)]
    return scored(values.reshape(runs * seeds, *values.shape[2:]), one.recordings, runs=names)


def of_first_run(one):
    return dataclasses.replace(one, values=one.values[:2], runs=one.runs[:2])


def covered_shares(train, placebo, effects, seed):
    """Tell of each work with an effect that clears whether its share lies in its interval."""
    evidence = gather(train, placebo, quick(seed))
    cleared = column(evidence, "cleared")
    low, high = np.quantile(shares(evidence.replicates, cleared), [0.05, 0.95], axis=0)
    truth = (effects / effects.sum())[cleared]
    return ((low <= truth) & (truth <= high))[effects[cleared] > 0].tolist()


def test_intervals_over_three_runs_cover_what_training_does_on_average_and_one_run_does_not():
    over, within, works = [], [], []
    for seed in range(40):
        world = over_runs(simulate(seed), seed)
        train, placebo, real = world.train, world.placebo, world.effects > 0
        over += covered_shares(train, placebo, world.effects, seed)
        within += covered_shares(of_first_run(train), of_first_run(placebo), world.effects, seed)
        evidence = gather(train, placebo, quick(seed))
        low, high = column(evidence, "low")[real], column(evidence, "high")[real]
        works += ((low <= world.effects[real]) & (world.effects[real] <= high)).tolist()

    figures = (
        f"shares {np.mean(over):.1%}, works {np.mean(works):.1%}; one run {np.mean(within):.1%}"
    )
    print(f"\n90 % intervals over three runs cover: {figures}")  # noqa: T201
    assert 0.80 <= np.mean(over) <= 0.97
    assert 0.80 <= np.mean(works) <= 0.97
    assert np.mean(within) < np.mean(over) - 0.05


def test_a_mean_over_runs_strays_as_student_says():
    found = []
    for seed in range(400):
        random = np.random.default_rng(seed)
        values = np.repeat(random.normal(size=(3, 1, 1)), 2, axis=1) / 2  # runs that differ
        train = scored(values, ["w"], runs=["a", "b", "c"])
        held = scored(np.zeros((3, 2, 45)), [f"p{i}" for i in range(45)], runs=train.runs)
        (work,) = gather(train, held, quick(seed)).works
        found.append(work.low <= 0 <= work.high)

    assert np.mean(found) == pytest.approx(0.90, abs=0.05)


def test_the_label_says_over_how_many_runs_and_two_are_one():
    world = over_runs(simulate(0), 0)
    two = [dataclasses.replace(s, values=s.values[:4], runs=s.runs[:4]) for s in pair(world)]
    unnamed = [dataclasses.replace(s, runs=()) for s in two]

    assert gather(*pair(world), quick(0)).label == "over 3 runs"
    assert gather(*two, quick(0)).label == "within one run"
    assert gather(*two, quick(0)).works == gather(*unnamed, quick(0)).works


def test_masks_of_one_model_are_not_called_runs():
    world = over_runs(simulate(0), 0)
    masks = [
        scored(one.values, one.recordings, runs=[f"run-0/mask-{i}" for i in range(6)])
        for one in pair(world)
    ]

    assert gather(*masks, quick(0)).label == "within one run"


def test_runs_that_do_not_fit_the_scores_are_refused():
    for runs in (["a"], ["a", "b", "b"], ["a", "b", "c", "d"]):
        with pytest.raises(ValueError, match="3 replicates are not shared equally"):
            scored(np.zeros((3, 1, 1)), ["w"], runs=runs)


def test_too_few_placebos_are_refused_unless_asked_for():
    world = simulate(9, placebos=12)

    with pytest.raises(TooFewPlacebos, match="12 placebo works"):
        gather(*pair(world))
    assert gather(*pair(world), EvidenceOptions(placebos_min=10)).null.works == 12


def test_placebos_without_any_spread_leave_no_doubt_and_no_division_by_zero():
    flat = label(np.zeros((SPANS, 45)), np.ones(45, int), "p")
    effects = np.array([0.0, 1.0, -1.0])
    train = scored(np.full((1, SPANS, 3), 2.0 / SPANS) + effects, ["a", "b", "c"])

    evidence = gather(train, flat)

    assert column(evidence, "cleared").tolist() == [False, True, False]


def test_benjamini_and_hochberg_choose_as_in_their_paper():
    # their section 3.2
    small = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p = np.array([*small, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0])

    assert benjamini_hochberg(p, 0.05).sum() == 4
    assert benjamini_hochberg(p[::-1].copy(), 0.05)[-4:].all()
    assert not benjamini_hochberg(np.ones(5), 0.05).any()


def test_a_skewed_or_heavy_tailed_null_asks_for_more():
    random = np.random.default_rng(0)
    plain = random.normal(size=45)
    skewed = random.gamma(1.0, size=45) - 1
    heavy = random.standard_t(3, size=45)
    at_three = [tail_probability(np.array([3.0]), r)[0] for r in (plain, skewed, heavy)]

    assert at_three[0] < 0.01
    assert at_three[1] > 2 * at_three[0]
    assert at_three[2] > 2 * at_three[0]


def test_why_so_much_is_unattributed_is_said_in_plain_words():
    nothing = explain_unattributed(gather(*pair(simulate(0, real=0))))
    something = explain_unattributed(gather(*pair(simulate(1))))

    assert nothing.startswith("None of 220 works stands out from what 45 works")
    assert "of 220 works stand out" in something


def test_a_near_copy_of_a_trained_work_earns_and_a_placebo_earns_nothing(index, world):
    fitted = bilinear.fit(index, world.task, world.checkpoints)
    tokens = world.train.tensors["tokens"][30:33].clone()  # the work w010
    tokens[:, 11] = (tokens[:, 11] + 5) % VOCABULARY
    scores = bilinear.scores(fitted, make_rows(tokens, "q", 3))

    evidence = gather(
        scored(scores.train, world.train.owners), scored(scores.placebo, world.placebo.owners)
    )

    ranked = sorted(evidence.works, key=lambda work: -work.mean)
    assert ranked[0].work == "w010"
    assert ranked[0].cleared
    assert shares(column(evidence, "mean"), column(evidence, "cleared"))[0] > 0


def test_a_placebo_held_against_the_others_earns_nothing_within_its_interval(index, world):
    fitted = bilinear.fit(index, world.task, world.checkpoints)
    scores = bilinear.scores(fitted, world.train.take([0, 1, 2, 45, 46, 47]))
    owners = np.array(world.placebo.owners)
    inside = []
    for owner in np.unique(owners):
        own = owners == owner
        evidence = gather(
            scored(scores.placebo[:, :, own], owners[own]),
            scored(scores.placebo[:, :, ~own], owners[~own]),
            quick(0),
        )
        inside.append(evidence.works[0].low <= 0 <= evidence.works[0].high)

    print(f"\nintervals of {len(inside)} placebos that hold zero: {np.mean(inside):.1%}")  # noqa: T201
    assert 0.80 <= np.mean(inside) <= 0.99
