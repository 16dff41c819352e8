# ruff: noqa: E501  one case a line reads best
import sqlite3

import pytest

from db import chain
from db.engine import Books
from db.queries import verify_chain
from db.triggers import REFUSALS
from tests.db import world


def tamper(books: Books, statement: str) -> None:
    """Write past the triggers, as somebody who owns the file can."""
    connection = sqlite3.connect(books.home / "ledger.db", isolation_level=None)
    for refusal in REFUSALS:
        connection.execute(f"drop trigger {refusal.trigger}")
    connection.execute(statement)
    connection.close()


def test_untouched_books_verify(closed: Books) -> None:
    assert verify_chain(closed) is None


def test_empty_books_verify(books: Books) -> None:
    assert verify_chain(books) is None


@pytest.mark.parametrize(
    ("statement", "transaction", "why"),
    [
        ("update posting set amount_micros = amount_micros + 1 where transaction_id = 1 and line = 1", 1, "not what was hashed"),
        ("update posting set account = 'payable.mallory' where account = 'payable.bob'", 2, "not what was hashed"),
        ("delete from posting where transaction_id = 2 and line = 3", 2, "not what was hashed"),
        ("insert into posting values (1, 9, 'cash', 0, 'EUR', null, null)", 1, "not what was hashed"),
        ("update transaction_ set effective_on = '2026-01-01' where id = 2", 2, "not what was hashed"),
        ("update transaction_ set hash = content_sha256 where id = 1", 1, "not what was hashed"),
        ("update transaction_ set prev_hash = hash where id = 2", 2, "does not follow"),
        ("update transaction_ set sealed = 0 where id = 1", 1, "not sealed"),
        ("delete from transaction_ where id = 1", 2, "transaction 1 is missing"),
        ("delete from transaction_ where id = 2", 1, "what period 2026-10 was closed with"),
    ],
)  # fmt: skip
def test_the_first_broken_link_is_named(
    closed: Books, statement: str, transaction: int, why: str
) -> None:
    tamper(closed, statement)

    broken = verify_chain(closed)

    assert broken is not None
    assert broken.transaction == transaction
    assert why in str(broken)


def test_the_first_of_several_broken_links_is_named(closed: Books) -> None:
    tamper(closed, "update posting set amount_micros = 1")

    broken = verify_chain(closed)

    assert broken is not None
    assert broken.transaction == 1


def test_the_content_hash_does_not_depend_on_when_or_where() -> None:
    first, second = world.transactions()[0], world.transactions()[0]

    assert chain.content(first) == chain.content(second)


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert chain.digest({"a": 1, "ö": None}) == chain.digest({"ö": None, "a": 1})
    assert chain.digest({"a": 1}) != chain.digest({"a": "1"})
