"""What movements walk back to."""

from dataclasses import replace
from datetime import date

import pytest

from db import queries, schema, snapshots
from db.books.holds import Release, make_hold, release_hold
from db.books.ledger import post
from db.books.payouts import record_payout
from db.engine import Books, writing
from db.queries import EVERYONE, Step, Viewer
from royalty.errors import NotFound
from royalty.holds import Hold
from royalty.ledger import Posting
from royalty.money import Money
from tests.db import world
from tests.db.moving import DIVISION, adjusted, moved, post_and_close
from tests.db.world import NOVEMBER

NOW = "2026-11-15T00:00:00.000000Z"


def walked(books: Books, id_: str) -> list[Step]:
    return list(queries.trail(EVERYONE, books, id_).steps)


def found(books: Books, id_: str, step: str) -> Step:
    [each] = [each for each in walked(books, id_) if each.step == step]
    return each


def movement_posting(books: Books, kind: str) -> str:
    [row] = [
        row
        for row in queries.postings(EVERYONE, books, NOVEMBER)
        if row.payee == "lab" and row.kind == kind
    ]
    return row.id


def test_a_statements_movement_walks_back_by_its_number(closed: Books) -> None:
    post_and_close(closed, moved("reserve", 10, "reserve.lab"))

    movement, posting = walked(closed, "2026-11/lab/1")

    assert (movement.step, posting.step) == ("movement", "posting")
    assert movement.facts["term"] == "reserved"
    assert movement.facts["amount"] == "-€1.00"
    assert posting.facts["kind"] == "reserve"
    with pytest.raises(NotFound, match="0 lines and 1 movements, and no line 2"):
        walked(closed, "2026-11/lab/2")


def test_what_is_held_walks_back_to_who_held_it_and_why(closed: Books) -> None:
    hold = Hold(
        kind="held",
        subject="2026-10/lab/1",
        payee="lab",
        amount=Money(100, "EUR"),
        reason="the contract is being checked",
    )
    made = make_hold(closed, hold, name="mia")
    release_hold(closed, made.id, Release(name="noa", why="it is in order"))

    steps = walked(closed, movement_posting(closed, "reversal"))

    assert [step.step for step in steps] == ["posting", "transaction", "posting", "hold"]
    assert steps[0].facts["memo"] == "it is in order"
    assert (steps[1].id, steps[3].id) == (made.id, made.id)
    assert steps[3].facts["reason"] == "the contract is being checked"
    assert (steps[3].facts["opened_by"], steps[3].facts["ending"]) == ("mia", "released")


def test_a_payment_walks_back_to_its_rate_and_to_what_the_bank_said(closed: Books) -> None:
    with writing(closed) as connection:
        connection.execute(
            schema.fx_rate.insert(),
            {"id": "2026-11-15/EUR/USD", "base": "EUR", "quote": "USD", "rate_ppb": 2 * 10**9}
            | {"day": date(2026, 11, 15), "source": "ECB", "recorded_at": NOW},
        )
        connection.execute(
            schema.payment.insert(),
            {"id": "2026-11/lab/1", "period": "2026-10", "payee": "lab", "currency": "EUR"}
            | {"gross_micros": 10**6, "withheld_micros": 0, "paid_currency": "USD"}
            | {"paid_micros": 2 * 10**6, "fx_rate": "2026-11-15/EUR/USD"}
            | {"day": date(2026, 11, 15), "recorded_at": NOW},
        )
        connection.execute(
            schema.payment_event.insert(),
            {"payment": "2026-11/lab/1", "number": 1, "event": "failed", "note": "no such account"}
            | {"day": date(2026, 11, 17), "recorded_at": NOW},
        )
    sides = [("payable.lab", 1, "EUR"), ("exchange", -1, "EUR")]
    sides += [("exchange", 2, "USD"), ("cash", -2, "USD")]
    postings = tuple(
        Posting(account=account, amount=Money(n * 10**6, currency), fx_rate="2026-11-15/EUR/USD")
        for account, n, currency in sides
    )
    post(closed, [moved("payment", 0, "", key="payment/2026-11/lab/1", postings=postings)])

    steps = walked(closed, movement_posting(closed, "payment"))

    assert [step.step for step in steps] == ["posting", "rate", "payment", "event"]
    assert steps[1].facts["rate_ppb"] == 2 * 10**9
    assert (steps[2].facts["gross"], steps[2].facts["paid"]) == ("€1.00", "$2.00")
    assert (steps[3].facts["event"], steps[3].facts["note"]) == ("failed", "no such account")


def test_a_line_of_a_converted_pool_walks_back_to_the_rate(month: Books) -> None:
    rate = "2026-10-30/USD/EUR"
    with writing(month) as connection:
        connection.execute(
            schema.fx_rate.insert(),
            {"id": rate, "base": "USD", "quote": "EUR", "rate_ppb": 9 * 10**8}
            | {"day": date(2026, 10, 30), "source": "ECB", "recorded_at": NOW},
        )
    facts = world.payout_facts(month)
    [pool] = facts.pools
    came = replace(pool, came_currency="USD", came_micros=22_000_000, fx_rate=rate)
    record_payout(month, replace(facts, pools=[came]))
    world.close_october(month)

    line = queries.statement(EVERYONE, month, "lab", world.OCTOBER).lines[0]

    assert line.fx_rate == rate
    assert found(month, line.id, "rate").facts["rate_ppb"] == 9 * 10**8


def test_a_correction_walks_back_to_the_restatement_and_the_lines_that_changed(
    closed: Books,
) -> None:
    restate(closed)
    post_and_close(closed, adjusted())

    steps = walked(closed, "2026-11/lab/1")
    names = [step.step for step in steps]

    assert names[:4] == ["movement", "posting", "restatement", "difference"]
    assert names[4:] == ["transaction", "posting", "line", "line"]
    assert steps[2].facts["reason"] == "late usage"
    assert steps[3].id == "t1/r1/ann"
    assert steps[3].facts["difference"] == "€0.40"
    assert (steps[3].facts["before"], steps[3].facts["after"]) == ("€4.50", "€4.90")
    assert steps[4].id == DIVISION


def test_a_restatement_of_another_month_of_posting_is_no_part_of_it(closed: Books) -> None:
    restate(closed, posted_in="2026-10")
    post_and_close(closed, adjusted())

    assert "restatement" not in [step.step for step in walked(closed, "2026-11/lab/1")]


def test_another_payee_walks_nowhere(closed: Books) -> None:
    post_and_close(closed, adjusted())
    bob = Viewer("bob", frozenset({"bob"}))

    with pytest.raises(NotFound):
        queries.trail(bob, closed, "2026-11/lab/1")
    with pytest.raises(NotFound):
        queries.trail(bob, closed, movement_posting(closed, "adjustment"))


def restate(books: Books, posted_in: str = "2026-11") -> None:
    """Divide October again, with four tenths of a euro more for ann's part in t1."""
    rows = world.allocations().to_pylist()
    rows[0]["micros"] += 400_000
    again = snapshots.write(
        books,
        "allocations",
        type(world.allocations()).from_pylist(rows, schema=snapshots.SCHEMAS["allocations"]),
    )
    with writing(books) as connection:
        connection.execute(
            schema.restatement.insert(),
            {"id": "2026-10/1", "period": "2026-10", "posted_in": posted_in, "snapshot": again}
            | {"reason": "late usage", "content_sha256": "0" * 64, "recorded_at": NOW},
        )
