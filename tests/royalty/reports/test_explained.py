from dataclasses import replace

import pytest

from royalty.money import Money, total
from royalty.period import Period
from royalty.reports.explained import closing_words, month, steps
from royalty.statement import make_statement
from tests.royalty.statements import heading, statement


def test_steps_lead_from_opening_to_closing() -> None:
    first, *others, last = steps(statement())

    assert (first.term, first.amount) == ("opening", statement().opening)
    assert total((step.amount for step in (first, *others)), "EUR") == last.amount
    assert (last.term, last.amount) == ("closing", statement().closing)
    assert all(step.words for step in (first, *others, last))


@pytest.mark.parametrize(
    ("period", "name"), [(Period(2026, 1), "January 2026"), (Period(2027, 12), "December 2027")]
)
def test_a_month_has_its_english_name(period, name) -> None:
    assert month(period) == name


@pytest.mark.parametrize(
    ("micros", "words"),
    [
        (1, "owed to The Agency at the end of 31 October 2026"),
        (0, "owed to The Agency at the end of 31 October 2026"),
        (-1, "more was paid or taken back than earned; coming months make up for it"),
    ],
)
def test_a_closing_amount_says_what_it_is(micros, words) -> None:
    amount = Money(micros, "EUR")

    assert words in closing_words(
        make_statement(replace(heading(), opening=amount, closing=amount), [])
    )
