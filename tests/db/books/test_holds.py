from dataclasses import replace

import pytest
from sqlalchemy import select

from db import queries, schema
from db.books.holds import Finding, Release, available_to, make_hold, record_findings, release_hold
from db.books.ledger import post
from db.engine import Books, reading
from db.queries import EVERYONE
from royalty.errors import Conflict, NotFound, NotReady, RoyaltyError
from royalty.holds import Hold
from royalty.ledger import Posting, Transaction, cash, payable
from royalty.money import Money
from tests.db.world import NOVEMBER

LAB = Hold(
    kind="held",
    subject="2026-10/lab/1",
    payee="lab",
    amount=Money(4_500_000, "EUR"),
    reason="ownership is contested",
)
SETTLED = Release(name="Carl", why="released (2026-10/lab/1): settled")


def payable_to(books: Books, payee: str = "lab") -> int:
    with reading(books) as connection:
        return available_to(connection, payee, "EUR").payable.micros


def acts(books: Books) -> list[tuple[str, str, str]]:
    said = schema.act.c
    with reading(books) as connection:
        rows = connection.execute(select(said.name, said.act, said.subject).order_by(said.id))
        return [tuple(row) for row in rows if row.act != "closed"]


def pay(books: Books, micros: int) -> None:
    amount = Money(micros, "EUR")
    postings = (
        Posting(account=payable("lab"), amount=amount),
        Posting(account=cash(), amount=-amount),
    )
    day = NOVEMBER.start
    post(
        books,
        [
            Transaction(
                kind="payment", key="p", period=NOVEMBER, effective_on=day, postings=postings
            )
        ],
    )


def test_what_is_held_is_off_what_is_payable_until_it_is_released(closed: Books) -> None:
    made = make_hold(closed, LAB, name="Ann")

    assert (made.id, made.period, made.already) == ("hold/2026-10/lab/1", NOVEMBER, False)
    assert payable_to(closed) == 900_000
    found = queries.conservation(EVERYONE, closed, NOVEMBER)
    assert found.suspense == {"held": LAB.amount}
    assert found.holds

    released = release_hold(closed, made.id, SETTLED)

    assert (released.amount, released.already) == (LAB.amount, False)
    assert payable_to(closed) == 5_400_000
    assert acts(closed) == [("Ann", "held", made.id), ("Carl", "released", made.id)]
    assert queries.verify_chain(closed) is None


def test_holding_and_releasing_again_change_nothing(closed: Books) -> None:
    first, again = (make_hold(closed, LAB, name="Ann") for _ in range(2))
    assert (again.id, again.already, payable_to(closed)) == (first.id, True, 900_000)

    release_hold(closed, first.id, SETTLED)

    assert release_hold(closed, first.id, SETTLED).already
    assert payable_to(closed) == 5_400_000
    assert len(acts(closed)) == 2


def test_after_a_release_the_same_is_held_under_another_name(closed: Books) -> None:
    release_hold(closed, make_hold(closed, LAB, name="Ann").id, SETTLED)

    made = make_hold(closed, LAB, name="Ann")

    assert (made.id, made.already) == ("hold/2026-10/lab/1/2", False)
    assert payable_to(closed) == 900_000
    assert release_hold(closed, made.id, SETTLED).amount == LAB.amount
    assert payable_to(closed) == 5_400_000


@pytest.mark.parametrize("changed", [{"kind": "disputed"}, {"amount": Money(1, "EUR")}])
def test_what_is_held_is_not_held_otherwise(closed: Books, changed: dict[str, object]) -> None:
    make_hold(closed, LAB, name="Ann")

    with pytest.raises(Conflict, match=r"is held already, €4\.50 of it, by hold/2026-10/lab/1 "):
        make_hold(closed, replace(LAB, **changed), name="Ann")


def test_what_was_paid_cannot_be_held(closed: Books) -> None:
    pay(closed, 2_000_000)

    with pytest.raises(RoyaltyError, match=r"€3\.40 of lab's money is payable; €2\.00 was paid"):
        make_hold(closed, LAB, name="Ann")

    make_hold(closed, replace(LAB, amount=Money(3_400_000, "EUR")), name="Ann")
    assert payable_to(closed) == 0


def test_a_dry_run_holds_and_releases_nothing(closed: Books) -> None:
    assert not make_hold(closed, LAB, name="Ann", dry_run=True).already
    assert (payable_to(closed), acts(closed)) == (5_400_000, [])
    made = make_hold(closed, LAB, name="Ann")

    release_hold(closed, made.id, SETTLED, dry_run=True)

    assert payable_to(closed) == 900_000


def test_before_a_month_is_closed_nothing_is_held(computed: Books) -> None:
    with pytest.raises(NotReady, match="no month is closed yet"):
        make_hold(computed, LAB, name="Ann")


def test_a_dispute_of_nothing_is_filed_and_ended_without_a_posting(closed: Books) -> None:
    nothing = replace(LAB, kind="disputed", amount=Money(0, "EUR"), track="t1")
    made = make_hold(closed, nothing, name="Ann")
    assert (made.period, payable_to(closed)) == (None, 5_400_000)
    assert make_hold(closed, nothing, name="Ann").already

    release_hold(closed, made.id, replace(SETTLED, ending="dismissed"))

    [row] = queries.disputes(EVERYONE, closed)
    assert (row.amount, row.state, row.ending) == (None, "released", "dismissed")
    assert release_hold(closed, made.id, SETTLED).already


def test_a_hold_that_is_not_there_is_named(closed: Books) -> None:
    with pytest.raises(NotFound, match="there is no hold 'hold/x'"):
        release_hold(closed, "hold/x", SETTLED)
    with pytest.raises(NotFound, match="there is no hold 'hold/x'"):
        record_findings(closed, "hold/x", [])


def test_findings_are_kept_as_they_were_first_found(closed: Books) -> None:
    id_ = make_hold(closed, replace(LAB, kind="disputed"), name="Ann").id
    first = Finding(method="default-2", evidence_sha256="a" * 64, summary="{}")
    record_findings(closed, id_, [first])

    other = replace(first, evidence_sha256="b" * 64)
    record_findings(closed, id_, [other, replace(other, method="ekfac-2")])

    [row] = queries.disputes(EVERYONE, closed)
    assert {each.method: each.evidence_sha256[0] for each in row.findings} == {
        "default-2": "a",
        "ekfac-2": "b",
    }
