"""Looking for postings: filters, pages, sums, and what a viewer finds."""

import pytest

from db import queries
from db.books.ledger import post
from db.engine import Books
from db.queries import EVERYONE, Sought, Viewer, ledger
from royalty.ledger import Posting
from royalty.money import Money
from tests.db.moving import moved
from tests.db.world import NOVEMBER, OCTOBER, POOL

BOB = Viewer("bob", frozenset({"bob"}))


@pytest.fixture
def moving(closed: Books) -> Books:
    """October closed, and in November Bob's payment, in two currencies."""
    sides = (("payable.bob", 10, "EUR"), ("exchange", -10, "EUR"))
    sides += (("exchange", 20, "USD"), ("cash", -20, "USD"))
    postings = tuple(
        Posting(account=account, amount=Money(n, currency)) for account, n, currency in sides
    )
    post(closed, [moved("payment", 0, "", memo="100%_paid", postings=postings)])
    return closed


def ids(books: Books, viewer: Viewer = EVERYONE, **sought: str) -> list[str]:
    return [row.id for row in queries.posted(viewer, books, Sought(**sought))]


def test_every_posting_is_found_where_nothing_is_looked_for(moving: Books) -> None:
    both = [
        row.id
        for period in (OCTOBER, NOVEMBER)
        for row in queries.postings(EVERYONE, moving, period)
    ]

    assert ids(moving) == both
    assert len(both) > len(queries.postings(EVERYONE, moving, NOVEMBER)) == 4


@pytest.mark.parametrize(
    ("sought", "accounts"),
    [
        ({"period": "2026-11"}, {"payable.bob", "exchange", "cash"}),
        ({"account": "payable"}, {"payable.bob", "payable.lab"}),
        ({"account": "payable.lab"}, {"payable.lab"}),
        ({"account": "suspense"}, {"suspense.unclaimed", "suspense.unmatched"}),
        ({"kind": "revenue"}, {"receivable.platform", f"pool.{POOL}", "platform"}),
        ({"payee": "bob"}, {"payable.bob"}),
        ({"pool": POOL, "account": "payable", "payee": "lab"}, {"payable.lab"}),
        ({"text": "revenue of pool"}, {"receivable.platform", f"pool.{POOL}", "platform"}),
        ({"text": "100%_paid"}, {"payable.bob", "exchange", "cash"}),
    ],
)
def test_postings_are_found_by_what_they_are(
    moving: Books, sought: dict[str, str], accounts: set[str]
) -> None:
    assert {row.account for row in queries.posted(EVERYONE, moving, Sought(**sought))} == accounts


@pytest.mark.parametrize(
    "sought",
    [
        {"period": "never"},
        {"kind": "' or 1=1 --"},
        {"account": "pay"},
        {"account": "%"},
        {"payee": "b%"},
        {"text": "1%paid"},
        {"text": "100%-paid"},
    ],
)
def test_what_names_nothing_finds_nothing(moving: Books, sought: dict[str, str]) -> None:
    assert ids(moving, **sought) == []
    assert queries.account_totals(EVERYONE, moving, Sought(**sought)) == []


def test_pages_follow_one_another(moving: Books) -> None:
    pages = [
        [row.id for row in queries.posted(EVERYONE, moving, Sought(), limit=3, offset=start)]
        for start in range(0, 18, 3)
    ]

    assert [row for page in pages for row in page] == ids(moving)
    assert pages[-1] == []


def test_no_page_is_larger_than_the_largest(moving: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "POSTED_MAX", 2)

    assert len(queries.posted(EVERYONE, moving, Sought(), limit=10**9)) == 2
    assert queries.posted(EVERYONE, moving, Sought(), limit=-5) == []
    assert len(queries.posted(EVERYONE, moving, Sought(), limit=2, offset=-5)) == 2


@pytest.mark.parametrize("viewer", [EVERYONE, BOB])
def test_totals_are_the_sums_of_what_is_listed(moving: Books, viewer: Viewer) -> None:
    for sought in (Sought(), Sought(period="2026-10"), Sought(account="payable")):
        rows = queries.posted(viewer, moving, sought)
        totals = queries.account_totals(viewer, moving, sought)

        count = queries.posted_count(viewer, moving, sought)
        assert sum(each.postings for each in totals) == len(rows) == count
        for each in totals:
            mine = [
                row.amount
                for row in rows
                if row.account.partition(".")[0] == each.account
                and row.amount.currency == each.debit.currency
            ]
            assert len(mine) == each.postings
            assert each.balance.micros == sum(amount.micros for amount in mine)
            assert each.debit.micros == sum(max(0, amount.micros) for amount in mine)


def test_a_currency_is_added_up_apart(moving: Books) -> None:
    totals = queries.account_totals(EVERYONE, moving, Sought(account="exchange"))

    assert [(each.balance.micros, each.balance.currency) for each in totals] == [
        (-10, "EUR"),
        (20, "USD"),
    ]


@pytest.mark.parametrize("sought", [{}, {"payee": "lab"}, {"account": "payable.lab"}])
def test_a_payee_finds_own_accounts_only(moving: Books, sought: dict[str, str]) -> None:
    rows = queries.posted(BOB, moving, Sought(**sought))

    assert {row.account for row in rows} == (set() if sought else {"payable.bob"})
    assert sum(e.postings for e in queries.account_totals(BOB, moving, Sought(**sought))) == len(
        rows
    )
    assert queries.posted(Viewer("nobody", frozenset()), moving, Sought(**sought)) == []


def test_kinds_of_accounts_are_told_apart_by_few_letters() -> None:
    assert len({name[:4] for name in ledger.ACCOUNTS}) == len(ledger.ACCOUNTS)
