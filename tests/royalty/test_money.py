import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.errors import CurrencyMismatch
from royalty.money import Money, parse_micros, total

amounts = st.integers(-(10**17), 10**17)


@given(micros=amounts)
def test_decimal_text_reads_back_to_the_micro(micros) -> None:
    assert parse_micros(Money(micros, "EUR").decimal) == micros


@given(left=amounts, right=amounts)
def test_sums_and_differences_are_those_of_integers(left, right) -> None:
    one, other = Money(left, "EUR"), Money(right, "EUR")

    assert (one + other).micros == left + right
    assert (one - other).micros == left - right
    assert total([one, other], "EUR") == one + other


def test_two_currencies_do_not_meet_in_one_sum() -> None:
    with pytest.raises(CurrencyMismatch, match="cannot add USD to EUR"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        total([Money(1, "USD")], "EUR")


@pytest.mark.parametrize(
    ("micros", "full", "cents"),
    [
        (12_352_891, "€12.352891", "€12.35"),
        (55_550_000, "€55.55", "€55.55"),
        (1_234_567_000_000, "€1,234,567.00", "€1,234,567.00"),
        (5_000, "€0.005000", "€0.01"),
        (-5_000, "-€0.005000", "-€0.01"),
        (-4_999, "-€0.004999", "€0.00"),
        (0, "€0.00", "€0.00"),
    ],
)
def test_an_amount_shows_in_full_and_to_the_cent(micros, full, cents) -> None:
    assert str(Money(micros, "EUR")) == full
    assert Money(micros, "EUR").rounded == cents


@pytest.mark.parametrize(
    ("micros", "text"),
    [(2_350_000, "+€2.35"), (-770_000, "-€0.77"), (0, "€0.00"), (1, "+€0.000001")],
)
def test_a_difference_says_where_it_went(micros, text) -> None:
    assert Money(micros, "EUR").signed == text


def test_a_currency_without_a_symbol_shows_its_code() -> None:
    assert str(Money(1_000_000, "SEK")) == "SEK 1.00"


@pytest.mark.parametrize(
    ("text", "micros"),
    [("10.99", 10_990_000), (" 7 ", 7_000_000), ("-0.000001", -1), ("0.5", 500_000)],
)
def test_decimal_text_is_read_as_micros(text, micros) -> None:
    assert parse_micros(text) == micros


@pytest.mark.parametrize(
    "text", ["", "1e3", "1.", ".5", "1,50", "1.0000001", "nan", "+1", "1" * 13]
)
def test_any_other_text_is_refused_with_a_sentence(text) -> None:
    with pytest.raises(ValueError, match="is not a decimal amount"):
        parse_micros(text)


def test_an_amount_in_json_names_its_currency() -> None:
    assert Money(55_550_000, "EUR").json == {"micros": 55_550_000, "currency": "EUR"}
