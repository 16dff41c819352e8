import pytest
from sqlalchemy import select

from db import queries, schema, snapshots
from db.books.ledger import post
from db.books.restatements import Restatement, posted_for, restate
from db.books.reversals import reverse_one
from db.engine import Books, reading
from db.queries import EVERYONE
from royalty.errors import Conflict, NotFound
from royalty.ledger import (
    Posting,
    Transaction,
    TransactionKind,
    advance,
    cash,
    payable,
    reserve,
)
from royalty.money import Money
from royalty.period import Period
from tests.db import world

DECEMBER = Period(2026, 12)


def moved(micros: int) -> list[Transaction]:
    """What October would post if so much of lab's money were bob's."""
    [revenue, division] = world.transactions()
    shift = {payable("lab"): micros, payable("bob"): -micros}
    postings = tuple(
        Posting(
            account=each.account,
            amount=Money(each.amount.micros + shift.get(each.account, 0), "EUR"),
            right=each.right,
            pool=each.pool,
        )
        for each in division.postings
    )
    kept = {name: getattr(division, name) for name in ("kind", "key", "period", "effective_on")}
    return [revenue, Transaction(**kept, postings=postings, memo=division.memo)]


def restatement(books: Books, micros: int, **changed: object) -> Restatement:
    before = queries.in_force(EVERYONE, books)[world.OCTOBER]
    table = world.allocations().slice(0, 7 if micros else 8)
    facts = {
        "period": world.OCTOBER,
        "wanted": moved(micros),
        "before": before,
        "snapshot": snapshots.write(books, "allocations", table),
        "inputs": {"usage": queries.inputs(EVERYONE, books, world.OCTOBER).usage},
        "memo": "late usage: so they said",
        "reason": "so they said",
    }
    return Restatement(**facts | changed)


def test_a_restatement_is_posted_kept_and_signed(closed: Books) -> None:
    before = queries.in_force(EVERYONE, closed)[world.OCTOBER]
    facts = restatement(closed, 5)

    done = restate(closed, facts, "kim")

    assert (done.id, done.posted_in) == ("2026-10/1", world.NOVEMBER)
    [row] = queries.restatements(EVERYONE, closed)
    assert (row.before, row.snapshot) == (before, facts.snapshot)
    assert queries.in_force(EVERYONE, closed) == {world.OCTOBER: facts.snapshot}
    assert queries.restated_by(EVERYONE, closed, world.OCTOBER) == dict(facts.inputs)
    rows = queries.postings(EVERYONE, closed, world.NOVEMBER)
    assert [(row.account, row.amount.micros) for row in rows] == [
        (payable("bob"), -5),
        (payable("lab"), 5),
    ]
    assert {row.memo for row in rows} == {"late usage: so they said"}
    with reading(closed) as connection:
        act = connection.execute(select(schema.act).where(schema.act.c.act == "adjusted")).one()
    assert (act.name, act.period, act.subject, act.note) == (
        "kim", "2026-11", "2026-10/1", "so they said",
    )  # fmt: skip


def test_what_comes_to_the_same_is_not_kept(closed: Books) -> None:
    restate(closed, restatement(closed, 5), "kim")

    again = restate(closed, restatement(closed, 5), "kim")

    assert (again.id, again.transactions) == (None, ())
    assert len(queries.restatements(EVERYONE, closed)) == 1


def test_each_restatement_replaces_the_one_before(closed: Books) -> None:
    first = restate(closed, restatement(closed, 5), "kim")
    second = restate(closed, restatement(closed, 0), "kim")

    rows = queries.restatements(EVERYONE, closed, posted_in=world.NOVEMBER)
    assert [row.id for row in rows] == [first.id, second.id] == ["2026-10/1", "2026-10/2"]
    assert rows[1].before == rows[0].snapshot
    assert queries.restatements(EVERYONE, closed, posted_in=DECEMBER) == []
    assert [each.key[-1] for each in second.transactions] == ["2"]


def test_a_rehearsal_writes_nothing(closed: Books) -> None:
    done = restate(closed, restatement(closed, 5, snapshot=None), "kim", dry_run=True)

    assert len(done.transactions) == 1
    assert queries.postings(EVERYONE, closed, world.NOVEMBER) == []
    assert queries.restatements(EVERYONE, closed) == []


def test_only_what_divides_a_month_is_its_own(closed: Books) -> None:
    restate(closed, restatement(closed, 5), "kim")
    kept = Transaction(
        kind="reserve",
        key="2026-11/reserve/bob",
        period=world.NOVEMBER,
        effective_on=world.NOVEMBER.start,
        postings=(
            Posting(account=payable("bob"), amount=Money(1, "EUR")),
            Posting(account=reserve("bob"), amount=Money(-1, "EUR")),
        ),
    )
    post(closed, [kept])

    with reading(closed) as connection:
        found = posted_for(connection, world.OCTOBER)
        assert posted_for(connection, world.NOVEMBER) == []

    assert [each.kind for each in found] == ["revenue", "allocation", "adjustment"]
    with pytest.raises(Conflict, match="'tantieme close' releases it"):
        reverse_one(closed, kept.key, "why not", name="kim")


def advanced(micros: int) -> Transaction:
    """An advance to bob."""
    return booked("advance", (advance("bob"), micros), (cash(), -micros))


def booked(kind: TransactionKind, *sides: tuple[str, int]) -> Transaction:
    return Transaction(
        kind=kind,
        key=f"2026-11/{kind}/bob",
        period=world.NOVEMBER,
        effective_on=world.NOVEMBER.start,
        postings=tuple(
            Posting(account=account, amount=Money(micros, "EUR")) for account, micros in sides
        ),
    )


def test_a_transaction_is_reversed_once_by_key_or_number(closed: Books) -> None:
    post(closed, [advanced(5)])

    undone = reverse_one(closed, "2026-11/advance/bob", "a test", name="kim")

    assert undone.period == world.NOVEMBER
    assert [each.amount.micros for each in undone.postings] == [-5, 5]
    with pytest.raises(Conflict, match="is reversed already"):
        reverse_one(closed, "3", "again", name="kim")
    with pytest.raises(Conflict, match="is a reversal"):
        reverse_one(closed, undone.key, "again", name="kim")
    with pytest.raises(NotFound, match="no transaction '77'"):
        reverse_one(closed, "77", "again", name="kim")


@pytest.mark.parametrize("number", ["1", "2", "3"])
def test_a_division_and_its_adjustments_are_put_right_by_adjusting(
    closed: Books, number: str
) -> None:
    restate(closed, restatement(closed, 5), "kim")

    with pytest.raises(Conflict, match="'tantieme adjust' divides its month again"):
        reverse_one(closed, number, "a test", name="kim")


def test_an_advance_that_was_recouped_in_part_is_not_taken_back_whole(closed: Books) -> None:
    recouped = booked("recoupment", (payable("bob"), 2), (advance("bob"), -2))
    post(closed, [advanced(5), recouped])

    with pytest.raises(Conflict, match=r"only €0\.000003 is not recouped yet"):
        reverse_one(closed, "2026-11/advance/bob", "a test", name="kim")
    reverse_one(closed, recouped.key, "first this", name="kim")

    assert reverse_one(closed, "2026-11/advance/bob", "then that", name="kim")


def test_what_waits_is_aged_by_pool(closed: Books) -> None:
    rows = queries.suspense(EVERYONE, closed, on=DECEMBER.end)

    assert [(row.kind, row.about, row.amount.micros, row.days) for row in rows] == [
        ("unclaimed", world.POOL, 500_000, 62),
        ("unmatched", world.POOL, 500_000, 62),
    ]
    assert queries.suspense(EVERYONE, closed, on=world.OCTOBER.start) == []


def test_causes_are_cut_and_the_rest_is_counted(closed: Books) -> None:
    found = queries.suspense_causes(EVERYONE, closed, [world.OCTOBER], most=1)

    assert [each.why for each in found.rows] == [
        "nobody holds 200000 ppm of the master right of r2"
    ]
    assert (found.more, found.more_micros) == (1, 500_000)
