from dataclasses import replace
from datetime import date

from royalty.money import Money
from royalty.period import Period
from royalty.reports.accounts import Entry, account_table
from royalty.reports.table import table_json

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)


def entry(payee: str, micros: int, period: Period = OCTOBER, currency: str = "EUR") -> Entry:
    return Entry(
        payee=payee,
        name=payee.title(),
        period=period,
        effective_on=period.last_day,
        what="earnings",
        why="allocation",
        right="master",
        pool="2026-10/app/DE/EUR",
        posting="2.1",
        amount=Money(micros, currency),
    )


ENTRIES = [entry("bob", 5), entry("ann", 7), entry("bob", -2, NOVEMBER), entry("ann", 1)]


def balances(entries: list[Entry]) -> list[tuple[object, ...]]:
    found = account_table(NOVEMBER, entries, None)
    return [(row[0], row[2], row[-2].micros, row[-1].micros) for row in found.rows]


def test_the_balance_runs_within_each_account() -> None:
    assert balances(ENTRIES) == [
        ("ann", "2026-10", 7, 7),
        ("ann", "2026-10", 1, 8),
        ("bob", "2026-10", 5, 5),
        ("bob", "2026-11", -2, 3),
    ]


def test_months_stand_in_their_order_even_if_one_was_corrected_late() -> None:
    late = replace(entry("bob", 4), effective_on=date(2026, 10, 31))

    assert [row[1] for row in balances([*ENTRIES, late]) if row[0] == "bob"] == [
        "2026-10",
        "2026-10",
        "2026-11",
    ]


def test_each_currency_is_an_account_of_its_own() -> None:
    found = balances([*ENTRIES, entry("bob", 100, currency="USD")])

    assert found[-1] == ("bob", "2026-10", 100, 100)
    assert b'"USD"' in table_json(
        account_table(NOVEMBER, [entry("bob", 100, currency="USD")], None)
    )
