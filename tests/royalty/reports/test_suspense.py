from datetime import date

from royalty.money import Money
from royalty.period import Period
from royalty.reports.suspense import suspense_table
from royalty.suspense import Waiting

OCTOBER = Period(2026, 10)


def waiting(kind: str, micros: int, days: int) -> Waiting:
    return Waiting(
        kind=kind,
        about="2026-08/app/DE/EUR",
        amount=Money(micros, "EUR"),
        since=date(2026, 8, 31),
        days=days,
    )


def test_what_waits_has_its_age_and_the_bands_are_summed_in_the_notes() -> None:
    rows = [waiting("unmatched", 5_000_000, 61), waiting("held", 1_000_000, 61)]

    found = suspense_table(OCTOBER, rows, ["why it waits"], "root")

    assert found.title == "Suspense by age on 2026-10-31"
    assert found.rows[0] == (
        "unmatched",
        "2026-08/app/DE/EUR",
        date(2026, 8, 31),
        61,
        "31 to 90",
        Money(5_000_000, "EUR"),
    )
    assert found.notes == (
        "held, 31 to 90 days: €1.00",
        "unmatched, 31 to 90 days: €5.00",
        "why it waits",
    )
