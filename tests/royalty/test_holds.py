from datetime import date

import pytest

from royalty.errors import RoyaltyError
from royalty.holds import (
    Available,
    Hold,
    LineId,
    PostingId,
    hold_id,
    hold_transaction,
    parse_subject,
    release_transaction,
    require_payable,
    track_subject,
)
from royalty.money import Money
from royalty.period import Period

NOVEMBER = Period(2026, 11)
DAY = date(2026, 11, 5)


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def hold(micros: int = 5, kind: str = "held") -> Hold:
    return Hold(
        kind=kind, subject="2026-10/ann/1", payee="ann", amount=eur(micros), reason="contested"
    )


def available(payable: int, paid: int = 0, waiting: int = 0) -> Available:
    return Available(payable=eur(payable), paid=eur(paid), waiting=eur(waiting))


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("2026-10/ann/12", LineId(period=Period(2026, 10), payee="ann", number=12)),
        ("12.3", PostingId(transaction=12, line=3)),
        ("ann", "ann"),
        ("12", "12"),
        ("2026-10/ann/track/t1", "2026-10/ann/track/t1"),
    ],
)
def test_a_line_and_a_posting_are_told_from_a_name(text: str, subject: object) -> None:
    assert parse_subject(text) == subject


def test_a_line_of_no_month_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-13"):
        parse_subject("2026-13/ann/1")


def test_a_part_of_a_track_is_never_taken_for_a_line() -> None:
    assert isinstance(parse_subject(track_subject(NOVEMBER, "ann", "1")), str)


def test_the_second_hold_of_a_thing_has_a_number() -> None:
    taken = {"hold/ann", "hold/ann/2"}

    assert hold_id("bob", taken) == "hold/bob"
    assert hold_id("ann", {"hold/ann"}) == "hold/ann/2"
    assert hold_id("ann", taken) == "hold/ann/3"


@pytest.mark.parametrize(("kind", "account"), [("held", "held"), ("disputed", "disputed")])
def test_held_money_is_off_what_is_payable_and_says_why(kind: str, account: str) -> None:
    posted = hold_transaction("hold/2026-10/ann/1", hold(kind=kind), NOVEMBER, DAY)

    assert {each.account: each.amount for each in posted.postings} == {
        "payable.ann": eur(5),
        f"suspense.{account}": eur(-5),
    }
    assert (posted.kind, posted.key, posted.period) == ("hold", "hold/2026-10/ann/1", NOVEMBER)
    assert posted.memo == f"{kind} (2026-10/ann/1): contested"


def test_a_release_is_the_exact_reversal() -> None:
    held = hold_transaction("hold/2026-10/ann/1", hold(), NOVEMBER, DAY)

    released = release_transaction(held, "released: settled", NOVEMBER.next, date(2026, 12, 1))

    assert released.reverses == held.key
    assert [(each.account, each.amount) for each in released.postings] == [
        (each.account, -each.amount) for each in held.postings
    ]
    assert (released.period, released.memo) == (NOVEMBER.next, "released: settled")


def test_all_that_is_payable_can_be_held_and_not_a_micro_more() -> None:
    require_payable(hold(5), available(5))

    with pytest.raises(
        RoyaltyError, match=r"€0\.000004 of ann's .* €0\.000007 was paid and €0\.00"
    ):
        require_payable(hold(5), available(4, paid=7))


def test_who_owes_is_held_nothing_more_and_nothing_can_always_be_held() -> None:
    require_payable(hold(0), available(-3))

    overdrawn = (
        r"ann's account is overdrawn by €0\.000003: nothing of .* so there is nothing to hold"
    )
    with pytest.raises(RoyaltyError, match=f"{overdrawn}$"):
        require_payable(hold(1), available(-3))
    with pytest.raises(RoyaltyError, match=f"{overdrawn}$"):
        require_payable(hold(-3), available(-3))
    with pytest.raises(RoyaltyError, match=f"{overdrawn}; --amount 0 disputes it"):
        require_payable(hold(1, kind="disputed"), available(-3))
    with pytest.raises(RoyaltyError, match="it takes from ann, and only what gives can be held"):
        require_payable(hold(-1), available(3))
