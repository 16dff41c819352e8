from datetime import date
from itertools import permutations

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.engines import connect
from royalty import lines
from royalty.ledger import (
    PoolMoney,
    Posting,
    Total,
    Transaction,
    closing_transactions,
    payable,
    reverse,
)
from royalty.money import Money
from royalty.period import Period
from royalty.restatement import (
    Into,
    adjustments,
    by_track,
    changes,
    is_of,
    memo,
    month_adjusted,
    moved,
    share_changes,
)

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)
INTO = Into(period=NOVEMBER, day=date(2026, 11, 5), memo="late usage")
POOL, FRANCE = "2026-10/app/DE/EUR", "2026-10/app/FR/EUR"

Amounts = dict[str, int]


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def month(amounts: Amounts, *, pool: str = POOL, gross: int | None = None) -> list[Transaction]:
    """What dividing October posts that owes these amounts."""
    whole = sum(amounts.values())
    money = PoolMoney(id=pool, gross=eur(gross or whole), amount=eur(whole))
    totals = [
        Total(pool=pool, payee=payee, right="master", kind="attributed", amount=eur(micros))
        for payee, micros in amounts.items()
    ]
    return closing_transactions(OCTOBER, [money], totals)


def owed(transactions: list[Transaction], payee: str) -> int:
    postings = [each for transaction in transactions for each in transaction.postings]
    return -sum(each.amount.micros for each in postings if each.account == payable(payee))


def undo(transaction: Transaction) -> Transaction:
    return reverse(transaction, period=NOVEMBER, effective_on=INTO.day)


def test_oracle_x() -> None:
    # Paid A 60, B 40; restated 55/45: A -5.00 and B +5.00 in the open period, the closed untouched.
    posted = month({"a": 60_000_000, "b": 40_000_000})

    [made] = adjustments(posted, month({"a": 55_000_000, "b": 45_000_000}), INTO)

    assert [(each.account, str(each.amount)) for each in made.postings] == [
        ("payable.a", "€5.00"),
        ("payable.b", "-€5.00"),
    ]
    assert (made.kind, made.period, made.effective_on) == ("adjustment", NOVEMBER, INTO.day)
    assert made.key == f"2026-11/adjustment/2026-10/allocation/{POOL}/1"
    assert made.adjusts == f"2026-10/allocation/{POOL}"
    assert made.memo == "late usage"


def test_what_is_as_it_was_posts_nothing() -> None:
    posted = month({"a": 60, "b": 40})

    assert adjustments(posted, month({"b": 40, "a": 60}), INTO) == []


def test_late_revenue_adjusts_the_revenue_and_the_division_each() -> None:
    made = adjustments(month({"a": 60}, gross=100), month({"a": 90}, gross=150), INTO)

    assert [each.adjusts for each in made] == [
        f"2026-10/revenue/{POOL}",
        f"2026-10/allocation/{POOL}",
    ]
    [revenue, division] = made
    assert {each.account: each.amount.micros for each in revenue.postings} == {
        "receivable.platform": 50,
        f"pool.{POOL}": -30,
        "platform": -20,
    }
    assert {each.account: each.amount.micros for each in division.postings} == {
        f"pool.{POOL}": 30,
        "payable.a": -30,
    }


def test_a_pool_that_the_month_did_not_have_adjusts_its_first_transaction_and_is_found_again() -> (
    None
):
    posted, first = month({"a": 60}), f"2026-10/revenue/{POOL}"
    wanted = [*posted, *month({"b": 10}, pool=FRANCE)]

    made = adjustments(posted, wanted, INTO)

    assert [each.adjusts for each in made] == [first, first]
    assert made[1].key == f"2026-11/adjustment/2026-10/allocation/{FRANCE}/1"
    assert adjustments([*posted, *made], wanted, INTO) == []
    back = adjustments([*posted, *made], posted, INTO)
    assert {each.key for each in back} == {
        f"2026-11/adjustment/2026-10/{kind}/{FRANCE}/2" for kind in ("revenue", "allocation")
    }


@pytest.mark.parametrize("which", [0, 1])
def test_what_was_reversed_is_posted_again(which: int) -> None:
    wanted = month({"a": 50, "b": 50})
    posted = month({"a": 60, "b": 40})
    posted += adjustments(posted, wanted, INTO)
    undone = [posted[1], posted[-1]][which]  # the division, or its adjustment

    [made] = adjustments([*posted, undo(undone)], wanted, INTO)

    assert made.postings == tuple(sorted(undone.postings, key=lambda each: each.account))
    assert made.key.endswith("/2")


amounts = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 10**9), min_size=1)


@given(amounts, st.lists(amounts, min_size=1, max_size=4))
def test_a_month_comes_to_what_it_was_last_restated_to(
    first: Amounts, later: list[Amounts]
) -> None:
    posted = month(first)
    for each in later:
        wanted = month(each)
        posted += adjustments(posted, wanted, INTO)

        assert adjustments(posted, wanted, INTO) == []
        assert all(owed(posted, payee) == each.get(payee, 0) for payee in "abcd")
    assert len({each.key for each in posted}) == len(posted)


@given(amounts, amounts)
def test_going_there_and_back_nets_to_zero(first: Amounts, second: Amounts) -> None:
    closed = month(first)
    there = adjustments(closed, month(second), INTO)
    back = adjustments([*closed, *there], closed, INTO)

    sums: dict[tuple[object, ...], int] = {}
    for posting in (each for transaction in [*there, *back] for each in transaction.postings):
        key = (posting.account, posting.right, posting.pool)
        sums[key] = sums.get(key, 0) + posting.amount.micros
    assert not any(sums.values())


@given(amounts, st.lists(amounts, min_size=2, max_size=3))
def test_the_order_of_late_files_does_not_matter(first: Amounts, files: list[Amounts]) -> None:
    """A late file adds to what is owed; after all of them the month comes to the same."""
    ends = set()
    for order in permutations(files):
        posted, owing = month(first), dict(first)
        for file in order:
            owing = {name: owing.get(name, 0) + file.get(name, 0) for name in {*owing, *file}}
            posted += adjustments(posted, month(owing), INTO)
        ends.add(tuple(owed(posted, payee) for payee in "abcd"))
    assert len(ends) == 1


def test_several_currencies_and_their_rates_stay_apart() -> None:
    def came(dollars: int) -> Transaction:
        sides = [("receivable.platform", dollars), ("exchange", -dollars)]
        postings = [
            Posting(account=name, amount=Money(micros, "USD"), pool=POOL, fx_rate="a/USD/EUR")
            for name, micros in sides
        ]
        return Transaction(
            kind="revenue",
            key=f"2026-10/revenue/{POOL}",
            period=OCTOBER,
            effective_on=date(2026, 10, 31),
            postings=tuple(postings),
        )

    [made] = adjustments([came(100)], [came(130)], INTO)

    assert {(each.account, each.amount, each.fx_rate) for each in made.postings} == {
        ("receivable.platform", Money(30, "USD"), "a/USD/EUR"),
        ("exchange", Money(-30, "USD"), "a/USD/EUR"),
    }


def test_accounts_show_what_they_come_to_before_and_after() -> None:
    posted = month({"a": 60, "b": 40})

    rows = {each.account: each for each in moved(posted, month({"a": 55, "c": 45}))}

    assert {name: each.difference.micros for name, each in rows.items()} == {
        "payable.a": -5,
        "payable.b": -40,
        "payable.c": 45,
        f"pool.{POOL}": 0,
        "receivable.platform": 0,
    }
    assert (rows["payable.a"].before, rows["payable.a"].restated) == (eur(60), eur(55))


def test_a_month_that_posted_nothing_is_named_by_the_key_alone() -> None:
    made = adjustments([], month({"a": 60}), INTO)

    assert [each.adjusts for each in made] == [None, None]
    assert {month_adjusted(each.key) for each in made} == {OCTOBER}
    assert month_adjusted(f"2026-10/allocation/{POOL}") is None
    assert month_adjusted("2026-11/adjustment/lab") is None


def test_a_month_knows_its_own() -> None:
    key = f"2026-11/adjustment/2026-10/allocation/{POOL}/1"

    assert is_of(OCTOBER, key, "adjustment")
    assert not is_of(NOVEMBER, key, "adjustment")
    assert is_of(OCTOBER, f"2026-10/revenue/{POOL}", "revenue")
    assert not is_of(OCTOBER, "2026-10/reserve/ann", "reserve")


def test_what_changed_is_said_in_plain_words() -> None:
    before = {"usage": ["a"], "revenue": ["b"], "rights.interests": ["c"], "shares": ["d"]}

    after = before | {"usage": ["a", "e"], "rights.interests": ["f"], "shares": ["d", "g"]}
    said = changes(before, after)

    assert said == ["late usage", "restated interests"]
    assert memo(said, "the label asked") == "late usage; restated interests: the label asked"
    assert memo([], "") == "divided again, it comes to something else"
    assert share_changes([("g1", 2), ("g4", 1), ("g1", 3), ("g1", 1)]) == [
        "corrected shares of g1",
        "shares of g4, which had none",
    ]
    assert share_changes([(f"g{n}", 2) for n in range(5)]) == [
        "corrected shares of g0, g1, g2 and 2 more"
    ]


def test_the_tracks_that_move_a_payees_money_most_are_named() -> None:
    def rows(*found: tuple[str | None, str, int]) -> ibis.Table:
        blank = dict.fromkeys(lines.SCHEMA.names)
        named = [blank | {"payee": p, "track": t, "micros": m} for p, t, m in found]
        return ibis.memtable(pa.Table.from_pylist(named, schema=lines.SCHEMA))

    before = rows(("ann", "g1", 10), ("ann", "g2", 5), (None, "g9", 7), ("bob", "g1", 3))
    after = rows(
        ("ann", "g1", 4), ("ann", "g1", 1), ("ann", "g2", 6), ("ann", "", 2), ("bob", "g1", 3)
    )

    found = connect().to_pyarrow(by_track(before, after, 2)).to_pylist()

    assert [tuple(row.values()) for row in found] == [("ann", "g1", -5), ("ann", "", 2)]
