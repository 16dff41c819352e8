from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty import ledger
from royalty.errors import Conflict, UnbalancedTransaction
from royalty.ledger import (
    Converted,
    PoolMoney,
    Posting,
    Total,
    Transaction,
    closing_transactions,
    reverse,
)
from royalty.money import Money
from tests.royalty.worlds import FIRST, OCTOBER, balances

POOL = "2026-10/app/DE/EUR"
amounts = st.integers(-(10**15), 10**15)


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def total(kind: str, micros: int, payee: str | None = None, right: str | None = "master") -> Total:
    return Total(pool=POOL, payee=payee, right=right, kind=kind, amount=eur(micros))


def transaction(*postings: tuple[str, Money]) -> Transaction:
    return Transaction(
        kind="revenue",
        key="k",
        period=OCTOBER,
        effective_on=FIRST,
        postings=tuple(Posting(account=account, amount=amount) for account, amount in postings),
    )


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    postings = []
    for currency in draw(st.sets(st.sampled_from(["EUR", "USD"]), min_size=1)):
        sides = draw(st.lists(amounts, min_size=1, max_size=4))
        postings += [(f"a{n}", Money(side, currency)) for n, side in enumerate(sides)]
        postings.append(("b", Money(-sum(sides), currency)))
    return transaction(*postings)


def test_a_transaction_that_does_not_sum_to_zero_is_refused() -> None:
    with pytest.raises(UnbalancedTransaction, match=r"k is off by €0\.000001"):
        transaction(("a", eur(2)), ("b", eur(-1)))


def test_each_currency_sums_to_zero_by_itself() -> None:
    with pytest.raises(UnbalancedTransaction):
        transaction(("a", eur(1)), ("b", Money(-1, "USD")))


def test_a_transaction_without_postings_is_refused() -> None:
    with pytest.raises(UnbalancedTransaction, match="has no postings"):
        transaction()


@given(original=transactions())
def test_a_reversal_brings_balances_to_zero_and_its_reversal_restores_them(original) -> None:
    undone = reverse(original, period=OCTOBER.next, effective_on=OCTOBER.end)
    restored = reverse(undone, period=OCTOBER.next, effective_on=OCTOBER.end)

    assert all(not amount.micros for amount in balances([original, undone]).values())
    assert balances([original, undone, restored]) == balances([original])
    assert restored.postings == original.postings
    assert (undone.reverses, undone.key) == ("k", "k/reversal")
    assert (restored.reverses, restored.key) == ("k/reversal", "k/reversal/reversal")


def test_closing_books_revenue_in_and_its_division_out() -> None:
    pools = [PoolMoney(id=POOL, gross=eur(1000), amount=eur(700))]
    totals = [
        total("attributed", 300, "ann"),
        total("unattributed", 100, "ann"),
        total("attributed", 50, "ann", "publishing"),
        total("attributed", 150, "bob"),
        total("suspense_unclaimed", 60),
        total("suspense_unmatched", 30, right=None),
        total("platform", 10),
    ]

    revenue, division = closing_transactions(OCTOBER, pools, totals)

    assert revenue.key == f"2026-10/revenue/{POOL}"
    assert [(each.account, each.amount.micros) for each in revenue.postings] == [
        ("receivable.platform", 1000),
        (f"pool.{POOL}", -700),
        ("platform", -300),
    ]
    assert division.key == f"2026-10/allocation/{POOL}"
    assert division.effective_on == date(2026, 10, 31)
    assert [(each.account, each.right, each.amount.micros) for each in division.postings] == [
        (f"pool.{POOL}", None, 700),
        ("payable.ann", "master", -400),
        ("payable.ann", "publishing", -50),
        ("payable.bob", "master", -150),
        ("platform", "master", -10),
        ("suspense.unclaimed", "master", -60),
        ("suspense.unmatched", None, -30),
    ]
    assert {each.pool for each in division.postings} == {POOL}


def test_revenue_in_another_currency_passes_through_exchange_in_both() -> None:
    converted = Converted(came=Money(1100, "USD"), rate="2026-10-30/USD/EUR")
    pools = [PoolMoney(id=POOL, gross=eur(1000), amount=eur(700), converted=converted)]

    revenue, _ = closing_transactions(OCTOBER, pools, [total("attributed", 700, "ann")])

    assert [(each.account, each.amount, each.fx_rate) for each in revenue.postings] == [
        ("receivable.platform", Money(1100, "USD"), "2026-10-30/USD/EUR"),
        ("exchange", Money(-1100, "USD"), "2026-10-30/USD/EUR"),
        ("exchange", eur(1000), "2026-10-30/USD/EUR"),
        (f"pool.{POOL}", eur(-700), None),
        ("platform", eur(-300), None),
    ]
    assert {each.pool for each in revenue.postings} == {POOL}


def test_a_pool_is_empty_once_it_is_divided() -> None:
    pools = [PoolMoney(id=POOL, gross=eur(9), amount=eur(7))]

    posted = closing_transactions(OCTOBER, pools, [total("attributed", 7, "ann")])

    assert balances(posted)[ledger.pool(POOL), "EUR"] == eur(0)
    assert balances(posted)[ledger.payable("ann"), "EUR"] == eur(-7)


def test_the_order_of_totals_changes_nothing() -> None:
    pools = [PoolMoney(id=POOL, gross=eur(9), amount=eur(7))]
    totals = [total("attributed", 3, "bob"), total("attributed", 4, "ann")]

    assert closing_transactions(OCTOBER, pools, totals) == closing_transactions(
        OCTOBER, pools, totals[::-1]
    )


def test_a_pool_in_which_no_money_moved_posts_nothing() -> None:
    pools = [PoolMoney(id=POOL, gross=eur(0), amount=eur(0))]

    assert closing_transactions(OCTOBER, pools, [total("attributed", 0, "ann")]) == []


def test_a_rate_of_nothing_leaves_all_to_the_platform() -> None:
    (revenue,) = closing_transactions(
        OCTOBER, [PoolMoney(id=POOL, gross=eur(5), amount=eur(0))], []
    )

    assert [each.account for each in revenue.postings] == ["receivable.platform", "platform"]


def test_totals_that_do_not_sum_to_their_pool_are_refused() -> None:
    with pytest.raises(UnbalancedTransaction):
        closing_transactions(
            OCTOBER,
            [PoolMoney(id=POOL, gross=eur(9), amount=eur(7))],
            [total("attributed", 6, "ann")],
        )


def test_totals_of_a_pool_that_is_not_given_are_refused() -> None:
    with pytest.raises(Conflict, match=POOL):
        closing_transactions(OCTOBER, [], [total("attributed", 6, "ann")])


def test_attributed_money_without_a_payee_is_refused() -> None:
    with pytest.raises(Conflict, match="names no payee"):
        closing_transactions(
            OCTOBER, [PoolMoney(id=POOL, gross=eur(9), amount=eur(7))], [total("attributed", 7)]
        )


def test_a_payable_account_tells_its_payee() -> None:
    assert ledger.payee_of(ledger.payable("j.s.bach")) == "j.s.bach"
    assert ledger.payee_of(ledger.platform()) is None


def test_an_account_of_suspense_tells_what_waits_there() -> None:
    for kind in ledger.SUSPENSE:
        assert ledger.suspense_of(ledger.suspense(kind)) == kind
    assert ledger.suspense_of(ledger.payable("suspense.held")) is None
    assert ledger.suspense_of(ledger.pool("suspense")) is None
