import re
from collections.abc import Iterable
from fractions import Fraction

import pytest

from royalty.errors import RoyaltyError
from royalty.shares import (
    GATED_VERSION,
    MAPPINGS,
    PUBLISHED,
    VERSIONS,
    Published,
    Weighting,
    WorkEvidence,
)
from tests.oracle import PPB
from tests.royalty.works import by_work, work

SCORES = {"a": 6.0, "b": 3.0, "c": 1.0, "d": -2.0}


def evidence(scores: dict[str, float]) -> list[WorkEvidence]:
    return [work(name, score, cleared=False) for name, score in scores.items()]


def parts(mapping: str | Published, scores: dict[str, float]) -> dict[str, Fraction]:
    """What each work gets, in simple fractions."""
    chosen = MAPPINGS[mapping] if isinstance(mapping, str) else mapping
    found = by_work(chosen(evidence(scores)))
    return {name: Fraction(ppb, PPB).limit_denominator(1000) for name, ppb in found.items()}


def of(weights: Iterable[int]) -> dict[str, Fraction]:
    listed = list(weights)
    names = zip("abcd", listed, strict=False)
    return {name: Fraction(weight, sum(listed)) for name, weight in names if weight}


@pytest.mark.parametrize(
    ("negative", "weights"),
    [("relu", [6, 3, 1, 0]), ("shift", [8, 5, 3, 0]), ("absolute", [6, 3, 1, 2])],
)
def test_each_way_with_negative_scores_is_the_one_it_is_called(negative, weights) -> None:
    assert parts(f"{negative}_proportional", SCORES) == of(weights)


@pytest.mark.parametrize(
    ("weighting", "weights"),
    [
        (Weighting(), [6, 3, 1]),
        (Weighting(power=0.0, top=Fraction(1, 2)), [1, 1]),
        (Weighting(top=Fraction(1, 2)), [6, 3]),
        (Weighting(power=0.0, decay=1.0), [6, 3, 2]),
        (Weighting(power=0.0, decay=1.0, top=Fraction(1, 2)), [2, 1]),
        (Weighting(power=0.0, decay=2.0, top=Fraction(1, 2)), [4, 1]),
        (Weighting(power=2.0), [36, 9, 1]),
    ],
)
def test_each_weighting_is_its_formula_written_out(weighting, weights) -> None:
    assert parts(Published(negative="relu", weighting=weighting), SCORES) == of(weights)


def test_the_cut_is_a_part_of_the_works_rounded_up() -> None:
    def paid(works: int) -> int:
        scores = {f"{place:03d}": 1.0 + place for place in range(works)}
        return len(by_work(MAPPINGS["relu_top_equal"](evidence(scores))))

    assert [paid(56), paid(57), paid(112), paid(113)] == [1, 2, 2, 3]


def test_works_that_score_alike_share_what_their_ranks_are_worth() -> None:
    tied = {"a": 5.0, "b": 3.0, "c": 3.0, "d": 3.0}

    equal = Published(negative="relu", weighting=Weighting(power=0.0, top=Fraction(1, 2)))
    inverse = Published(negative="relu", weighting=Weighting(power=0.0, decay=1.0))
    assert parts(equal, tied) == of([3, 1, 1, 1])
    assert parts(inverse, tied) == of([36, 13, 13, 13])


def test_a_raw_mapping_pays_positive_scores_and_refuses_a_negative_one() -> None:
    assert parts("raw_proportional", {"a": 6.0, "b": 3.0, "c": 0.0}) == of([2, 1])

    with pytest.raises(RoyaltyError, match=r"2 of 5 works score below zero, 'd' first"):
        MAPPINGS["raw_proportional"](evidence({"e": -1.0} | SCORES))


def test_scores_of_any_size_can_be_weighed() -> None:
    huge = {name: score * 1e300 for name, score in SCORES.items()}
    tiny = {name: score * 1e-300 for name, score in SCORES.items()}

    assert parts("relu_soft_power", huge) == parts("relu_soft_power", tiny) == of([36, 9, 1])


def test_what_scores_nothing_for_anybody_is_unattributed() -> None:
    assert parts("relu_top_equal", {"a": -1.0, "b": 0.0}) == {"": 1}
    assert parts("shift_proportional", {"a": 2.0, "b": 2.0}) == {"": 1}


def test_the_gate_is_ignored_so_that_noise_is_paid() -> None:
    uncleared = evidence(SCORES)

    assert by_work(MAPPINGS["gated"](uncleared)) == {"": PPB}
    assert by_work(MAPPINGS["relu_proportional"](uncleared)) == {
        "a": 600_000_000, "b": 300_000_000, "c": 100_000_000,
    }  # fmt: skip


def test_the_estimate_is_what_is_weighed_and_replicates_make_the_interval() -> None:
    draws = [n / 100 for n in range(101)]
    works = [
        WorkEvidence(work="a", cleared=True, replicates=draws, scores={"a": 1.0}, mean=3.0),
        WorkEvidence(
            work="b", cleared=True, replicates=[1 - d for d in draws], scores={"b": 1.0}, mean=1.0
        ),
    ]

    mine, other, rest = MAPPINGS["relu_proportional"](works)

    assert (mine.ppb, other.ppb, rest.ppb) == (750_000_000, 250_000_000, 0)
    assert mine.low_ppb == pytest.approx(50_000_000, abs=1)
    assert mine.high_ppb == pytest.approx(950_000_000, abs=1)


def test_without_a_mean_the_estimate_is_that_of_the_replicates() -> None:
    assert work("a", 0.0, replicates=[1.0, 2.0, 6.0]).estimate == 3.0


def test_mappings_are_named_and_versioned_and_gated_is_the_first() -> None:
    assert next(iter(MAPPINGS)) == "gated"
    assert VERSIONS["gated"] == GATED_VERSION == "gated-1"
    assert set(MAPPINGS) == set(VERSIONS) == {"gated", "gated_shrunk", *PUBLISHED}
    assert all(re.fullmatch(rf"{name}-\d+", version) for name, version in VERSIONS.items())
