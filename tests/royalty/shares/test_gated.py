import pytest
from hypothesis import given, settings

from royalty.shares import MAPPINGS, Share, gated, gated_shrunk, shrunk
from tests.oracle import PPB
from tests.royalty.works import by_recording, evidences, work


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


# Shrunk to the low end.


def test_the_shrunk_mapping_pays_the_low_end_and_leaves_the_rest_unattributed() -> None:
    draws = [n / 100 for n in range(101)]
    evidence = [
        work("a", 0.5, replicates=draws),
        work("b", 0.5, cleared=False, replicates=[1 - each for each in draws]),
    ]

    mine, rest = gated_shrunk(evidence)

    assert mine.ppb == mine.low_ppb == pytest.approx(50_000_000, abs=1)
    assert mine.high_ppb == pytest.approx(950_000_000, abs=1)
    assert (rest.ppb, rest.low_ppb) == (PPB - mine.ppb, PPB - mine.high_ppb)


@settings(max_examples=60)
@given(evidence=evidences())
def test_shrinking_never_pays_anyone_more_and_is_the_same_from_frozen_shares(evidence) -> None:
    whole, less = by_recording(gated(evidence)), by_recording(gated_shrunk(evidence))

    assert all(less[name] <= ppb for name, ppb in whole.items() if name is not None)
    assert gated_shrunk(evidence) == shrunk(gated(evidence))
    assert shrunk(gated_shrunk(evidence)) == gated_shrunk(evidence)


def test_a_share_without_doubt_is_not_shrunk() -> None:
    assert gated_shrunk([work("a", 3.0), work("b", 1.0)]) == gated([work("a", 3.0), work("b", 1.0)])


def test_the_default_is_gated() -> None:
    assert MAPPINGS["gated"] is gated
