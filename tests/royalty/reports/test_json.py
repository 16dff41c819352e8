import json
from dataclasses import replace

import pytest

from royalty.differences import Difference
from royalty.money import Money
from royalty.payout import PayeeAmount, Payout
from royalty.reports.json import payouts_json, period_json, statement_json
from tests.royalty.statements import statement
from tests.royalty.worlds import OCTOBER


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def payee(id_: str, name: str, amount: int, low: int, high: int) -> PayeeAmount:
    return PayeeAmount(
        id=id_, name=name, amount=eur(amount), low=eur(low), high=eur(high), attributed=eur(low)
    )


PAYOUT = Payout(
    id="2026-10/pro_rata",
    period=OCTOBER,
    rule="pro_rata",
    rule_version="pro_rata-1",
    provider="ours",
    snapshot="0" * 64,
    publishing_ppm=0,
    gross=eur(30_000_000),
    pool=eur(20_000_000),
    payees=(
        payee("ann", "Ann Çelik", 16_363_636, 15_000_000, 18_000_000),
        payee("bob", "Bob", 3_636_364, 3_000_000, 4_000_000),
    ),
    unattributed=eur(5_000_000),
    suspense=eur(0),
    suspense_kinds={},
    idle=eur(1),
    platform=eur(0),
    pools=(),
    tracks=(),
    recordings=(),
)


def test_payouts_are_the_document_that_was_agreed(golden) -> None:
    rules = {"pro_rata": PAYOUT, "user_centric": replace(PAYOUT, idle=eur(2))}

    assert golden("payouts_2026-10.json", payouts_json(OCTOBER, rules))


def test_payouts_have_the_keys_of_the_schema() -> None:
    document = json.loads(payouts_json(OCTOBER, {"pro_rata": PAYOUT}))

    assert list(document) == ["schema", "period", "pool", "rules"]
    assert document["schema"] == 1
    assert document["pool"] == {"micros": 20_000_000, "currency": "EUR"}
    (rule,) = document["rules"].values()
    assert list(rule) == ["payees", "unattributed", "suspense", "idle"]
    assert list(rule["payees"][0]) == ["id", "name", "amount", "low", "high"]


def test_compared_payouts_say_how_they_differ_from_the_first() -> None:
    rules = {"pro_rata": PAYOUT, "user_centric": PAYOUT}
    found = [
        Difference(payee=payee, amount=eur(1), low=eur(-2), high=eur(3)) for payee in ("zoe", "ann")
    ]

    document = json.loads(payouts_json(OCTOBER, rules, {"user_centric": found}))

    assert list(document) == ["schema", "period", "pool", "rules", "differences"]
    (differences,) = document["differences"].values()
    assert [each["id"] for each in differences] == ["ann", "zoe"]
    assert list(differences[0]) == ["id", "difference", "low", "high"]
    assert differences[0]["low"] == {"micros": -2, "currency": "EUR"}


def test_payouts_name_the_platform_where_terms_leave_it_something() -> None:
    document = json.loads(payouts_json(OCTOBER, {"pro_rata": replace(PAYOUT, platform=eur(9))}))

    assert document["rules"]["pro_rata"]["platform"] == {"micros": 9, "currency": "EUR"}


def test_rules_that_divide_different_pools_do_not_stand_side_by_side() -> None:
    with pytest.raises(AssertionError, match="one and the same pool"):
        payouts_json(OCTOBER, {"a": PAYOUT, "b": replace(PAYOUT, pool=eur(1))})


def test_a_statement_is_the_document_that_was_agreed(golden) -> None:
    assert golden("statement_2026-10.json", statement_json(statement()))


def test_a_statement_adds_up_in_the_document_too() -> None:
    document = json.loads(statement_json(statement()))
    terms = ("earned", "adjustments", "recouped", "reserved", "withheld", "paid")
    moved = sum(document[name]["micros"] for name in terms)
    lines = sum(line["net"]["micros"] for line in document["lines"])
    movements = sum(each["amount"]["micros"] for each in document["movements"])

    assert document["earned"]["micros"] == lines
    assert document["gross"]["micros"] + document["deductions"]["micros"] == lines
    assert moved == lines + movements
    assert document["closing"]["micros"] == document["opening"]["micros"] + moved


def test_a_statement_tells_its_months_and_what_to_keep() -> None:
    document = json.loads(statement_json(statement()))

    assert document["booking_period"] == "2026-10"
    assert document["usage_periods"] == ["2026-09", "2026-10"]
    assert document["root"] == "ab" * 32
    assert document["runs"] == ["run-1"]
    assert document["notes"] == list(statement().notes)


def test_a_reader_gets_back_every_movement() -> None:
    [first, *_] = json.loads(statement_json(statement()))["movements"]

    assert first["amount"] == {"micros": -11, "currency": "EUR"}
    assert (first["term"], first["usage_period"]) == ("adjustments", "2026-09")
    assert first["effective_on"] == "2026-10-31"


def test_a_reader_gets_back_every_line() -> None:
    drawn = statement()

    lines = json.loads(statement_json(drawn))["lines"]

    for line, read in zip(drawn.lines, lines, strict=True):
        for name, value in read.items():
            kept = getattr(line, name)
            assert value == (kept.json if isinstance(kept, Money) else kept)


def test_a_period_holds_its_statements_in_order_of_payees() -> None:
    ann, zoe = replace(statement(), id="2026-10/ann"), replace(statement(), id="2026-10/zoe")

    document = json.loads(period_json(OCTOBER, [zoe, ann]))

    assert list(document) == ["schema", "period", "statements"]
    assert [each["statement"] for each in document["statements"]] == ["2026-10/ann", "2026-10/zoe"]


def test_equal_statements_give_equal_bytes_that_end_a_line() -> None:
    assert statement_json(statement()) == statement_json(statement())
    assert statement_json(statement()).endswith(b"}\n")
