import pytest

from royalty.movements import term_of, worded
from royalty.period import Period

OCTOBER = Period(2026, 10)


@pytest.mark.parametrize(
    ("kinds", "term"),
    [
        (["adjustment"], "adjustments"),
        (["hold"], "adjustments"),
        (["recoupment"], "recouped"),
        (["reserve"], "reserved"),
        (["withholding"], "withheld"),
        (["payment"], "paid"),
        (["reversal", "payment"], "paid"),
        (["reversal", "reversal", "reserve"], "reserved"),
        (["reversal", "allocation"], "adjustments"),
        (["something else"], "adjustments"),
    ],
)
def test_a_kind_has_its_term_and_what_undoes_it_the_same(kinds: list[str], term: str) -> None:
    assert term_of(kinds) == term


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (["reserve"], "kept in reserve"),
        (["reversal", "reserve"], "released from reserve"),
        (["reversal", "reversal", "reserve"], "kept in reserve"),
        (["reversal", "hold"], "released"),
        (["reversal", "allocation"], "earnings taken back"),
        (["tip"], "tip"),
        (["reversal", "tip"], "tip taken back"),
    ],
)
def test_what_happened_is_said_in_words(kinds: list[str], words: str) -> None:
    assert worded(kinds) == words


def test_what_puts_an_earlier_month_right_names_it() -> None:
    assert worded(["adjustment"], corrects=OCTOBER) == "correction, of 2026-10"
