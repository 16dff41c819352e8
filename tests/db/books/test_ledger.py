from dataclasses import replace
from datetime import date

import pytest

from db import queries
from db.books import ledger
from db.engine import Books
from db.queries import EVERYONE
from royalty.errors import Conflict, NotFound, PeriodClosed
from royalty.ledger import Posting, Transaction, reverse
from royalty.money import Money
from tests.db.world import NOVEMBER, OCTOBER


def transaction(key: str, micros: int = 5, **more: object) -> Transaction:
    plain = {
        "kind": "revenue",
        "period": NOVEMBER,
        "effective_on": date(2026, 11, 30),
        "postings": (
            Posting(account="receivable.platform", amount=Money(micros, "EUR")),
            Posting(account="platform", amount=Money(-micros, "EUR"), right="master", pool="p"),
        ),
    }
    return Transaction(key=key, **plain | more)  # type: ignore[arg-type]


def test_transactions_stand_in_the_chain_in_order(books: Books) -> None:
    ids = ledger.post(books, [transaction("a"), transaction("b", 7)])

    rows = queries.postings(EVERYONE, books, NOVEMBER)

    assert ids == [1, 2]
    assert [row.id for row in rows] == ["1.1", "1.2", "2.1", "2.2"]
    assert rows[3].amount == Money(-7, "EUR")
    assert (rows[1].right, rows[1].pool, rows[0].right) == ("master", "p", None)
    assert queries.verify_chain(books) is None


def test_the_same_key_and_content_is_posted_once(books: Books) -> None:
    first = ledger.post(books, [transaction("a")])
    again = ledger.post(books, [transaction("a"), transaction("b")])

    assert (first, again) == ([1], [1, 2])
    assert len(queries.postings(EVERYONE, books, NOVEMBER)) == 4


@pytest.mark.parametrize(
    "other",
    [
        transaction("a", 6),
        transaction("a", memo="another"),
        transaction("a", effective_on=date(2026, 11, 29)),
        replace(transaction("a"), postings=transaction("a").postings[::-1]),
    ],
)
def test_the_same_key_with_other_content_is_refused(books: Books, other: Transaction) -> None:
    ledger.post(books, [transaction("a")])

    with pytest.raises(Conflict, match="transaction a is posted with other content"):
        ledger.post(books, [transaction("b"), other])

    assert len(queries.postings(EVERYONE, books, NOVEMBER)) == 2


def test_a_reversal_points_at_what_it_reverses_and_restores_the_balances(books: Books) -> None:
    original = transaction("a")
    ledger.post(books, [original])
    ledger.post(books, [reverse(original, period=NOVEMBER, effective_on=date(2026, 11, 30))])

    rows = queries.postings(EVERYONE, books, NOVEMBER)

    assert rows[2].reverses == 1
    assert sum(row.amount.micros for row in rows if row.account == "platform") == 0


def test_what_is_not_there_cannot_be_reversed_or_adjusted(books: Books) -> None:
    with pytest.raises(NotFound, match="no transaction gone to reverse or adjust"):
        ledger.post(books, [transaction("a", adjusts="gone")])


def test_a_closed_period_refuses_postings_with_a_sentence(closed: Books) -> None:
    late = transaction("late", period=OCTOBER)

    with pytest.raises(PeriodClosed, match="period 2026-10 is closed; what comes late is an adj"):
        ledger.post(closed, [late])

    [correction] = ledger.post(
        closed, [transaction("late", adjusts="2026-10/revenue/2026-10/app/DE/EUR")]
    )

    assert queries.postings(EVERYONE, closed, NOVEMBER)[0].adjusts == 1
    assert correction == 3


def test_nothing_is_posted_before_a_closed_period_which_opened_by_it(closed: Books) -> None:
    with pytest.raises(PeriodClosed, match="nothing is posted in 2026-09 any more; post it in 2"):
        ledger.post(closed, [transaction("late", period=OCTOBER.before(1))])

    assert queries.postings(EVERYONE, closed, OCTOBER.before(1)) == []
