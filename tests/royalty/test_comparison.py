from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royalty.comparison import compare_mappings, pay_by, pay_by_each
from royalty.shares import MAPPINGS, PUBLISHED, VERSIONS, gated
from tests.royalty.works import evidences, work

TRACKS = {
    "t1": [work("a", 3.0), work("b", 1.0, cleared=False), work("c", 0.0, cleared=False)],
    "t2": [work("a", -1.0, cleared=False), work("b", 2.0), work("c", 1.0, cleared=False)],
}
ONE_EACH = {"t1": 1, "t2": 1}


def paid(mapping, tracks=TRACKS, weights=ONE_EACH):
    found = {each.mapping: each for each in pay_by_each(tracks, weights)}
    return found[mapping]


def test_what_is_paid_is_shares_by_weight_and_the_unattributed_equally_among_works() -> None:
    # gated: t1 gives a 3/4; t2 gives b all, since what does not clear there sums to 0
    once = paid("gated", weights={"t1": 3, "t2": 1})

    assert once.unattributed == Fraction(3, 16)
    assert once.recordings == {
        "a/1": Fraction(9, 16) + Fraction(1, 16),
        "b/1": Fraction(4, 16) + Fraction(1, 16),
        "c/1": Fraction(1, 16),
    }
    assert once.version == VERSIONS["gated"]


def test_a_works_equal_part_is_divided_equally_among_its_recordings() -> None:
    lone = [
        work("a", 1.0, cleared=False, scores={"r1": 5.0, "r2": 1.0}),
        work("b", 1.0, cleared=False),
    ]

    assert paid("gated", {"t": lone}, {"t": 1}).recordings == {
        "b/1": Fraction(1, 2), "r1": Fraction(1, 4), "r2": Fraction(1, 4),
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(one=evidences(), other=evidences(), weights=st.tuples(st.integers(0, 9), st.integers(1, 9)))
def test_every_mapping_pays_the_whole_and_no_one_less_than_nothing(one, other, weights) -> None:
    tracks = {"t1": one, "t2": other}

    for each in pay_by_each(tracks, dict(zip(tracks, weights, strict=True))):
        assert each.refused or sum(each.recordings.values()) == 1
        assert all(part >= 0 for part in each.recordings.values())
        assert bool(each.refused) == (each.recordings == {})


def test_a_mapping_that_refuses_says_why_and_is_left_out_of_the_comparison() -> None:
    assert "'a' first" in paid("raw_proportional").refused
    assert set(compare_mappings(pay_by_each(TRACKS, ONE_EACH))) == set(MAPPINGS) - {
        "raw_proportional"
    }


def test_moved_is_what_gated_would_give_to_others() -> None:
    compared = compare_mappings(pay_by_each(TRACKS, ONE_EACH))

    # gated pays a 5/12, b 13/24, c 1/24; relu a 3/8, b 1/8 + 1/3, c 1/6
    assert compared["gated"].moved == 0
    assert compared["relu_proportional"].moved == pytest.approx(1 / 6 - 1 / 24, abs=1e-8)


def test_owners_add_up_their_recordings() -> None:
    owners = {"a/1": "anna", "b/1": "ben", "c/1": "anna"}

    compared = compare_mappings(pay_by_each(TRACKS, ONE_EACH), owners)

    assert compared["gated"].parts == {"anna": Fraction(11, 24), "ben": Fraction(13, 24)}
    assert compared["gated"].concentration.count == 2
    assert compared["gated"].concentration.gini == pytest.approx(1 / 24)


def test_frozen_shares_are_taken_as_they_are() -> None:
    frozen = {track: gated(evidence) for track, evidence in TRACKS.items()}
    estimates = {track: [work("a", 9.0)] for track in TRACKS}

    first, *_ = pay_by_each(estimates, ONE_EACH, {"gated": frozen})

    assert first.unattributed == pay_by("gated", frozen, ONE_EACH, TRACKS).unattributed


def test_tracks_that_weigh_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no track weighs anything"):
        pay_by_each(TRACKS, {"t1": 0, "t2": 0})


@pytest.fixture(scope="module")
def noisy():
    """Every mapping over 30 tracks that a few of 200 works shaped, and chance all of them."""
    random = np.random.default_rng(0)
    lasting = random.normal(size=200)
    tracks = {}
    for track in range(30):
        scores = lasting + 1.5 * random.normal(size=200)
        scores[random.choice(200, 3, replace=False)] += 6
        tracks[f"t{track}"] = [
            work(f"w{place:03d}", float(score), cleared=bool(score > 5))
            for place, score in enumerate(scores)
        ]
    return compare_mappings(pay_by_each(tracks, dict.fromkeys(tracks, 1)))


@pytest.mark.parametrize("negative", ["relu", "shift"])
def test_concentration_comes_in_the_order_that_was_published(noisy, negative) -> None:
    gini = {name: each.concentration.gini for name, each in noisy.items()}
    order = [
        f"{negative}_{way}"
        for way in ("inverse_rank", "top_proportional", "top_equal", "proportional")
    ]

    assert [gini[name] for name in order] == sorted((gini[name] for name in order), reverse=True)


def test_shifting_pays_everybody_nearly_alike_and_less_unequally_than_cutting(noisy) -> None:
    gini = {name: each.concentration.gini for name, each in noisy.items()}

    assert gini["shift_proportional"] == min(gini.values())
    assert gini["shift_proportional"] < gini["relu_proportional"] / 2
    assert noisy["shift_proportional"].concentration.top_10_percent < 0.15
    for way in ("proportional", "top_equal", "top_proportional", "inverse_rank"):
        assert gini[f"shift_{way}"] <= gini[f"relu_{way}"]
    assert set(PUBLISHED) - set(gini) == {"raw_proportional"}
