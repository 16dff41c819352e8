from dataclasses import replace

import pyarrow as pa
import pytest
from sqlalchemy import select

from db import queries, schema
from db.books.closing import close
from db.books.payouts import record_payout
from db.engine import Books, reading
from db.intake import usage
from db.queries import EVERYONE
from royalty.errors import Conflict, NotReady, PeriodClosed
from tests.db import world
from tests.db.world import OCTOBER, RULE


def test_closing_posts_seals_chains_and_marks_the_period(computed: Books) -> None:
    closing = world.close_october(computed)

    [row] = queries.periods(EVERYONE, computed)
    assert (row.status, row.rule, row.chain_head) == ("closed", RULE, closing.chain_head)
    assert closing.transactions == (1, 2)
    assert not closing.already
    assert queries.verify_chain(computed) is None
    assert queries.conservation(EVERYONE, computed, OCTOBER).holds


def test_closing_again_changes_nothing(closed: Books) -> None:
    before = queries.postings(EVERYONE, closed, OCTOBER)

    again = close(closed, OCTOBER, RULE, [], f"{OCTOBER}/{RULE}")

    assert again.already
    assert again.transactions == (1, 2)
    assert queries.postings(EVERYONE, closed, OCTOBER) == before


def test_another_rule_cannot_close_it_again(closed: Books) -> None:
    with pytest.raises(PeriodClosed, match="period 2026-10 is closed, with pro_rata; "):
        close(closed, OCTOBER, "user_centric", [], "2026-10/user_centric")


def test_a_period_without_that_payout_is_not_closed(month: Books) -> None:
    with pytest.raises(NotReady, match="run 'tantieme payouts 2026-10 --rule pro-rata' first"):
        world.close_october(month)

    assert queries.periods(EVERYONE, month)[0].status == "open"


def test_a_payout_older_than_its_usage_does_not_close(computed: Books) -> None:
    late = {"listener": "u9", "track": "t1", "source": "app", "territory": "DE", "plays": "1"}
    usage.record_table(computed, pa.Table.from_pylist([{"period": "2026-10"} | late]), "late")

    with pytest.raises(NotReady, match="usage or revenue of period 2026-10 came in since"):
        world.close_october(computed)


@pytest.mark.parametrize("late", ["2025-11", "2025-10"])
def test_a_payout_older_than_the_months_that_it_looked_at_does_not_close(
    month: Books, late: str
) -> None:
    play = {"listener": "u9", "track": "t1", "source": "app", "territory": "DE", "plays": "1"}
    usage.record_table(month, pa.Table.from_pylist([{"period": "2026-04"} | play]), "early")
    facts = world.payout_facts(month)
    history = {"history": queries.earlier_usage(EVERYONE, month, OCTOBER)}
    record_payout(month, replace(facts, inputs={**facts.inputs, **history}))
    usage.record_table(month, pa.Table.from_pylist([{"period": late} | play]), "late")

    if late == "2025-10":  # a year before, at which nobody looks
        assert not world.close_october(month).already
    else:
        with pytest.raises(NotReady, match="usage of months before 2026-10 came in since"):
            world.close_october(month)


def test_a_refusal_on_the_way_leaves_the_period_open_and_the_ledger_empty(computed: Books) -> None:
    first, second = world.transactions()
    clash = [first, second, replace(second, key=first.key)]

    with pytest.raises(Conflict):
        close(computed, OCTOBER, RULE, clash, f"{OCTOBER}/{RULE}")

    assert queries.periods(EVERYONE, computed)[0].status == "open"
    assert queries.postings(EVERYONE, computed, OCTOBER) == []


def test_a_closed_period_refuses_another_payout(closed: Books) -> None:
    with pytest.raises(PeriodClosed, match="period 2026-10 is closed"):
        record_payout(closed, world.payout_facts(closed, rule="user_centric"))


def test_the_books_remember_which_payout_closed_the_period(closed: Books) -> None:
    with reading(closed) as connection:
        payout = connection.scalar(select(schema.period.c.payout))

    assert payout == "2026-10/pro_rata"
