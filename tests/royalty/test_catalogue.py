from datetime import date

import pytest

from royalty.terms import Terms
from tests.royalty.worlds import interest, recording

BEFORE, FIRST, INSIDE, LAST = (date(2026, 10, day) for day in (1, 2, 5, 9))


@pytest.mark.parametrize(
    "holds",
    [
        recording("r1", licensed_from=FIRST, licensed_to=LAST).licensed_on,
        interest("r1", "ann", valid_from=FIRST, valid_to=LAST).holds_on,
        Terms(party="ann", valid_from=FIRST, valid_to=LAST).hold_on,
    ],
    ids=["licence", "interest", "terms"],
)
def test_dates_are_half_open(holds) -> None:
    assert [holds(day) for day in (BEFORE, FIRST, INSIDE, LAST)] == [False, True, True, False]


@pytest.mark.parametrize(
    "holds",
    [recording("r1").licensed_on, interest("r1", "ann").holds_on, Terms(party="ann").hold_on],
    ids=["licence", "interest", "terms"],
)
def test_without_dates_it_always_holds(holds) -> None:
    assert holds(date.min)
    assert holds(date.max)
