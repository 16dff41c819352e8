from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.concentration import concentration, total_variation

amounts = st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any)


def test_four_receivers_measured_by_hand() -> None:
    found = concentration([1, 0, 4, 3])  # in parts: 0, 1/8, 3/8, 1/2

    assert found.count == 4
    assert found.gini == pytest.approx((3 * 4 + 3 - 1) / 8 / 4)  # sum (2i - 5) x_i / 4
    assert found.largest == found.top_1_percent == found.top_10_percent == 0.5
    assert found.hhi == pytest.approx((1 + 9 + 16) / 64)
    assert found.atkinson == pytest.approx(1 - (1 + 3**0.5 + 2) ** 2 / 8 / 4)


def test_equal_parts_are_not_concentrated_and_one_receiver_of_all_is() -> None:
    equal, all_ = concentration([7] * 50), concentration([0] * 49 + [3])

    assert (equal.gini, equal.atkinson) == pytest.approx((0, 0), abs=1e-12)
    assert (equal.hhi, equal.largest) == pytest.approx((0.02, 0.02))
    assert equal.top_10_percent == pytest.approx(0.10)
    assert (all_.gini, all_.atkinson, all_.hhi) == pytest.approx((0.98, 0.98, 1))


def test_top_parts_are_of_the_receivers_rounded_up() -> None:
    found = concentration(range(1, 201))

    assert found.top_1_percent == pytest.approx((200 + 199) / (201 * 100))
    assert found.top_10_percent == pytest.approx(sum(range(181, 201)) / (201 * 100))


@given(amounts=amounts, unit=st.integers(1, 10**6))
def test_gini_is_half_the_mean_difference_and_no_measure_knows_the_unit(amounts, unit) -> None:
    mean = sum(amounts) / len(amounts)
    differences = sum(abs(a - b) for a in amounts for b in amounts) / len(amounts) ** 2

    found = concentration(amounts)
    assert found.gini == pytest.approx(differences / mean / 2, abs=1e-9)
    assert concentration([amount * unit for amount in reversed(amounts)]) == found


@given(amounts=amounts, data=st.data())
def test_giving_from_a_richer_to_a_poorer_never_concentrates(amounts, data) -> None:
    rich, poor = max(amounts), min(amounts)
    given_ = data.draw(st.integers(0, (rich - poor) // 2))
    after = list(amounts)
    after[after.index(rich)] -= given_
    after[after.index(poor)] += given_

    before, then = concentration(amounts), concentration(after)
    for measure in ("gini", "atkinson", "hhi", "largest", "top_10_percent"):
        assert getattr(then, measure) <= getattr(before, measure) + 1e-9


@pytest.mark.parametrize("amounts", [[], [0, 0], [1, -1, 5]])
def test_nothing_to_measure_is_refused(amounts) -> None:
    with pytest.raises(ValueError, match=r"must not be negative|empty"):
        concentration(amounts)


def test_the_distance_of_two_divisions_is_what_must_change_hands() -> None:
    one = {"a": Fraction(1, 2), "b": Fraction(1, 2)}

    assert total_variation(one, one) == 0
    assert (
        total_variation(one, {"a": Fraction(1, 4), "b": Fraction(1, 2), "c": Fraction(1, 4)})
        == 0.25
    )
    assert total_variation(one, {"c": Fraction(1)}) == 1
    assert total_variation({"a": 10, "b": 10}, {"a": 20}) == 0.5
