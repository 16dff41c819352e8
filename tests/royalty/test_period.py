from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.period import Period

periods = st.builds(Period, st.integers(1900, 9000), st.integers(1, 12))


@given(period=periods)
def test_a_period_reads_back_from_its_name(period) -> None:
    assert Period.parse(str(period)) == period


@given(period=periods)
def test_periods_follow_one_another_without_gap_or_overlap(period) -> None:
    assert period.end == period.next.start
    assert period < period.next
    assert period.start in period
    assert period.last_day in period
    assert period.last_day + timedelta(days=1) == period.end
    assert period.end not in period


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-10", "2026/10", "october", ""]
)
def test_anything_but_a_month_is_refused(text) -> None:
    with pytest.raises(ValueError, match="is not a period; write a month such as 2026-10"):
        Period.parse(text)


def test_december_is_followed_by_january() -> None:
    assert Period(2026, 12).end == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("day", "nearest"),
    [
        (date(2026, 11, 22), date(2026, 11, 22)),
        (date(2026, 10, 31), date(2026, 11, 1)),
        (date(2027, 3, 1), date(2026, 11, 30)),
    ],
)
def test_of_a_day_outside_a_period_it_has_a_nearest(day: date, nearest: date) -> None:
    assert Period(2026, 11).nearest(day) == nearest
