from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.errors import NothingToDivideAmong
from royalty.shares import Share, freeze
from tests.oracle import PPB

weights = st.floats(0, 1e6) | st.floats(0, 1e-300) | st.fractions(0, 10)


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


def test_a_share_outside_its_interval_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="out of order"):
        Share(recording="r1", ppb=5, low_ppb=6, high_ppb=7)
