from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from db import queries, schema
from db.books import payments
from db.books.payments import Word
from db.engine import Books, reading, writing
from db.intake import fx
from db.queries import EVERYONE, Viewer
from royalty.errors import Conflict, NotFound, NotReady
from royalty.fx import FxRate
from royalty.money import Money
from royalty.paying import Account, Amounts, Event, Payment, decide
from royalty.terms import Terms
from tests.db.world import NOVEMBER

DAY = date(2026, 11, 20)
TAXED = Terms(party="lab", withholding_ppm=300_000, currency="EUR")
LAB = Account(payee="lab", balance=Money(5_400_000, "EUR"), agreement=TAXED)
ID = "2026-11/lab/1"


def payment(account: Account = LAB, rate: FxRate | None = None) -> Payment:
    amounts = decide(account, rate)
    assert isinstance(amounts, Amounts)
    id_ = f"{NOVEMBER}/{account.payee}/1"
    return Payment(id=id_, period=NOVEMBER, day=DAY, account=account, amounts=amounts)


@pytest.fixture(autouse=True)
def _at_the_end_of_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "today", lambda: date(2026, 11, 30))


@pytest.fixture
def paid(closed: Books) -> Books:
    """Books in which the label was paid what October left payable."""
    payments.pay(closed, [payment()], name="Mara")
    return closed


def payable(books: Books, payee: str = "lab") -> int:
    found = queries.balances(EVERYONE, books, "payable")
    return -sum(row.amount.micros for row in found if row.owner == payee)


def say(books: Books, event: Event, note: str = "", day: date = date(2026, 11, 25)) -> bool:
    return payments.record_word(books, Word(payment=ID, event=event, day=day, note=note), name="Mo")


def acts(books: Books) -> list[tuple[str, str, str, str, str]]:
    said = schema.act.c
    names = (said.name, said.act, said.period, said.subject, said.note)
    wanted = select(*names).where(said.period == str(NOVEMBER)).order_by(said.id)
    with reading(books) as connection:
        return [tuple(row) for row in connection.execute(wanted)]


def test_a_payment_is_posted_kept_and_signed(paid: Books) -> None:
    [row] = queries.payments(EVERYONE, paid)

    assert (row.id, row.payee, row.payee_name, row.state) == (ID, "lab", "Lab", "sent")
    assert (row.gross, row.withheld) == (Money(5_400_000, "EUR"), Money(1_620_000, "EUR"))
    assert (row.paid, row.fx_rate, row.day) == (Money(3_780_000, "EUR"), None, DAY)
    assert [(each.kind, each.account, each.amount.micros) for each in postings(paid)] == [
        ("withholding", "payable.lab", 1_620_000),
        ("withholding", "withheld.unstated", -1_620_000),
        ("payment", "payable.lab", 3_780_000),
        ("payment", "cash", -3_780_000),
    ]
    assert payable(paid) == 0
    assert acts(paid) == [("Mara", "paid", "2026-11", ID, "")]
    assert queries.verify_chain(paid) is None


def postings(books: Books) -> list[queries.PostingRow]:
    return queries.postings(EVERYONE, books, NOVEMBER)


def test_the_rate_stands_on_every_posting_of_a_conversion(closed: Books, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("day,base,quote,rate\n2026-11-20,EUR,USD,0.92\n")
    fx.record(closed, file)
    rate = queries.rate(EVERYONE, closed, "EUR", "USD", DAY)

    dollars = replace(LAB, agreement=replace(TAXED, withholding_ppm=0, currency="USD"))
    payments.pay(closed, [payment(dollars, rate)], name="Mara")

    [row] = queries.payments(EVERYONE, closed)
    assert (row.paid, row.fx_rate) == (Money(4_960_000, "USD"), "2026-11-20/EUR/USD")
    assert {each.fx_rate for each in postings(closed)} == {"2026-11-20/EUR/USD"}
    assert payable(closed) == 5_400_000 - row.gross.micros


def test_an_account_that_changed_meanwhile_is_not_paid(paid: Books) -> None:
    again = replace(payment(), id="2026-11/lab/2")

    with pytest.raises(Conflict, match=r"payable to lab changed .* run 'tantieme pay' again"):
        payments.pay(paid, [again], name="Mara")

    assert len(queries.payments(EVERYONE, paid)) == 1


def test_payments_are_made_all_or_none(closed: Books) -> None:
    bob = Account(payee="bob", balance=Money(7, "EUR"))
    wrong = replace(payment(), id="2026-11/bob/1", account=bob)

    with pytest.raises(Conflict, match="payable to bob"):
        payments.pay(closed, [payment(), wrong], name="Mara")

    assert (queries.payments(EVERYONE, closed), postings(closed), acts(closed)) == ([], [], [])


def test_a_dry_run_pays_nothing(closed: Books) -> None:
    payments.pay(closed, [payment()], name="Mara", dry_run=True)

    assert (queries.payments(EVERYONE, closed), postings(closed)) == ([], [])


def test_nothing_is_paid_before_a_month_is_closed(computed: Books) -> None:
    with pytest.raises(NotReady, match="no month is closed yet"):
        payments.pay(computed, [payment()], name="Mara")


@pytest.mark.parametrize("events", [("failed",), ("confirmed", "returned")])
def test_what_did_not_arrive_is_payable_again_with_its_tax(
    paid: Books, events: tuple[Event, ...]
) -> None:
    before = postings(paid)
    for event in events:
        assert say(paid, event, "account closed")

    undone = postings(paid)[len(before) :]
    assert payable(paid) == 5_400_000
    assert {each.kind for each in undone} == {"reversal"}
    assert [-each.amount.micros for each in undone] == [each.amount.micros for each in before]
    assert {each.memo for each in undone} == {f"payment {ID} {events[-1]}: account closed"}
    assert queries.payment(EVERYONE, paid, ID).state == events[-1]


def test_what_came_back_before_the_open_month_began_counts_from_its_first_day(paid: Books) -> None:
    with writing(paid) as connection:
        november = schema.period.c.id == str(NOVEMBER)
        connection.execute(schema.period.update().where(november).values(status="closed"))

    say(paid, "failed", day=date(2026, 11, 25))

    undone = queries.postings(EVERYONE, paid, NOVEMBER.next)
    assert {each.effective_on for each in undone} == {date(2026, 12, 1)}
    assert queries.payment(EVERYONE, paid, ID).events[0].day == date(2026, 11, 25)
    assert payable(paid) == 5_400_000


def test_a_confirmed_payment_stays_paid(paid: Books) -> None:
    assert say(paid, "confirmed")

    [event] = queries.payment(EVERYONE, paid, ID).events
    assert (event.number, event.event, event.day) == (1, "confirmed", date(2026, 11, 25))
    assert payable(paid) == 0
    assert acts(paid)[-1] == ("Mo", "confirmed", "2026-11", ID, "")


def test_the_same_word_again_changes_nothing(paid: Books) -> None:
    say(paid, "failed", "account closed")
    before = (postings(paid), acts(paid))

    assert not say(paid, "failed")
    assert (postings(paid), acts(paid)) == before


@pytest.mark.parametrize(
    ("before", "event", "why"),
    [
        ((), "returned", "has not said anything of it yet, and it can only be confirmed or failed"),
        (("confirmed",), "failed", "it is confirmed, and it can only be returned"),
        (("failed",), "confirmed", "it is failed, which is the end of it; 'tantieme pay' pays"),
        (("confirmed", "returned"), "confirmed", "it is returned, which is the end of it"),
    ],
)
def test_words_out_of_order_are_refused(
    paid: Books, before: tuple[Event, ...], event: Event, why: str
) -> None:
    for each in before:
        say(paid, each)
    stood = (postings(paid), queries.payments(EVERYONE, paid))

    with pytest.raises(Conflict, match=why):
        say(paid, event)

    assert (postings(paid), queries.payments(EVERYONE, paid)) == stood


def test_a_word_of_no_payment_or_of_a_day_before_it_is_refused(paid: Books) -> None:
    with pytest.raises(Conflict, match="was made on 2026-11-20, after 2026-11-19"):
        say(paid, "confirmed", day=date(2026, 11, 19))
    with pytest.raises(NotFound, match="there is no payment 'x'"):
        payments.record_word(paid, Word(payment="x", event="failed", day=DAY), name="Mo")


def test_the_bank_speaks_of_no_day_that_has_not_come(
    paid: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Conflict, match=r"2026-12-01 has not come: today is 2026-11-30 \(UTC\)"):
        say(paid, "confirmed", day=date(2026, 12, 1))
    assert queries.payment(EVERYONE, paid, ID).state == "sent"

    # A payment can be dated ahead of the clock, where its month was opened early: that day counts.
    monkeypatch.setattr(payments, "today", lambda: date(2026, 10, 25))
    with pytest.raises(Conflict, match="2026-11-21 has not come"):
        say(paid, "confirmed", day=date(2026, 11, 21))
    assert say(paid, "confirmed", day=DAY)


def test_a_dry_run_of_a_word_changes_nothing(paid: Books) -> None:
    word = Word(payment=ID, event="failed", day=DAY)

    assert payments.record_word(paid, word, name="Mo", dry_run=True)
    assert queries.payment(EVERYONE, paid, ID).state == "sent"
    assert payable(paid) == 0


def test_a_payee_sees_no_others_payments(paid: Books) -> None:
    bob = Viewer("Bob", frozenset({"bob"}))

    assert queries.payments(bob, paid) == []
    with pytest.raises(NotFound, match="there is no payment"):
        queries.payment(bob, paid, ID)
