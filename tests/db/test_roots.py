"""What a month's root is over: fast hashes against plain Python, accounts, and older roots."""

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from db import chain, engines, queries, roots, snapshots
from db.books import ledger
from db.engine import Books, reading
from db.queries import EVERYONE
from db.queries.proofs import proofs
from db.roots import Divided
from royalty import lines, merkle
from royalty.errors import NotReady
from royalty.ledger import Posting, Transaction, reverse
from royalty.money import Money
from tests.db import world
from tests.db.test_chain import tamper

Row = dict[str, Any]
PAYEES = ("ann", "bob", 'q"\n', "Ærø 音楽 🤦🏼‍♂️", "=1", "1:x,")
KEPT = "platform"


def rows_of(count: int) -> list[Row]:
    """Make rows for payees with awkward names, of parties that are paid to two payees, and none."""
    draw = random.Random(count)
    return [
        {
            **{name: draw.choice(("", None, "a", "ab", "b,", *PAYEES)) for name in lines.TEXTS},
            "payee": draw.choice((None, *PAYEES)),
            "kind": draw.choice((KEPT, "attributed")),
            "plays": draw.randrange(3),
            **{name: draw.choice((-(2**62), -1, 0, 7, 2**62)) for name in roots.NUMBERS},
        }
        for _ in range(count)
    ]


def table(rows: Sequence[Row]) -> Any:
    made = pa.Table.from_pylist(list(rows), schema=lines.SCHEMA)
    return engines.connect().create_table("rows_to_hash", made, overwrite=True)


def slowly(rows: Sequence[Row]) -> dict[str, tuple[int, str]]:
    """Hash payees' rows one by one: those that pay them, and what their parties' terms kept."""
    parties = {(row["party"], row["payee"]) for row in rows if row["payee"] is not None}
    texts = defaultdict(list)
    for row in rows:
        cells = [f"{len(row[name] or '')}:{row[name] or ''}" for name in lines.TEXTS]
        text = ",".join([*cells, *(str(row[name]) for name in roots.NUMBERS)]) + "\n"
        whose = [row["payee"]] if row["payee"] is not None else []
        if not whose and row["kind"] == KEPT and row["party"] is not None:
            whose = [payee for party, payee in parties if party == row["party"]]
        for payee in whose:
            texts[payee].append(text.encode())
    return {
        payee: (len(mine), hashlib.sha256(b"".join(sorted(mine))).hexdigest())
        for payee, mine in texts.items()
    }


@pytest.mark.parametrize("count", [0, 1, 30, 3_000])
def test_rows_are_hashed_as_plain_python_does(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "AT_ONCE", 1)  # as few as the engine gives at once
    rows = rows_of(count)

    assert roots.hash_rows(table(rows)) == slowly(rows)


def test_rows_in_any_order_have_one_hash_and_plays_no_part_in_it() -> None:
    rows = rows_of(50)
    other = [{**row, "plays": 9} for row in reversed(rows)]

    assert roots.hash_rows(table(other)) == slowly(rows)


@pytest.mark.parametrize("name", [*roots.NUMBERS, "track", "recording", "work", "right", "pool"])
def test_another_value_in_any_other_column_gives_another_hash(name: str) -> None:
    row = {**rows_of(1)[0], "payee": "ann"}
    other = {**row, name: 8 if name in roots.NUMBERS else "other"}

    assert roots.hash_rows(table([row])) != roots.hash_rows(table([other]))


def stored(books: Books, period: str = "2026-10") -> list[Row]:
    """Read what the leaves of a month say."""
    with reading(books) as connection:
        return [json.loads(leaf) for leaf in roots.stored_leaves(books, connection, period)]


def test_after_the_postings_stand_the_accounts_of_payees(closed: Books) -> None:
    with reading(closed) as connection:
        postings = [json.loads(leaf) for leaf in chain.leaves(connection, "2026-10")]

    *first, bob, lab = stored(closed)

    assert first == postings
    of = slowly(snapshots.read(closed, paid(closed)).to_pylist())
    assert bob == {
        "account": "payable.bob",
        "closing_micros": 3_000_000,
        "currency": "EUR",
        "opening_micros": 0,
        "period": "2026-10",
        "postings": 1,
        "rows": 2,
        "rows_sha256": of["bob"][1],
    }
    assert (lab["account"], lab["rows"]) == ("payable.lab", 4)  # two of them kept by its terms
    assert lab["rows_sha256"] == of["lab"][1]


def paid(books: Books) -> str:
    return queries.payout(EVERYONE, books, world.OCTOBER, world.RULE).snapshot


def moved(payee: str, currency: str = "EUR") -> Transaction:
    sides = ((f"payable.{payee}", 7), ("cash", -7))
    return Transaction(
        kind="payment",
        key=f"paid/{payee}",
        period=world.NOVEMBER,
        effective_on=date(2026, 11, 3),
        postings=tuple(Posting(account=each, amount=Money(n, currency)) for each, n in sides),
    )


def test_an_account_stands_there_if_it_stood_at_something_moved_or_was_allotted_something(
    closed: Books,
) -> None:
    undone = reverse(moved("nil"), period=world.NOVEMBER, effective_on=date(2026, 11, 3))
    ledger.post(closed, [moved("bob"), moved("eve", "USD"), moved("nil"), undone])
    by = Divided(rows=table([{**rows_of(1)[0], "payee": "zoe"}]), currency="EUR")

    def stood(period: str) -> list[tuple[object, ...]]:
        names = ("account", "currency", "opening_micros", "closing_micros", "postings", "rows")
        with reading(closed) as connection:
            said = [json.loads(leaf) for leaf in roots.leaves(connection, period, [], by)]
        return [tuple(each[name] for name in names) for each in said]

    assert stood("2026-11") == [
        ("payable.bob", "EUR", 3_000_000, 2_999_993, 1, 0),
        ("payable.eve", "USD", 0, -7, 1, 0),
        ("payable.lab", "EUR", 5_400_000, 5_400_000, 0, 0),
        ("payable.nil", "EUR", 0, 0, 2, 0),
        ("payable.zoe", "EUR", 0, 0, 0, 1),
    ]
    assert stood("2026-12") == [
        ("payable.bob", "EUR", 2_999_993, 2_999_993, 0, 0),
        ("payable.eve", "USD", -7, -7, 0, 0),
        ("payable.lab", "EUR", 5_400_000, 5_400_000, 0, 0),
        ("payable.zoe", "EUR", 0, 0, 0, 1),
    ]


@pytest.fixture
def of_before(closed: Books) -> Books:
    """Books whose October was closed before roots were over more than postings."""
    with reading(closed) as connection:
        root = merkle.root(chain.leaves(connection, "2026-10"))
    tamper(closed, f"update period set root = '{root}', root_version = 1 where root is not null")
    return closed


def test_a_root_over_postings_only_still_holds(of_before: Books) -> None:
    [october, _] = queries.periods(EVERYONE, of_before)

    found = queries.find_root(of_before, october.root)

    assert found.posted == found.closed_with == october.root
    assert not [fault for fault in queries.verify_books(of_before) if "root" in fault]
    by = Divided(rows=table([]), currency="EUR")
    again = queries.root_with(EVERYONE, of_before, world.OCTOBER, world.transactions(), by)
    assert again == october.root
    with pytest.raises(NotReady, match="over its postings only, which proves no account"):
        proofs(EVERYONE, of_before, "bob", world.OCTOBER, [])


def test_a_month_divided_into_other_rows_has_another_root(closed: Books) -> None:
    [october, _] = queries.periods(EVERYONE, closed)
    same, other = world.allocations().to_pylist(), world.allocations().to_pylist()
    other[0]["low_micros"] -= 1

    again = [
        queries.root_with(
            EVERYONE,
            closed,
            world.OCTOBER,
            world.transactions(),
            Divided(rows=table(rows), currency="EUR"),
        )
        for rows in (same, other)
    ]

    assert again[0] == october.root != again[1]


def test_rows_that_were_exchanged_are_found_by_the_root(closed: Books) -> None:
    others = world.allocations().to_pylist()
    others[0]["micros"], others[5]["micros"] = others[5]["micros"], others[0]["micros"]
    other = snapshots.write(closed, "allocations", pa.Table.from_pylist(others, lines.SCHEMA))
    tamper(closed, f"update payout set snapshot = '{other}'")

    faults = [fault for fault in queries.verify_books(closed) if "was closed with root" in fault]

    assert len(faults) == 1
