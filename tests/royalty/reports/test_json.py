import json
from dataclasses import dataclass, replace

import pytest

from royalty.money import Money
from royalty.reports.json import payouts_json, period_json, statement_json
from tests.royalty.statements import statement
from tests.royalty.worlds import OCTOBER


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


@dataclass(frozen=True)
class PayeeAmount:
    id: str
    name: str
    amount: Money
    low: Money
    high: Money


@dataclass(frozen=True)
class Payout:
    pool: Money
    payees: tuple[PayeeAmount, ...]
    unattributed: Money
    suspense: Money
    idle: Money
    platform: Money


PAYOUT = Payout(
    pool=eur(20_000_000),
    payees=(
        PayeeAmount("ann", "Ann Çelik", eur(16_363_636), eur(15_000_000), eur(18_000_000)),
        PayeeAmount("bob", "Bob", eur(3_636_364), eur(3_000_000), eur(4_000_000)),
    ),
    unattributed=eur(5_000_000),
    suspense=eur(0),
    idle=eur(1),
    platform=eur(0),
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
    net = sum(line["net"]["micros"] for line in document["lines"])
    spent = sum(document[name]["micros"] for name in ("recouped", "reserved", "withheld", "paid"))
    opened = document["opening"]["micros"] + document["adjustments"]["micros"]

    assert document["earned"]["micros"] == net
    assert document["closing"]["micros"] == opened + net - spent


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
