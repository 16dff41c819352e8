from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royalty.errors import NothingToDivideAmong
from royalty.shares import GATED_VERSION, MAPPINGS, Share, WorkEvidence, freeze, gated
from tests.oracle import PPB

weights = st.floats(0, 1e6) | st.floats(0, 1e-300) | st.fractions(0, 10)


def work(id_: str, excess: float, *, cleared: bool = True, **other: object) -> WorkEvidence:
    values = {"replicates": [excess], "scores": {f"{id_}/1": 1.0}} | other
    return WorkEvidence(work=id_, cleared=cleared, **values)


def by_recording(shares: list[Share]) -> dict[str | None, int]:
    return {each.recording: each.ppb for each in shares}


@st.composite
def evidences(draw: st.DrawFn) -> list[WorkEvidence]:
    replicates = draw(st.integers(1, 25))
    numbers = st.floats(-5, 5)
    return [
        WorkEvidence(
            work=f"w{n}",
            cleared=draw(st.booleans()),
            replicates=draw(st.lists(numbers, min_size=replicates, max_size=replicates)),
            scores={f"w{n}/{i}": draw(numbers) for i in range(draw(st.integers(1, 3)))},
        )
        for n in range(draw(st.integers(1, 5)))
    ]


# Freezing.


@given(named=st.dictionaries(st.text(max_size=3), weights, max_size=6), rest=weights)
def test_frozen_shares_sum_to_the_whole_in_canonical_order(named, rest) -> None:
    whole = sum(map(Fraction, [*named.values(), rest]))
    if not whole:
        with pytest.raises(NothingToDivideAmong):
            freeze(named, rest)
        return

    frozen = freeze(named, rest)

    assert sum(frozen.values()) == PPB
    assert list(frozen) == [*sorted(named), None]
    assert all(
        abs(frozen[name] - PPB * Fraction(weight) / whole) < 1 for name, weight in named.items()
    )


def test_thirds_freeze_as_the_worked_example() -> None:
    frozen = freeze({"i1": 6.0, "i2": 3.0, "i3": 0.0}, 0.0)

    assert frozen == {"i1": 666_666_667, "i2": 333_333_333, "i3": 0, None: 0}


@given(named=st.dictionaries(st.text(max_size=3), weights, min_size=1), random=st.randoms())
def test_the_order_of_weights_changes_nothing(named, random) -> None:
    shuffled = list(named.items())
    random.shuffle(shuffled)

    assert freeze(dict(shuffled), 1.0) == freeze(named, 1.0)


@pytest.mark.parametrize("weight", [-1e-9, float("nan"), float("inf")])
def test_a_weight_that_is_no_weight_is_refused(weight) -> None:
    with pytest.raises(ValueError, match="the weight of r1 is"):
        freeze({"r1": weight}, 1.0)


# The gate.


def test_cleared_works_share_by_excess_and_uncleared_excess_is_unattributed() -> None:
    evidence = [work("a", 3.0), work("b", 1.0), work("c", 1.0, cleared=False)]

    shares = by_recording(gated(evidence))

    assert shares == {"a/1": 600_000_000, "b/1": 200_000_000, None: 200_000_000}


def test_uncleared_works_below_the_placebos_take_nothing_from_anyone() -> None:
    evidence = [
        work("a", 3.0),
        work("b", 1.0),
        work("c", 1.0, cleared=False),
        work("d", -9.0, cleared=False),
    ]

    assert by_recording(gated(evidence)) == {"a/1": 750_000_000, "b/1": 250_000_000, None: 0}


def test_what_nobody_clears_is_wholly_unattributed_with_certainty() -> None:
    (rest,) = gated([work("a", 3.0, cleared=False), work("b", -1.0, cleared=False)])

    assert rest == Share(recording=None, ppb=PPB, low_ppb=PPB, high_ppb=PPB)


def test_a_works_share_goes_to_its_recordings_by_positive_score() -> None:
    scores = {"r1": 3.0, "r2": 1.0, "r3": -8.0}

    shares = by_recording(gated([work("a", 1.0, scores=scores)]))

    assert shares == {"r1": 750_000_000, "r2": 250_000_000, "r3": 0, None: 0}


def test_a_work_whose_recordings_all_score_below_zero_is_divided_equally() -> None:
    shares = by_recording(gated([work("a", 1.0, scores={"r1": -1.0, "r2": -7.0})]))

    assert shares == {"r1": 500_000_000, "r2": 500_000_000, None: 0}


def test_the_interval_spans_the_replicates_from_5_to_95_percent() -> None:
    draws = [n / 100 for n in range(101)]  # the share is draw / (draw + 1 - draw)
    evidence = [
        work("a", 0.5, replicates=draws),
        work("b", 0.5, cleared=False, replicates=[1 - each for each in draws]),
    ]

    mine, rest = gated(evidence)

    assert mine.ppb == rest.ppb == 500_000_000
    assert mine.low_ppb == rest.low_ppb == pytest.approx(50_000_000, abs=1)
    assert mine.high_ppb == rest.high_ppb == pytest.approx(950_000_000, abs=1)


def test_the_share_is_the_mean_over_replicates_so_that_doubt_stays_unattributed() -> None:
    evidence = [
        work("a", 1.0, replicates=[1.0, 1.0, -1.0, 1.0]),
        work("b", 0.0, cleared=False, replicates=[0.0, 1.0, 0.0, -5.0]),
    ]

    assert by_recording(gated(evidence)) == {"a/1": 625_000_000, None: 375_000_000}


def test_an_interval_is_widened_to_hold_the_share() -> None:
    mine, rest = gated([work("a", 1.0, replicates=[1.0] + [-1.0] * 99)])

    assert (mine.low_ppb, mine.ppb, mine.high_ppb) == (0, 10_000_000, 10_000_000)
    assert (rest.low_ppb, rest.ppb, rest.high_ppb) == (990_000_000, 990_000_000, PPB)


def test_a_work_that_did_not_clear_has_no_row() -> None:
    evidence = [work("a", 1.0), work("b", 1.0, cleared=False)]

    assert [each.recording for each in gated(evidence)] == ["a/1", None]


def test_evidence_without_replicates_is_refused() -> None:
    with pytest.raises(ValueError, match="without replicates"):
        gated([work("a", 1.0, replicates=[])])


def test_works_with_unequal_numbers_of_replicates_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        gated([work("a", 1.0, replicates=[1.0]), work("b", 1.0, replicates=[1.0, 2.0])])


@settings(max_examples=150)
@given(evidence=evidences())
def test_gated_shares_sum_to_the_whole_in_canonical_order(evidence) -> None:
    shares = gated(evidence)

    assert sum(each.ppb for each in shares) == PPB
    assert shares[-1].recording is None
    names = [each.recording for each in shares[:-1]]
    assert names == sorted(set(names))
    cleared = {name for each in evidence if each.cleared for name in each.scores}
    assert set(names) <= cleared


@settings(max_examples=60)
@given(evidence=evidences(), random=st.randoms())
def test_the_order_of_evidence_changes_nothing(evidence, random) -> None:
    shuffled = random.sample(evidence, k=len(evidence))

    assert gated(shuffled) == gated(evidence)


@settings(max_examples=60)
@given(evidence=evidences())
def test_cutting_a_recording_in_two_changes_nothing_for_any_work(evidence) -> None:
    first = evidence[0]
    name, score = min(first.scores.items())
    pieces = {f"{name}a": score / 4, f"{name}b": score - score / 4}
    cut = replace(first, scores={**{n: s for n, s in first.scores.items() if n != name}, **pieces})

    def of_works(shares: list[Share]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for each in shares:
            key = (each.recording or "").split("/")[0]
            sums[key] = sums.get(key, 0) + each.ppb
        return {key: ppb for key, ppb in sums.items() if ppb}

    assert of_works(gated([cut, *evidence[1:]])) == of_works(gated(evidence))


@settings(max_examples=60)
@given(evidence=evidences(), power=st.integers(-8, 8))
def test_the_unit_of_scores_does_not_matter(evidence, power) -> None:
    unit = 2.0**power
    scaled = [replace(each, replicates=[r * unit for r in each.replicates]) for each in evidence]
    normal = all(abs(x) > 1e-200 or x == 0 for e in evidence for x in e.replicates)

    assert gated(scaled) == gated(evidence) or not normal


def test_the_mapping_is_named_and_versioned() -> None:
    assert MAPPINGS["gated"] is gated
    assert GATED_VERSION == "gated-1"


def test_a_share_outside_its_interval_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="out of order"):
        Share(recording="r1", ppb=5, low_ppb=6, high_ppb=7)
