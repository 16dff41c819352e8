import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import select

from db import chain, queries, roots, schema
from db.books import approvals, ledger
from db.books.closing import Closing, close, require_closable
from db.books.payouts import record_payout
from db.engine import Books, open_books, reading
from db.intake import usage
from db.queries import EVERYONE
from royalty import merkle
from royalty.errors import Conflict, NotReady, PeriodClosed
from royalty.ledger import Posting, Transaction
from royalty.money import Money
from royalty.period import Period
from tests.db import world
from tests.db.world import NOVEMBER, OCTOBER, RULE

SEPTEMBER = OCTOBER.before(1)


def test_closing_posts_seals_chains_and_marks_the_period(computed: Books) -> None:
    closing = world.close_october(computed)

    row, after = queries.periods(EVERYONE, computed)
    assert (row.status, row.rule, row.chain_head) == ("closed", RULE, closing.chain_head)
    assert (after.period, after.status) == (NOVEMBER, "open")
    assert closing.transactions == (1, 2)
    assert not closing.already
    assert queries.verify_chain(computed) is None
    assert queries.conservation(EVERYONE, computed, OCTOBER).holds


def test_closing_again_changes_nothing(closed: Books) -> None:
    before = queries.postings(EVERYONE, closed, OCTOBER)

    again = close(closed, OCTOBER, RULE, [], f"{OCTOBER}/{RULE}")

    assert again.already
    assert again.transactions == (1, 2)
    assert again.root == queries.periods(EVERYONE, closed)[0].root is not None
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


def test_the_root_is_over_all_that_is_posted_in_the_period(computed: Books) -> None:
    ledger.post(computed, [transfer(OCTOBER)])

    closing = world.close_october(computed)

    with reading(computed) as connection:
        postings = list(chain.leaves(connection, "2026-10"))
        leaves = list(roots.stored_leaves(computed, connection, "2026-10"))
        versions = select(schema.period.c.root_version).order_by(schema.period.c.id)
        assert list(connection.scalars(versions)) == [roots.VERSION, roots.POSTINGS_ONLY]
    assert len(postings) == 11
    assert b'"key":"transfer/2026-10"' in postings[0]
    assert leaves[:-2] == postings
    assert closing.root == merkle.root(leaves)


def test_the_same_month_has_the_same_root_in_other_books(
    closed: Books, migrated: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    shutil.copy(migrated, tmp_path / "other" / "ledger.db")
    books = world.with_payout(open_books(None, tmp_path / "other"), tmp_path / "other")

    again = world.close_october(books)

    [before, _] = queries.periods(EVERYONE, closed)
    assert again.chain_head != before.chain_head
    assert again.root == before.root
    books.engine.dispose()


def test_a_month_before_a_closed_one_stays_open(closed: Books) -> None:
    with pytest.raises(PeriodClosed, match="period 2026-10 is closed, and months close in order"):
        close(closed, SEPTEMBER, RULE, [], f"{SEPTEMBER}/{RULE}")
    with pytest.raises(PeriodClosed, match="has to come in for 2026-11"):
        require_closable(closed, SEPTEMBER, RULE)


def test_a_month_with_money_in_it_is_not_passed_over(computed: Books) -> None:
    ledger.post(computed, [transfer(SEPTEMBER)])

    for closing in (world.close_october, lambda books: require_closable(books, OCTOBER, RULE)):
        with pytest.raises(NotReady, match="run 'tantieme close 2026-09' first"):
            closing(computed)
    assert queries.postings(EVERYONE, computed, OCTOBER) == []


def test_a_month_with_only_plays_in_it_is_passed_over(computed: Books) -> None:
    play = {"listener": "u9", "track": "t1", "source": "app", "territory": "DE", "plays": "1"}
    usage.record_table(computed, pa.Table.from_pylist([{"period": "2026-09"} | play]), "early")

    require_closable(computed, OCTOBER, RULE)
    assert not world.close_october(computed).already


def transfer(period: Period) -> Transaction:
    euro = Money(1_000_000, "EUR")
    postings = (Posting(account="cash", amount=euro), Posting(account="platform", amount=-euro))
    return Transaction(
        kind="revenue",
        key=f"transfer/{period}",
        period=period,
        effective_on=period.start,
        postings=postings,
    )


def test_what_was_approved_by_another_is_closed(computed: Books) -> None:
    approvals.prepare(computed, OCTOBER, RULE, "ann")
    approvals.approve(computed, OCTOBER, RULE, "bob")
    require_closable(computed, OCTOBER, RULE, name="ann", approval=True)

    assert not close_in_the_name_of("ann", computed).already

    done = [(act.name, act.act, act.subject) for act in queries.acts(EVERYONE, computed, OCTOBER)]
    assert done == [("ann", "prepared", RULE), ("bob", "approved", RULE), ("ann", "closed", RULE)]


@pytest.mark.parametrize(
    ("approved_by", "name", "why"),
    [
        ((), "cy", "is not approved; someone other than ann and cy looks at it and runs"),
        (("bob",), "bob", "is approved by bob only, who closes it; someone other than ann and bob"),
        (("bob",), " BOB", "is approved by bob only, who closes it"),
    ],
)
def test_without_the_approval_of_another_it_stays_open(
    computed: Books, approved_by: tuple[str, ...], name: str, why: str
) -> None:
    approvals.prepare(computed, OCTOBER, RULE, "ann")
    for each in approved_by:
        approvals.approve(computed, OCTOBER, RULE, each)

    with pytest.raises(NotReady, match=why):
        close_in_the_name_of(name, computed)
    with pytest.raises(NotReady, match="tantieme approve 2026-10 --rule pro-rata --as NAME"):
        require_closable(computed, OCTOBER, RULE, name=name, approval=True)
    assert queries.postings(EVERYONE, computed, OCTOBER) == []


def test_the_approval_of_a_second_is_enough(computed: Books) -> None:
    approvals.prepare(computed, OCTOBER, RULE, "ann")
    approvals.approve(computed, OCTOBER, RULE, "bob")
    approvals.approve(computed, OCTOBER, RULE, "cy")

    assert not close_in_the_name_of("bob", computed).already


def test_an_approval_of_another_result_does_not_count(computed: Books) -> None:
    approvals.prepare(computed, OCTOBER, RULE, "ann")
    approvals.approve(computed, OCTOBER, RULE, "bob")
    record_payout(computed, world.payout_facts(computed, provider="other"))

    with pytest.raises(NotReady, match="computed anew since bob approved it, with another result"):
        close_in_the_name_of("ann", computed)

    record_payout(computed, world.payout_facts(computed))  # as it was when bob approved it
    assert not close_in_the_name_of("ann", computed).already


def close_in_the_name_of(name: str, books: Books) -> Closing:
    payout = f"{OCTOBER}/{RULE}"
    return close(books, OCTOBER, RULE, world.transactions(), payout, name=name, approval=True)
