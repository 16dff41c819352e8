# ruff: noqa: E501  one case a line reads best
import re
import sqlite3
from dataclasses import replace

import pytest

from db import chain
from db.books import ledger
from db.engine import Books
from db.queries import verify_books, verify_chain
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
        ("insert into posting values (1, 9, 'cash', 0, 'EUR', null, null, null)", 1, "not what was hashed"),
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


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("update payout_payee set micros = micros + 5 where payee = 'bob'", "payout 2026-10/pro_rata is not what was computed"),
        ("update payout_payee set micros = micros + 5 where payee = 'bob'", "period 2026-10 closed with 3000000 micros posted to bob; payout 2026-10/pro_rata says 3000005"),
        ("delete from payout_payee where payee = 'bob'", "posted to bob; payout 2026-10/pro_rata says 0"),
        ("delete from payout", "payout 2026-10/pro_rata that period 2026-10 closed with is gone"),
        ("update payout set platform_micros = 7", "is not what was computed"),
        ("update payout set period = '2026-11'", "that period 2026-10 closed with is gone"),
        ("delete from payout_track", "is not what was computed"),
        ("update posting set account = 'payable.eve' where account = 'payable.bob'", "transaction 2"),
        ("update posting set account = 'payable.eve' where account = 'payable.bob'", "3000000 micros posted to eve"),
        ("select 1", "trigger posting_update_never is missing"),
        ("create trigger posting_update_never before update on posting when false begin select 1; end", "trigger posting_update_never is not the one that was installed"),
        ("create trigger helpful after insert on posting begin select 1; end", "trigger helpful is none of ours"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_was_written_is_said(
    closed: Books, statement: str, sentence: str
) -> None:
    assert verify_books(closed) == []

    tamper(closed, statement)

    assert re.search(sentence, "\n".join(verify_books(closed)))


def test_lost_snapshots_are_said_with_the_rest(closed: Books) -> None:
    for path in (closed.home / "snapshots").iterdir():
        path.unlink()

    assert len(verify_books(closed)) == 4


def test_what_is_adjusted_in_a_period_before_it_closes_is_no_part_of_its_payout(
    computed: Books,
) -> None:
    [_, division] = world.transactions()
    adjustment = replace(division, kind="adjustment", key="late", period=world.OCTOBER)
    ledger.post(computed, [adjustment])
    world.close_october(computed)

    assert verify_books(computed) == []


def test_the_content_hash_does_not_depend_on_when_or_where() -> None:
    first, second = world.transactions()[0], world.transactions()[0]

    assert chain.content(first) == chain.content(second)


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert chain.digest({"a": 1, "ö": None}) == chain.digest({"ö": None, "a": 1})
    assert chain.digest({"a": 1}) != chain.digest({"a": "1"})
