from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from db import queries
from db.books import ledger
from db.engine import Books
from db.intake import catalogue
from db.queries import EVERYONE, AccountBalance, Viewer
from royalty.errors import NotFound
from royalty.ledger import Posting, Transaction, advance, cash, payable, reserve, reverse
from royalty.money import Money
from royalty.settlement import Standing
from tests.db import world
from tests.db.world import NOVEMBER, OCTOBER

LAB = Viewer("Lab", frozenset({"lab"}))


def moved(kind: str, about: str, debit: str, credit: str, amount: Money) -> Transaction:
    return Transaction(
        kind=kind,
        key=f"{NOVEMBER}/{kind}/{about}",
        period=NOVEMBER,
        effective_on=date(2026, 11, 30),
        postings=(
            Posting(account=debit, amount=amount),
            Posting(account=credit, amount=-amount),
        ),
        memo=f"{kind} of {about}",
    )


ADVANCE = moved("advance", "duo", advance("duo"), cash(), Money(500, "EUR"))
RECOUPED = moved("recoupment", "ann", payable("lab"), advance("duo"), Money(200, "EUR"))
RESERVED = moved("reserve", "ann", payable("lab"), reserve("lab"), Money(30, "EUR"))
DOLLARS = moved("advance", "x", advance("x"), cash(), Money(70, "USD"))


def test_balances_are_of_one_kind_and_leave_out_what_stands_at_zero(closed: Books) -> None:
    all_of_it = moved("payment", "bob", payable("bob"), cash(), Money(3_000_000, "EUR"))
    ledger.post(closed, [RESERVED, all_of_it])

    assert queries.balances(EVERYONE, closed, "payable") == [
        AccountBalance(account="payable.lab", owner="lab", amount=Money(30 - 5_400_000, "EUR"))
    ]
    assert queries.balances(EVERYONE, closed, "reserve") == [
        AccountBalance(account="reserve.lab", owner="lab", amount=Money(-30, "EUR"))
    ]


def test_a_payee_sees_no_others_balance(closed: Books) -> None:
    assert [row.owner for row in queries.balances(LAB, closed, "payable")] == ["lab"]
    assert len(queries.balances(EVERYONE, closed, "payable")) == 2


def test_standing_is_read_by_recoupment_name_and_currency(closed: Books) -> None:
    ledger.post(closed, [ADVANCE, RECOUPED, RESERVED, DOLLARS])

    assert queries.standing(EVERYONE, closed, "EUR") == Standing(
        advanced={"duo": 500, "x": 70}, unrecouped={"duo": 300}, reserves=[RESERVED]
    )
    assert queries.standing(EVERYONE, closed, "USD").unrecouped == {"x": 70}


def test_what_was_reversed_stands_no_more(closed: Books) -> None:
    undone = [
        reverse(each, period=NOVEMBER, effective_on=date(2026, 11, 30))
        for each in (ADVANCE, RESERVED)
    ]
    ledger.post(closed, [ADVANCE, RESERVED, *undone])

    standing = queries.standing(EVERYONE, closed, "EUR")

    assert standing == Standing(advanced={}, unrecouped={}, reserves=[])


def test_standing_is_for_those_who_see_everything(closed: Books) -> None:
    with pytest.raises(NotFound, match="shown to auditors only"):
        queries.standing(LAB, closed, "EUR")


def test_agreements_are_all_that_are_recorded_now(closed: Books, tmp_path: Path) -> None:
    [before] = queries.agreements(EVERYONE, closed)
    terms = world.TERMS.replace("900000,,,,,,,", "900000,120,,,,,2027-01-01,")
    files = {"recordings.csv": world.RECORDINGS, "parties.csv": world.PARTIES, "terms.csv": terms}
    read = catalogue.read_catalogue(world.write(tmp_path / "again", files))
    catalogue.record(closed, read, {})

    later = replace(before, advance_micros=120_000_000, valid_from=date(2027, 1, 1))
    assert queries.agreements(EVERYONE, closed) == [later]
    assert queries.agreements(LAB, closed) == []


def test_the_currency_of_a_month_is_that_of_what_was_computed(closed: Books) -> None:
    assert queries.currency_of(EVERYONE, closed, OCTOBER) == "EUR"
    assert queries.currency_of(EVERYONE, closed, NOVEMBER) is None
