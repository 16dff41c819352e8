from dataclasses import replace

import pytest

from db import queries
from db.books.payouts import PoolFacts, record_payout
from db.engine import Books
from db.queries import EVERYONE
from royalty.errors import NotReady
from tests.db import world
from tests.db.world import OCTOBER, RULE


def test_a_payout_recorded_again_changes_nothing(month: Books) -> None:
    first = record_payout(month, world.payout_facts(month))
    again = record_payout(month, world.payout_facts(month))

    assert (first, again) == (True, False)


def test_a_newer_preview_replaces_the_older_one_of_its_rule(computed: Books) -> None:
    record_payout(computed, world.payout_facts(computed, rule="user_centric"))
    changed = record_payout(computed, world.payout_facts(computed, suspense={"unmatched": 1}))

    payout = queries.payout(EVERYONE, computed, OCTOBER, RULE)

    assert changed
    assert {kind: held.micros for kind, held in payout.suspense_kinds.items()} == {"unmatched": 1}
    assert len(payout.payees) == 2
    assert queries.periods(EVERYONE, computed)[0].computed == ("pro_rata", "user_centric")


def test_a_payout_is_the_same_in_whichever_order_its_parts_come(month: Books) -> None:
    facts = world.payout_facts(month)
    pools = [*facts.pools, replace(facts.pools[0], id="2026-10/app/AT/EUR", territory="AT")]
    record_payout(month, replace(facts, pools=pools))

    assert not record_payout(month, replace(facts, pools=pools[::-1]))
    assert queries.verify_books(month) == []


def test_a_payout_is_of_one_currency(month: Books) -> None:
    pools = [
        PoolFacts(
            id=f"2026-10/app/DE/{currency}",
            source="app",
            territory="DE",
            currency=currency,
            gross_micros=1,
            pool_micros=1,
            idle_micros=0,
            unattributed_micros=0,
        )
        for currency in ("USD", "EUR")
    ]

    with pytest.raises(NotReady, match="revenue in EUR, USD"):
        record_payout(month, world.payout_facts(month, pools=pools))
