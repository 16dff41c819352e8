"""An account's month by the ledger, against the statement of it."""

import pytest

from db import queries
from db.books.ledger import post
from db.engine import Books
from db.queries import EVERYONE, Viewer
from royalty.errors import NotFound
from royalty.money import Money
from tests.db.moving import moved
from tests.db.world import NOVEMBER, OCTOBER


def test_an_accounts_month_is_what_its_statement_says(closed: Books) -> None:
    for payee in ("bob", "lab"):
        owed = queries.statement(EVERYONE, closed, payee, OCTOBER)

        found = queries.account_month(EVERYONE, closed, payee, OCTOBER, "EUR")

        assert (found.opening, found.terms, found.closing) == (
            owed.opening,
            owed.balance,
            owed.closing,
        )


def test_what_moved_later_opens_with_what_was_owed(closed: Books) -> None:
    post(closed, [moved("reserve", 10, "reserve.lab"), moved("payment", 4, "cash")])

    found = queries.account_month(EVERYONE, closed, "lab", NOVEMBER, "EUR")

    assert found.opening == Money(5_400_000, "EUR")
    assert {term: amount.micros for term, amount in found.terms.items() if amount.micros} == {
        "reserved": -1_000_000,
        "paid": -400_000,
    }
    assert found.closing == Money(4_000_000, "EUR")


def test_another_currency_and_a_month_before_are_zeros(closed: Books) -> None:
    for period, currency in ((OCTOBER, "USD"), (OCTOBER.before(1), "EUR")):
        found = queries.account_month(EVERYONE, closed, "lab", period, currency)

        assert {found.opening, found.closing, *found.terms.values()} == {Money(0, currency)}


def test_a_payee_reads_no_other_account(closed: Books) -> None:
    with pytest.raises(NotFound, match="no payee 'lab' that bob may see"):
        queries.account_month(Viewer("bob", frozenset({"bob"})), closed, "lab", OCTOBER, "EUR")
