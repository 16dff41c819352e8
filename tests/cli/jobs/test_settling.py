from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cli.jobs.settling import earned_in, settlements
from db import engines, queries, schema, snapshots
from db.books import ledger
from db.engine import Books, open_books, writing
from db.intake import catalogue
from db.queries import EVERYONE
from royalty.errors import NotReady
from royalty.ledger import Transaction
from royalty.period import Period
from tests.cli.conftest import EXAMPLE, Tantieme

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)
TERMS = "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency"


@pytest.fixture
def books(example: Tantieme, tmp_path: Path) -> Books:
    """The README's world, its October computed: ann earns 4.47, bob 9.37, cy 6.16."""
    assert example("payouts", "2026-10").code == 0
    return open_books(None, tmp_path / "home")


def agree(books: Books, tmp_path: Path, *rows: str) -> None:
    """Replace everybody's agreement."""
    folder = tmp_path / "agreed"
    folder.mkdir(exist_ok=True)
    for name in ("recordings.csv", "parties.csv"):
        (folder / name).write_text((EXAMPLE / name).read_text())
    text = "\n".join([f"{TERMS},valid_from,valid_to", *rows, ""])
    (folder / "terms.csv").write_text(text)
    catalogue.record(books, catalogue.read_catalogue(folder), {})


def snapshot(books: Books) -> str:
    return queries.payout(EVERYONE, books, OCTOBER, "pro_rata").snapshot


def moved(transactions: list[Transaction]) -> dict[str, dict[str, int]]:
    return {
        each.key: {side.account: side.amount.micros for side in each.postings}
        for each in transactions
    }


def test_without_agreements_to_settle_nothing_is_posted(books: Books) -> None:
    assert settlements(books, OCTOBER, snapshot(books)) == []


def test_a_month_is_settled_from_its_allocations(books: Books, tmp_path: Path) -> None:
    agree(books, tmp_path, "ann,1000000,1,100000,0,0,EUR,,", "bob,1000000,100,0,0,0,EUR,,")
    rows = snapshots.read(books, snapshot(books))
    ann, bob = (
        pc.sum(rows.filter(pc.equal(rows["payee"], payee))["micros"]).as_py()
        for payee in ("ann", "bob")
    )

    posted = moved(settlements(books, OCTOBER, snapshot(books)))

    assert posted == {
        "2026-10/advance/ann": {"advance.unrecouped.ann": 1_000_000, "cash": -1_000_000},
        "2026-10/advance/bob": {"advance.unrecouped.bob": 100_000_000, "cash": -100_000_000},
        "2026-10/reserve/ann": {"payable.ann": ann // 10, "reserve.ann": -(ann // 10)},
        "2026-10/recoupment/ann": {"payable.ann": 1_000_000, "advance.unrecouped.ann": -1_000_000},
        "2026-10/recoupment/bob": {"payable.bob": bob, "advance.unrecouped.bob": -bob},
    }


def test_what_stands_in_the_books_is_not_posted_twice(books: Books, tmp_path: Path) -> None:
    agree(books, tmp_path, "bob,1000000,100,0,0,0,EUR,,")
    before = settlements(books, OCTOBER, snapshot(books))
    ledger.post(books, before)

    assert [each.kind for each in before] == ["advance", "recoupment"]
    assert [each.kind for each in settlements(books, OCTOBER, snapshot(books))] == ["recoupment"]


def test_adjustments_of_earlier_months_count_as_earned(books: Books, tmp_path: Path) -> None:
    """October is closed and restated in November: bob gets 1.00 less, cy 1.00 more."""
    agree(books, tmp_path, "bob,1000000,0,500000,0,0,EUR,,", "cy,1000000,0,500000,0,0,EUR,,")
    restate_october(books)
    november = snapshots.write(books, "allocations", nothing(books))
    compute_november(books, november)

    posted = moved(settlements(books, NOVEMBER, november))

    assert posted == {"2026-11/reserve/cy": {"payable.cy": 500_000, "reserve.cy": -500_000}}


def test_what_adjustments_settle_by_is_what_they_posted(closed: Tantieme, tmp_path: Path) -> None:
    """Each restatement is posted and kept at once, and what it posted cannot be reversed alone."""
    late = tmp_path / "late.csv"
    late.write_text("period,listener,track,source,territory,plays\n2026-10,u1,g3,app,DE,10\n")
    since = ("--from", "2026-10-01", "--reason", "the owner asked")
    for words in (
        ("usage", "import", late, "--late"),
        ("adjust", "2026-10"),
        ("catalogue", "takedown", "r1", *since),
        ("adjust", "2026-10"),
        ("adjust", "2026-10"),
    ):
        assert closed(*words).code == 0
    books = open_books(None, tmp_path / "home")
    snapshot = queries.payout(EVERYONE, books, OCTOBER, "pro_rata").snapshot
    none = snapshots.table(books, "allocations", [snapshot], engines.connect("duckdb")).limit(0)

    earned: Counter[str] = Counter()
    for (_, payee), micros in earned_in(books, NOVEMBER, "EUR", none).items():
        earned[payee] += micros
    posted: Counter[str] = Counter()
    adjustments = [
        row for row in queries.postings(EVERYONE, books, NOVEMBER) if row.kind == "adjustment"
    ]
    for row in adjustments:
        if row.payee is not None:
            posted[row.payee] -= row.amount.micros

    assert len(queries.restatements(EVERYONE, books)) == 2
    assert earned == posted
    assert earned["ann"] < -3_000_000
    for key in {row.key for row in adjustments}:
        assert closed("reverse", key, "--reason", "by hand").code == 3


def nothing(books: Books) -> pa.Table:
    return snapshots.read(books, snapshot(books)).slice(0, 0)


def restate_october(books: Books) -> None:
    rows = snapshots.read(books, snapshot(books)).to_pylist()
    for payee, micros in (("bob", -1_000_000), ("cy", 1_000_000)):
        next(row for row in rows if row["payee"] == payee)["micros"] += micros
    table = pa.Table.from_pylist(rows, schema=snapshots.SCHEMAS["allocations"])
    after = snapshots.write(books, "allocations", table)
    with writing(books) as connection:
        closed = {"status": "closed", "rule": "pro_rata", "payout": "2026-10/pro_rata"}
        this = schema.period.c.id == "2026-10"
        connection.execute(schema.period.update().where(this).values(closed))
        connection.execute(schema.period.insert(), {"id": "2026-11", "status": "open"})
        row = {"id": "2026-10/1", "period": "2026-10", "posted_in": "2026-11", "snapshot": after}
        more = {"reason": "late", "content_sha256": "c" * 64, "recorded_at": "2026-11-01"}
        connection.execute(schema.restatement.insert(), row | more)


def compute_november(books: Books, november: str) -> None:
    with writing(books) as connection:
        october = connection.execute(schema.payout.select()).mappings().first()
        changed = {"id": "2026-11/pro_rata", "period": "2026-11", "snapshot": november}
        connection.execute(schema.payout.insert(), dict(october) | changed)


def test_a_month_that_was_not_computed_cannot_be_settled(books: Books) -> None:
    with pytest.raises(NotReady, match="2026-11 is not computed; run 'tantieme payouts 2026-11'"):
        settlements(books, NOVEMBER, snapshot(books))
