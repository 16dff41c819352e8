import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.counterfactual import (
    Change,
    Counterfactual,
    changes,
    require_others,
    shares_without,
)
from royalty.errors import RoyaltyError
from royalty.money import Money
from royalty.period import Period
from royalty.shares import Share, WorkEvidence, gated


def work(name: str, excess: float, *, cleared: bool | None = None) -> WorkEvidence:
    """Evidence of one replicate, of a work of one recording: w1 of r1."""
    return WorkEvidence(
        work=name,
        cleared=excess > 1 if cleared is None else cleared,
        replicates=[excess],
        scores={name.replace("w", "r"): excess},
    )


def parts(shares: list[Share]) -> dict[str | None, int]:
    return {share.recording: share.ppb for share in shares if share.ppb}


WORKS = [work("w1", 6.0), work("w2", 3.0), work("w3", 0.75), work("w4", -0.25)]
excesses = st.lists(st.floats(-5, 5).filter(lambda x: abs(x) > 0.01), min_size=1, max_size=6)


@given(excesses, st.sets(st.integers(1, 6)))
def test_of_one_replicate_it_is_the_mapping_without_the_rows(values, places) -> None:
    works = [work(f"w{n}", value) for n, value in enumerate(values, start=1)]
    removed = {f"r{n}" for n in places}

    found = parts(shares_without(gated(works), works, removed))

    others = [each for each in works if each.work.replace("w", "r") not in removed]
    slow = parts(gated(others)) if others else {None: 10**9}
    for name in found.keys() | slow.keys():
        assert found.get(name, 0) == pytest.approx(slow.get(name, 0), abs=1 + 1e-4 * len(values))


@given(excesses)
def test_removing_nothing_changes_nothing(values) -> None:
    works = [work(f"w{n}", value) for n, value in enumerate(values)]
    frozen = gated(works)

    assert parts(shares_without(frozen, works, ())) == parts(frozen)


def test_frozen_shares_of_many_replicates_keep_their_proportions() -> None:
    frozen = [
        Share(recording="r1", ppb=500_000_000, low_ppb=400_000_000, high_ppb=600_000_000),
        Share(recording="r2", ppb=300_000_000, low_ppb=200_000_000, high_ppb=400_000_000),
        Share(recording=None, ppb=200_000_000, low_ppb=0, high_ppb=300_000_000),
    ]

    [other, rest] = shares_without(frozen, WORKS, {"r1"})

    assert (other.ppb, other.low_ppb, other.high_ppb) == (600_000_000, 400_000_000, 800_000_000)
    assert (rest.ppb, rest.low_ppb, rest.high_ppb) == (400_000_000, 0, 600_000_000)


def test_where_nobody_else_stands_out_all_is_unattributed() -> None:
    works = [work("w1", 6.0), work("w2", 0.5)]

    assert parts(shares_without(gated(works), works, {"r1"})) == {None: 10**9}


def test_noise_that_is_removed_is_no_longer_unattributed() -> None:
    found = parts(shares_without(gated(WORKS), WORKS, {"r3"}))

    assert found == pytest.approx({"r1": 666_666_667, "r2": 333_333_333}, abs=2)


def test_a_work_keeps_what_its_other_recordings_brought() -> None:
    works = [
        WorkEvidence(work="w1", cleared=True, replicates=[8.0], scores={"r1": 6.0, "r2": 2.0}),
        WorkEvidence(work="w2", cleared=False, replicates=[2.0], scores={"r3": 1.0, "r4": -1.0}),
    ]
    frozen = gated(works)
    assert parts(frozen) == {"r1": 600_000_000, "r2": 200_000_000, None: 200_000_000}

    assert parts(shares_without(frozen, works, {"r1"})) == {"r2": 500_000_000, None: 500_000_000}
    assert parts(shares_without(frozen, works, {"r4"})) == parts(frozen)
    assert parts(shares_without(frozen, works, {"r3"})) == {"r1": 750_000_000, "r2": 250_000_000}


def money(micros: int) -> Money:
    return Money(micros, "EUR")


def test_amounts_stand_side_by_side_who_loses_most_first() -> None:
    found = changes({"ann": 5, "bob": 3}, {"bob": 4, "cy": 4}, {"ann": "Ann"}, "EUR")

    assert [(row.id, row.name, row.difference.micros) for row in found] == [
        ("ann", "Ann", -5),
        ("bob", "bob", 1),
        ("cy", "cy", 4),
    ]


def counterfactual(others: tuple[Change, ...]) -> Counterfactual:
    nothing = Change(id="", name="", actual=money(0), without=money(0))
    return Counterfactual(
        period=Period(2026, 10),
        rule="pro_rata",
        closed=True,
        removed=("r1",),
        own=nothing,
        payees=changes({"ann": 5, "bob": 3}, {"bob": 4}, {}, "EUR"),
        others=others,
        unattributed=nothing,
    )


def test_nothing_is_lost_or_made() -> None:
    platform = Change(id="platform", name="platform", actual=money(0), without=money(4))

    assert counterfactual((platform,)).moved == money(5)
    with pytest.raises(AssertionError, match="-4 micros"):
        counterfactual(())


def test_removing_all_is_refused() -> None:
    require_others({"r1", "r2"}, {"r1", "r9"})

    with pytest.raises(RoyaltyError, match="nothing licensed is left"):
        require_others({"r1", "r2"}, {"r1", "r2", "r3"})
