from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.errors import CurrencyMismatch
from royalty.fx import FxRate
from royalty.money import Money

RATE = FxRate(day=date(2026, 10, 30), base="EUR", quote="USD", rate_ppb=920_000_000)
RATES = st.integers(1, 10**14).map(
    lambda ppb: FxRate(day=date(2026, 10, 30), base="EUR", quote="USD", rate_ppb=ppb)
)


def test_a_rate_is_named_by_its_day_and_pair_and_read_as_decimal_text() -> None:
    assert RATE.id == "2026-10-30/EUR/USD"
    assert RATE.decimal == "0.92"


def test_an_amount_is_converted_and_floored() -> None:
    assert RATE.convert(Money(42_000_000, "EUR")) == Money(38_640_000, "USD")
    assert RATE.convert(Money(3, "EUR")) == Money(2, "USD")


def test_what_an_amount_costs_is_the_least_that_converts_to_it() -> None:
    assert RATE.cost(Money(38_640_000, "USD")) == Money(42_000_000, "EUR")
    assert RATE.cost(Money(2, "USD")) == Money(3, "EUR")


@given(RATES, st.integers(0, 10**15))
def test_nothing_cheaper_than_the_cost_buys_as_much(rate: FxRate, micros: int) -> None:
    bought = Money(micros, "USD")
    cost = rate.cost(bought)

    assert rate.convert(cost).micros >= micros
    assert cost.micros == 0 or rate.convert(Money(cost.micros - 1, "EUR")).micros < micros


def test_a_rate_of_another_pair_is_refused() -> None:
    with pytest.raises(CurrencyMismatch, match="does not convert USD"):
        RATE.convert(Money(1, "USD"))
    with pytest.raises(CurrencyMismatch, match="does not convert to EUR"):
        RATE.cost(Money(1, "EUR"))
