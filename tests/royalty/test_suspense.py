from datetime import date

import ibis
import pyarrow as pa
import pytest

from db.engines import connect
from royalty import lines
from royalty.money import Money
from royalty.period import Period
from royalty.suspense import Lain, causes, months, owners, totals, waiting, why

POOL = "2026-10/app/DE/EUR"
CLOSED = date(2026, 10, 31)


def lain(micros: int, day: date = CLOSED, *, kind: str = "unmatched", about: str = POOL) -> Lain:
    return Lain(kind=kind, about=about, day=day, amount=Money(micros, "EUR"))


def allocations(*rows: dict[str, object]) -> ibis.Table:
    blank = dict.fromkeys(lines.TEXTS) | dict.fromkeys(
        (name for name in lines.SCHEMA.names if name not in lines.TEXTS), 0
    )
    full = [blank | {"pool": POOL, "track": ""} | row for row in rows]
    return ibis.memtable(pa.Table.from_pylist(full, schema=lines.SCHEMA))


@pytest.mark.parametrize(
    ("on", "days", "band"),
    [
        (date(2026, 10, 31), 0, "0 to 30"),
        (date(2026, 11, 30), 30, "0 to 30"),
        (date(2026, 12, 1), 31, "31 to 90"),
        (date(2027, 1, 29), 90, "31 to 90"),
        (date(2027, 1, 30), 91, "91 to 180"),
        (date(2027, 4, 29), 180, "91 to 180"),
        (date(2027, 4, 30), 181, "over 180"),
        (date(2026, 10, 1), 0, "0 to 30"),  # it counts from a later day of the open month
    ],
)
def test_what_waits_has_an_age_and_a_band(on: date, days: int, band: str) -> None:
    [row] = waiting([lain(10)], on)

    assert (row.since, row.days, row.band) == (CLOSED, days, band)


def test_the_months_of_what_has_no_owner_are_named_once_and_in_order() -> None:
    later = "2026-11/app/DE/EUR"
    rows = [
        lain(1, about=later, kind="unclaimed"),
        lain(2),
        lain(3, about="2026-10/app/AT/EUR"),
        lain(4, about="hold/2026-09/ann/1", kind="held"),
    ]

    assert months(waiting(rows, CLOSED)) == [Period(2026, 10), Period(2026, 11)]


def test_what_partly_leaves_keeps_its_age_and_what_all_leaves_is_gone() -> None:
    later, again = date(2026, 11, 5), date(2026, 12, 5)

    [row] = waiting([lain(10), lain(-4, later)], again)
    assert (row.amount, row.since) == (Money(6, "EUR"), CLOSED)
    assert waiting([lain(10), lain(-10, later)], again) == []
    [row] = waiting([lain(10), lain(-10, later), lain(3, again)], again)
    assert (row.amount, row.since) == (Money(3, "EUR"), again)


def test_pools_holds_and_kinds_wait_apart_the_oldest_first() -> None:
    day = date(2026, 11, 5)
    rows = waiting(
        [
            lain(1, day, kind="held", about="hold/ann"),
            lain(2, day, kind="held", about="hold/bob"),
            lain(4),
            lain(8, kind="unclaimed"),
        ],
        date(2026, 12, 20),
    )

    assert [(row.kind, row.about) for row in rows] == [
        ("unclaimed", POOL),
        ("unmatched", POOL),
        ("held", "hold/ann"),
        ("held", "hold/bob"),
    ]
    assert totals(rows) == {
        ("held", "31 to 90", "EUR"): 3,
        ("unclaimed", "31 to 90", "EUR"): 8,
        ("unmatched", "31 to 90", "EUR"): 4,
    }


GAP = {"kind": "suspense_unclaimed", "recording": "r2", "work": "w2", "interest_ppm": 200_000}


def test_causes_are_summed_over_tracks_the_largest_first() -> None:
    rows = allocations(
        {"kind": "suspense_unmatched", "track": "g4", "micros": 5},
        {"kind": "suspense_unmatched", "micros": 9},
        GAP | {"right": "master", "track": "g1", "micros": 4},
        GAP | {"right": "master", "track": "g2", "micros": 3},
        GAP | {"right": "publishing", "track": "g1", "micros": 1},
        {"kind": "attributed", "payee": "ann", "track": "g1", "micros": 50},
    )

    found = connect().to_pyarrow(causes(rows)).to_pylist()

    assert [(row["micros"], why(row)) for row in found] == [
        (9, "nothing was played for it, or it is booked against no track"),
        (7, "nobody holds 200000 ppm of the master right of r2"),
        (5, "track g4 has no shares"),
        (1, "nobody holds 200000 ppm of the publishing right of work w2"),
    ]


def test_owners_get_what_waited_and_not_what_moved_otherwise() -> None:
    bob = {
        "kind": "attributed",
        "payee": "bob",
        "recording": "r2",
        "right": "master",
        "track": "g1",
    }
    ann = {"kind": "attributed", "payee": "ann", "recording": "r1", "right": "master"}
    before = allocations(
        {"kind": "suspense_unmatched", "track": "g4", "micros": 5},
        GAP | {"right": "master", "track": "g1", "micros": 4},
        bob | {"micros": 16},
        ann | {"track": "g2", "micros": 10},
    )
    after = allocations(
        ann | {"track": "g4", "micros": 5},
        bob | {"micros": 20},
        ann | {"track": "g2", "micros": 99},
    )

    found = connect().to_pyarrow(owners(before, after)).to_pylist()

    assert found == [{"payee": "ann", "micros": 5}, {"payee": "bob", "micros": 4}]
