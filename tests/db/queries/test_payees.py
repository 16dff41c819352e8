"""Whom a closed month paid, by name."""

from db import queries
from db.engine import Books
from db.queries import EVERYONE, PayeesPage, Viewer, Window
from tests.db.world import NOVEMBER, OCTOBER

BOB = Viewer("bob", frozenset({"bob"}))
BOTH = {"lab": "Lab", "bob": "Bob"}


def test_the_best_paid_come_first_and_pages_follow(closed: Books) -> None:
    page = queries.payees_page(EVERYONE, closed, OCTOBER, Window())
    second = queries.payees_page(EVERYONE, closed, OCTOBER, Window(limit=1, offset=1))

    assert list(page.names.items()) == list(BOTH.items())
    assert second == PayeesPage(names={"bob": "Bob"}, count=2)


def test_parts_of_names_and_ids_are_found_and_nothing_else(closed: Books) -> None:
    for search, names in (("LA", ["lab"]), ("b", ["lab", "bob"]), ("%", []), ("ann", [])):
        page = queries.payees_page(EVERYONE, closed, OCTOBER, Window(search=search))

        assert (list(page.names), page.count) == (names, len(names))


def test_an_open_month_has_paid_nobody(computed: Books) -> None:
    for period in (OCTOBER, NOVEMBER):
        assert queries.payees_page(EVERYONE, computed, period, Window()).count == 0


def test_a_payee_finds_nobody_else(closed: Books) -> None:
    for search in ("", "lab"):
        page = queries.payees_page(BOB, closed, OCTOBER, Window(search=search))

        assert list(page.names) == ([] if search else ["bob"])
        assert page.count == len(page.names)
