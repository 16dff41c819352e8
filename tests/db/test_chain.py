# ruff: noqa: E501  one case a line reads best
import dataclasses
import json
import re
import sqlite3
from dataclasses import replace
from datetime import date

import pytest

from db import chain, queries, schema
from db.books import ledger
from db.engine import Books, now, reading, writing
from db.queries import EVERYONE, verify_books, verify_chain
from db.refusals import REFUSALS
from royalty.ledger import Posting, Transaction
from royalty.money import Money
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
        ("update period set root = hex(zeroblob(32)) where status = 'closed'", "period 2026-10 was closed with root 0{64}; it has root [0-9a-f]{64}"),
        ("update posting set amount_micros = amount_micros + 1 where transaction_id = 1 and line = 1", "period 2026-10 was closed with root [0-9a-f]{64}; it has root"),
        ("delete from posting where transaction_id = 2 and line = 3", "it has root"),
        ("update transaction_ set key = 'other' where id = 1", "it has root"),
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
    kept = list((closed.home / "snapshots").iterdir())
    for path in kept:
        path.unlink()

    assert len(verify_books(closed)) == len(kept) > 0


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


NASTY = (
    'payable."',
    "payable.\\",
    "payable.\n\t\x00\x1f",
    "payable.Ærø 音楽 \u2028 😀",
    "payable.'",
)


def test_a_leaf_says_what_a_posting_says_and_nothing_of_when(closed: Books) -> None:
    with reading(closed) as connection:
        first, *_ = chain.leaves(connection, "2026-10")

    assert first.decode() == (
        '{"account":"receivable.platform","amount_micros":20000000,"currency":"EUR",'
        '"effective_on":"2026-10-31","key":"2026-10/revenue/2026-10/app/DE/EUR","kind":"revenue",'
        '"line":1,"period":"2026-10","pool":"2026-10/app/DE/EUR","right":null}'
    )


def test_leaves_stream_as_they_are_written_one_by_one(books: Books) -> None:
    rate = {"id": 'r"1', "day": date(2026, 10, 30), "base": "USD", "quote": "EUR", "rate_ppb": 9}
    with writing(books) as connection:
        connection.execute(schema.fx_rate.insert(), rate | {"source": "", "recorded_at": now()})
    kept = [postings(account, rate["id"]) for account in NASTY]
    ledger.post(books, kept)

    with reading(books) as connection:
        streamed = list(chain.leaves(connection, "2026-10"))

    assert streamed == [
        chain.leaf(dataclasses.asdict(each) | {"period": "2026-10"}, line)
        for each in kept
        for line in chain.lines(each)
    ]
    assert [json.loads(leaf)["account"] for leaf in streamed[::2]] == list(NASTY)
    assert [json.loads(leaf).get("fx_rate") for leaf in streamed[:2]] == ['r"1', None]


def postings(account: str, rate: str) -> Transaction:
    euro = Money(1, "EUR")
    return Transaction(
        kind='pay"ment',
        key=f"2026-10/{account}",
        period=world.OCTOBER,
        effective_on=date(2026, 10, 31),
        postings=(
            Posting(account=account, amount=euro, right=account, pool=account, fx_rate=rate),
            Posting(account="cash", amount=-euro),
        ),
    )


def test_the_root_of_a_closed_month_is_found(closed: Books) -> None:
    [october, _] = queries.periods(EVERYONE, closed)

    found = queries.find_root(closed, october.root)

    assert (found.period, found.closed_with) == (world.OCTOBER, october.root)
    assert found.posted == october.root
    assert queries.find_root(closed, "0" * 64) is None


def test_a_root_that_was_kept_tells_that_postings_were_changed(closed: Books) -> None:
    [october, _] = queries.periods(EVERYONE, closed)
    tamper(closed, "update posting set account = 'payable.eve' where account = 'payable.bob'")

    found = queries.find_root(closed, october.root)

    assert found.closed_with == october.root != found.posted


def test_a_root_that_was_kept_is_of_the_postings_whatever_the_books_say_it_was(
    closed: Books,
) -> None:
    [october, _] = queries.periods(EVERYONE, closed)
    tamper(closed, "update period set root = null")

    found = queries.find_root(closed, october.root)

    assert (found.closed_with, found.posted) == (None, october.root)
    assert verify_chain(closed) is None


def test_the_books_of_before_there_were_roots_are_sound(closed: Books) -> None:
    tamper(closed, "update period set root = null")

    assert not [fault for fault in verify_books(closed) if "root" in fault]
