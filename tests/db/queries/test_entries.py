from db.engine import Books
from db.queries import EVERYONE, Viewer, entries, statement
from royalty.money import Money
from royalty.period import Period
from tests.db.moving import adjusted, moved, post_and_close
from tests.db.world import NOVEMBER, OCTOBER


def euros(tenths: int) -> Money:
    return Money(tenths * 100_000, "EUR")


def sums(found: list, payee: str) -> int:
    return sum(each.amount.micros for each in found if each.payee == payee)


def test_an_account_is_all_that_was_posted_to_it_in_plain_words(closed: Books) -> None:
    books = post_and_close(closed, adjusted(), moved("payment", 20, "cash"))

    found = entries(EVERYONE, books, NOVEMBER, payee="lab")

    assert [(each.period, each.what, each.amount) for each in found] == [
        (OCTOBER, "earnings", euros(54)),
        (NOVEMBER, "correction, of 2026-10", euros(4)),
        (NOVEMBER, "payment", euros(-20)),
    ]
    assert [each.why for each in found[1:]] == ["late usage", "payment of lab"]


def test_accounts_come_to_the_closing_of_their_statements(closed: Books) -> None:
    books = post_and_close(closed, adjusted(), moved("payment", 20, "cash"))

    for period in (OCTOBER, NOVEMBER):
        found = entries(EVERYONE, books, period)
        for payee in ("lab", "bob"):
            owed = statement(EVERYONE, books, payee, period)
            assert sums(found, payee) == owed.closing.micros


def test_nobody_is_shown_another_account(closed: Books) -> None:
    bob = Viewer("bob", frozenset({"bob"}))

    assert {each.payee for each in entries(EVERYONE, closed, OCTOBER)} >= {"lab", "bob"}
    assert {each.payee for each in entries(bob, closed, OCTOBER)} == {"bob"}
    assert entries(bob, closed, OCTOBER, payee="lab") == []


def test_months_after_are_left_out(closed: Books) -> None:
    books = post_and_close(closed, moved("payment", 20, "cash"))

    assert sums(entries(EVERYONE, books, OCTOBER), "lab") == euros(54).micros
    assert entries(EVERYONE, books, Period(2026, 9)) == []
