from pathlib import Path

import pyarrow as pa
import pytest

from db import queries, snapshots
from db.books.payouts import record_payout
from db.engine import Books
from db.queries import EVERYONE, Payout, Viewer, Window
from royalty.money import Money
from tests.db import world


@pytest.fixture
def two(books: Books, tmp_path: Path) -> tuple[Payout, Payout]:
    """October by two rules, of which the second gives Bob's line of t1 two euros and no more."""
    world.with_payout(books, tmp_path)
    rows = world.allocations().to_pylist()
    for row in rows:
        if (row["track"], row["payee"]) == ("t1", "bob"):
            row |= {"micros": 1_000_000, "low_micros": 500_000, "high_micros": 1_500_000}
        if (row["track"], row["payee"]) == ("t1", "lab"):
            row |= {"micros": 5_500_000, "low_micros": 4_500_000, "high_micros": 6_500_000}
    table = pa.Table.from_pylist(rows, schema=snapshots.SCHEMAS["allocations"])
    changed = {
        "rule": "user_centric",
        "snapshot": snapshots.write(books, "allocations", table),
        "payees": [
            ("bob", 2_000_000, 1_500_000, 2_500_000, 1_000_000),
            ("lab", 6_400_000, 5_400_000, 7_400_000, 5_500_000),
        ],
    }
    record_payout(books, world.payout_facts(books, **changed))
    one, other = (
        queries.payout(EVERYONE, books, world.OCTOBER, rule)
        for rule in (world.RULE, "user_centric")
    )
    return one, other


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def test_differences_come_from_the_lines_with_their_intervals(
    books: Books, two: tuple[Payout, Payout]
) -> None:
    found = queries.differences(EVERYONE, books, *two)

    assert [(each.payee, each.amount, each.low, each.high) for each in found] == [
        ("bob", eur(-1_000_000), eur(-1_500_000), eur(-500_000)),
        ("lab", eur(1_000_000), eur(800_000), eur(1_200_000)),
    ]


def test_differences_are_those_of_what_payouts_pay(
    books: Books, two: tuple[Payout, Payout]
) -> None:
    one, other = ({payee.id: payee.amount for payee in each.payees} for each in two)

    for each in queries.differences(EVERYONE, books, *two):
        assert each.amount == other[each.payee] - one[each.payee]


def test_the_way_back_is_the_other_sign(books: Books, two: tuple[Payout, Payout]) -> None:
    there = {each.payee: each for each in queries.differences(EVERYONE, books, *two)}

    for back in queries.differences(EVERYONE, books, *reversed(two)):
        forth = there[back.payee]
        assert (back.amount, back.low, back.high) == (-forth.amount, -forth.high, -forth.low)


def test_a_payee_sees_only_what_it_would_gain_itself(
    books: Books, two: tuple[Payout, Payout]
) -> None:
    bob = Viewer("bob", frozenset({"bob"}))

    assert [each.payee for each in queries.differences(bob, books, *two)] == ["bob"]


def test_some_differences_are_those_of_all(books: Books, two: tuple[Payout, Payout]) -> None:
    heads = tuple(
        queries.earnings(EVERYONE, books, world.OCTOBER, rule)
        for rule in (world.RULE, "user_centric")
    )
    everybody = queries.differences(EVERYONE, books, *two)

    found = queries.differences_of(EVERYONE, books, heads, ["bob", "nobody"])

    assert found == tuple(each for each in everybody if each.payee == "bob")
    assert queries.differences_of(Viewer("lab", frozenset({"lab"})), books, heads, ["bob"]) == ()


def test_payees_rank_by_a_weighed_sum_of_payouts(books: Books, two: tuple[Payout, Payout]) -> None:
    one, other = (each.id for each in two)

    def ranked(viewer: Viewer = EVERYONE, limit: int = 5, **weights: int) -> list[str]:
        by_id = {one: weights["one"], other: weights["other"]}
        return queries.ranked(viewer, books, by_id, Window(limit=limit))

    assert ranked(one=1, other=0) == ["lab", "bob"]
    assert ranked(one=10, other=-8) == ["bob", "lab"]  # 14 and 2.8
    assert ranked(one=1, other=1, limit=1) == ["lab"]
    assert ranked(Viewer("bob", frozenset({"bob"})), one=1, other=1) == ["bob"]


def test_payouts_of_some_payees_are_those_of_the_payouts(
    books: Books, two: tuple[Payout, Payout]
) -> None:
    ids = {each.id: "EUR" for each in two}

    found = queries.paid_to(EVERYONE, books, ids, ["bob", "nobody"])

    for each in two:
        assert found[each.id] == {payee.id: payee for payee in each.payees if payee.id == "bob"}
    assert queries.paid_to(Viewer("lab", frozenset({"lab"})), books, ids, ["bob"]) == {
        id_: {} for id_ in ids
    }
