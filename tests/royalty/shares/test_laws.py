"""What must hold of the mappings, and the counter-examples of those of which it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.curvature import damped_grams, precondition
from attribution.evidence import EvidenceOptions, Scored, gather
from royalty.comparison import compare_mappings, pay_by_each
from royalty.shares import MAPPINGS, WorkEvidence
from tests.oracle import PPB
from tests.royalty.works import by_recording, by_work, evidences, work

SPANS = 8


def invented(data: st.DataObject, name: str) -> list[WorkEvidence]:
    """Evidence that the mapping does not refuse."""
    return data.draw(evidences(lowest=0 if name.startswith("raw") else -5))


each_mapping = pytest.mark.parametrize("name", MAPPINGS)
few = settings(max_examples=40, deadline=None)


# For every evidence.


@each_mapping
@few
@given(data=st.data())
def test_shares_sum_to_the_whole_and_hold_to_their_intervals_in_canonical_order(name, data) -> None:
    shares = MAPPINGS[name](invented(data, name))

    assert sum(each.ppb for each in shares) == PPB
    assert all(0 <= each.low_ppb <= each.ppb <= each.high_ppb <= PPB for each in shares)
    assert shares[-1].recording is None
    names = [each.recording for each in shares[:-1]]
    assert names == sorted(set(names))


@each_mapping
@few
@given(data=st.data(), random=st.randoms())
def test_the_order_of_works_changes_nothing(name, data, random) -> None:
    evidence = invented(data, name)
    shuffled = random.sample(evidence, k=len(evidence))

    assert MAPPINGS[name](shuffled) == MAPPINGS[name](evidence)


@each_mapping
@few
@given(data=st.data(), random=st.randoms())
def test_works_under_each_others_names_get_what_their_evidence_says(name, data, random) -> None:
    evidence = invented(data, name)
    names = [each.work for each in evidence]
    others = dict(zip(names, random.sample(names, k=len(names)), strict=True))
    renamed = [
        replace(
            each,
            work=others[each.work],
            scores={f"{others[each.work]}/{key[-1]}": score for key, score in each.scores.items()},
        )
        for each in evidence
    ]

    before, after = by_work(MAPPINGS[name](evidence)), by_work(MAPPINGS[name](renamed))
    for mine, other in others.items():  # an odd billionth goes by the order of ids
        assert abs(before.get(mine, 0) - after.get(other, 0)) <= 1


@each_mapping
@few
@given(data=st.data())
def test_dividing_a_work_into_more_recordings_gains_it_exactly_nothing(name, data) -> None:
    first, *others = invented(data, name)
    key, score = min(first.scores.items())
    pieces = {f"{key}a": score / 4, f"{key}b": score - score / 4}
    kept = {each: score for each, score in first.scores.items() if each != key}
    cut = replace(first, scores=kept | pieces)

    before, after = MAPPINGS[name]([first, *others]), MAPPINGS[name]([cut, *others])
    if name == "gated_shrunk":  # floors each recording's low end
        assert by_work(after).get("w0", 0) <= by_work(before).get("w0", 0) + 3
    else:
        assert by_work(after) == by_work(before)


@few
@given(evidence=evidences())
def test_dividing_an_owner_gains_exactly_nothing_under_any_mapping(evidence) -> None:
    recordings = sorted(key for each in evidence for key in each.scores)
    whole = dict.fromkeys(recordings, "owner")
    half = {key: f"owner-{place % 2}" for place, key in enumerate(recordings)}
    paid = pay_by_each({"t": evidence}, {"t": 1})

    one, two = compare_mappings(paid, whole), compare_mappings(paid, half)
    for name, compared in one.items():
        assert compared.parts["owner"] == sum(two[name].parts.values()) == 1


@each_mapping
@few
@given(data=st.data(), power=st.integers(-8, 8))
def test_the_unit_of_scores_does_not_matter(name, data, power) -> None:
    evidence = invented(data, name)
    unit = 2.0**power
    scaled = [replace(each, replicates=[r * unit for r in each.replicates]) for each in evidence]
    normal = all(abs(x) > 1e-200 or x == 0 for each in evidence for x in each.replicates)

    assert MAPPINGS[name](scaled) == MAPPINGS[name](evidence) or not normal


@pytest.mark.parametrize("name", [name for name in MAPPINGS if not name.startswith("absolute")])
@few
@given(data=st.data(), more=st.floats(0, 5))
def test_a_work_that_scores_more_never_gets_less(name, data, more) -> None:
    first, *others = invented(data, name)
    raised = replace(first, replicates=[value + more for value in first.replicates])

    before, after = MAPPINGS[name]([first, *others]), MAPPINGS[name]([raised, *others])
    assert by_work(after).get("w0", 0) >= by_work(before).get("w0", 0) - 3


def test_dropping_the_sign_pays_for_harm() -> None:
    def paid(score: float) -> int:
        return by_work(MAPPINGS["absolute_proportional"]([work("a", score), work("b", 1.0)]))["a"]

    assert paid(-3.0) > paid(-1.0)


# A work registered as two.

FILL = {f"x{place:02d}": 1.0 for place in range(60)}  # the cut is at the second best
DIVIDED = [  # scores of the others, of a work, and of the two it is divided into
    ("relu_proportional", {"b": 9.0}, 1.0, (3.0, -2.0)),
    ("absolute_proportional", {"b": 9.0}, 1.0, (3.0, -2.0)),
    ("relu_soft_power", {"b": 9.0}, 1.0, (3.0, -2.0)),
    ("shift_proportional", {"b": 9.0, "c": -9.0}, 2.0, (1.0, 1.0)),
    *(
        (f"{negative}_{way}", FILL | {"b": 6.0}, 14.0, (7.0, 7.0))
        for negative in ("relu", "shift")
        for way in ("top_equal", "top_proportional", "inverse_rank")
    ),
]


@pytest.mark.parametrize(("name", "others", "whole", "pieces"), DIVIDED)
def test_who_divides_a_work_gains_under_every_published_mapping(
    name, others, whole, pieces
) -> None:
    rest = [work(key, score) for key, score in others.items()]
    divided = [work(f"w{place}", score) for place, score in enumerate(pieces)]

    before = by_work(MAPPINGS[name]([work("w", whole), *rest]))["w"]
    after = by_work(MAPPINGS[name]([*divided, *rest]))
    assert after.get("w0", 0) + after.get("w1", 0) > 1.1 * before


def test_every_published_mapping_that_pays_for_noise_has_its_counter_example() -> None:
    safe = {"gated", "gated_shrunk", "raw_proportional"}  # raw refuses where a piece falls below 0

    assert {name for name, *_ in DIVIDED} == set(MAPPINGS) - safe


@dataclass(frozen=True)
class World:
    """Scores of works and placebos, of which a few works have an effect on the track."""

    train: np.ndarray  # (span, item)
    items: np.ndarray  # of each work
    placebo: np.ndarray
    held: np.ndarray
    effects: np.ndarray

    def evidence(self, names: list[str] | None = None) -> list[WorkEvidence]:
        """Hold the works against the placebos; `names` are the works of the items."""
        found = gather(
            _labelled(self.train, names or labels(self.items, "w")),
            _labelled(self.placebo, labels(self.held, "p")),
            EvidenceOptions(replicates=200),
        )
        return [
            WorkEvidence(
                work=each.work,
                cleared=each.cleared,
                replicates=found.replicates[:, place].tolist(),
                scores=each.recordings,
                mean=each.mean,
            )
            for place, each in enumerate(found.works)
        ]


def labels(items: np.ndarray, prefix: str) -> list[str]:
    return [f"{prefix}{work:03d}" for work, count in enumerate(items) for _ in range(count)]


def _labelled(values: np.ndarray, names: list[str]) -> Scored:
    return Scored(values=values[None], recordings=tuple(names), works=tuple(names))


def simulated(seed: int, works: int = 60, real: int = 6) -> World:
    """Works of 2 to 8 items with noise between works, between items and between spans."""
    random = np.random.default_rng(seed)

    def noise(count: int) -> tuple[np.ndarray, np.ndarray]:
        items = random.integers(2, 9, count)
        lasting = np.repeat(random.normal(size=count), items) + random.normal(size=items.sum())
        return 0.7 * (
            lasting / SPANS + random.normal(size=(SPANS, len(lasting))) / SPANS**0.5
        ), items

    train, items = noise(works)
    placebo, held = noise(45)
    effects = np.zeros(works)
    effects[random.choice(works, real, replace=False)] = random.uniform(8, 40, real)
    train += np.repeat(effects / items / SPANS, items)
    return World(train=train, items=items, placebo=placebo, held=held, effects=effects)


def paid_to(shares, name: str) -> float:
    return sum(each.ppb for each in shares if (each.recording or "").startswith(name)) / PPB


@pytest.mark.parametrize("kind", ["with an effect", "of noise"])
def test_who_registers_a_work_as_two_gains_less_than_one_percent_by_the_gate(kind) -> None:
    before, after = [], []
    for seed in range(40):
        world = simulated(seed)
        chosen = np.flatnonzero((world.effects > 0) == (kind == "with an effect"))
        name = f"w{chosen[seed % len(chosen)]:03d}"
        names = labels(world.items, "w")
        two = [n + "ab"[place % 2] if n == name else n for place, n in enumerate(names)]
        before.append(paid_to(MAPPINGS["gated"](world.evidence(names)), name))
        after.append(paid_to(MAPPINGS["gated"](world.evidence(two)), name))

    gain = np.mean(after) - np.mean(before)
    print(f"\na work {kind}: {np.mean(before):.2%} as one, {np.mean(after):.2%} as two")  # noqa: T201
    assert gain <= 0.01 * np.mean(before)
    assert (np.mean(before) > 0.05) == (kind == "with an effect")


# Placebos and noise.


def test_where_nothing_has_an_effect_the_gate_pays_hardly_anything_and_others_all() -> None:
    gated, relu = [], []
    for seed in range(30):
        evidence = simulated(seed, real=0).evidence()
        gated.append(1 - by_recording(MAPPINGS["gated"](evidence))[None] / PPB)
        relu.append(1 - by_recording(MAPPINGS["relu_proportional"](evidence))[None] / PPB)

    print(f"\nno effect: paid by gated {np.mean(gated):.1%}, relu_proportional {np.mean(relu):.0%}")  # noqa: T201
    assert np.mean(gated) < 0.05
    assert np.mean(relu) == 1


def test_a_work_that_was_never_trained_on_earns_nothing_within_its_interval() -> None:
    nothing, paid, by_relu = [], [], []
    for seed in range(30):
        world = simulated(seed)
        evidence = world.evidence()
        shares = {each.recording: each for each in MAPPINGS["gated"](evidence)}
        never = [f"w{place:03d}" for place in np.flatnonzero(world.effects == 0)]
        nothing += [key not in shares or shares[key].low_ppb == 0 for key in never]
        paid.append(sum(shares[key].ppb for key in never if key in shares) / PPB)
        noise = by_recording(MAPPINGS["relu_proportional"](evidence))
        by_relu.append(sum(noise.get(key, 0) for key in never) / PPB)

    print(f"\nnoise works: {np.mean(nothing):.1%} have an interval that holds 0, all together get "  # noqa: T201
          f"{np.mean(paid):.1%} by gated, {np.mean(by_relu):.1%} by relu_proportional")  # fmt: skip
    assert np.mean(nothing) > 0.95
    assert np.mean(paid) < 0.03
    assert np.mean(by_relu) > 0.15


# Copies.


@pytest.mark.parametrize("copies", [2, 10, 200])
def test_copies_of_an_item_together_earn_as_the_duplicate_law_says(copies) -> None:
    """r / (1 + (r - 1) h) times one copy, h its leverage as one of the rows; the damping fixed."""
    random = torch.Generator().manual_seed(0)
    rows, query = (torch.randn(count, 40, generator=random).double() for count in (300, 1))
    item = 0.5 * torch.randn(1, 40, generator=random).double()

    def solved(repeated: int, vectors: torch.Tensor) -> torch.Tensor:
        held = torch.cat([rows, item.expand(repeated, -1)])
        damping = 40.0 / float((held**2).sum() / len(held))  # a ridge is relative to the rows
        return precondition(damped_grams(lambda: [held], [slice(0, 40)], damping), vectors)

    one = float(solved(1, query) @ item.T)
    leverage = float(solved(1, item) @ item.T)
    together = copies * float(solved(copies, query) @ item.T)

    assert together == pytest.approx(one * copies / (1 + (copies - 1) * leverage), rel=1e-9)
    assert together < (1 - leverage / 2) * copies * one  # a dot product pays each copy in full
