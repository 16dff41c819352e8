from dataclasses import replace

import pytest

from royalty.differences import Difference
from royalty.money import Money
from royalty.payout import PayeeAmount, Payout
from royalty.reports.rules import COLUMNS, rules_table
from tests.royalty.reports.test_pools import payout


def euros(micros: int) -> Money:
    return Money(micros, "EUR")


def paid(rule: str, **amounts: int) -> Payout:
    payees = tuple(
        PayeeAmount(
            id=id_,
            name=id_.title(),
            amount=euros(micros),
            low=euros(micros - 1),
            high=euros(micros + 1),
            attributed=euros(micros),
        )
        for id_, micros in amounts.items()
    )
    whole = euros(sum(amounts.values()))
    return replace(payout(), rule=rule, payees=payees, pool=whole)


def difference(payee: str, micros: int) -> Difference:
    ends = {"low": euros(micros - 2), "high": euros(micros + 2)}
    return Difference(payee=payee, amount=euros(micros), **ends)


def rows() -> dict[tuple[object, object], dict[str, object]]:
    payouts = [paid("pro_rata", ann=90, bob=10), paid("user_centric", ann=50, cy=50)]
    beyond = {
        "user_centric": [difference("ann", -40), difference("bob", -10), difference("cy", 50)]
    }
    names = [column.name for column in COLUMNS]
    found = [dict(zip(names, row, strict=True)) for row in rules_table(payouts, beyond, None).rows]
    return {(row["rule"], row["payee"]): row for row in found}


def test_every_payee_of_any_rule_stands_under_each() -> None:
    found = rows()

    assert list(found)[:4] == [("pro_rata", each) for each in (None, "ann", "bob", "cy")]
    assert found["pro_rata", "cy"]["amount"] == euros(0) == found["user_centric", "bob"]["amount"]


def test_differences_come_with_their_intervals_and_the_first_rule_has_none() -> None:
    found = rows()

    ends = ("difference", "difference_low", "difference_high")
    assert [found["user_centric", "cy"][name].micros for name in ends] == [50, 48, 52]
    assert [found["pro_rata", "ann"][name].micros for name in ends] == [0, 0, 0]
    assert found["user_centric", None]["moved"] == euros(50)


def test_how_unequally_a_rule_pays_counts_those_who_get_nothing() -> None:
    found = rows()

    # 0, 10 and 90 of 100: (-2 x 0 + 0 x 10 + 2 x 90) / 3 hundredths.
    assert found["pro_rata", None]["gini"] == pytest.approx(0.6)
    assert found["pro_rata", None]["top_10_percent"] == pytest.approx(0.9)
    assert found["user_centric", None]["gini"] == pytest.approx(1 / 3)


def test_a_month_that_pays_nobody_has_no_concentration() -> None:
    [row] = rules_table([paid("pro_rata")], {}, None).rows

    assert row[-2:] == (None, None)
