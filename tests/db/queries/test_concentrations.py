"""How evenly stored rules divide a month."""

import pytest

from db import queries
from db.books.payouts import record_payout
from db.engine import Books
from db.queries import EVERYONE, Viewer
from royalty.concentration import concentration
from royalty.errors import NotFound
from tests.db import world
from tests.db.world import NOVEMBER, OCTOBER


def test_rules_are_measured_among_the_payees_of_any_of_them(computed: Books) -> None:
    other = [("ann", 8_400_000, 8_400_000, 8_400_000, 8_400_000)]
    record_payout(computed, world.payout_facts(computed, rule="user_centric", payees=other))

    found = queries.concentrations(EVERYONE, computed, OCTOBER)

    assert found == {
        "pro_rata": concentration([3_000_000, 5_400_000, 0]),
        "user_centric": concentration([8_400_000, 0, 0]),
    }
    assert found["user_centric"].gini == pytest.approx(2 / 3)


def test_a_rule_that_pays_nobody_is_left_out(month: Books) -> None:
    record_payout(month, world.payout_facts(month, payees=[], platform_micros=9_000_000))

    assert queries.concentrations(EVERYONE, month, OCTOBER) == {}
    assert queries.concentrations(EVERYONE, month, NOVEMBER) == {}


def test_a_payee_is_not_told_how_others_are_paid(computed: Books) -> None:
    with pytest.raises(NotFound, match="shown to auditors only"):
        queries.concentrations(Viewer("bob", frozenset({"bob"})), computed, OCTOBER)
