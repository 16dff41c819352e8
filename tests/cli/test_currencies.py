"""A month whose revenue came in two currencies, against integers worked out by hand."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE, PostingRow
from royalty.period import Period
from tests.cli.conftest import Tantieme

OCTOBER = Period(2026, 10)
EUROS, DOLLARS = "2026-10/app/DE/EUR", "2026-10/app/US/USD"
RATE = "2026-10-30/USD/EUR"
RATES = """day,base,quote,rate
2026-09-01,USD,EUR,0.5
2026-10-30,USD,EUR,0.92
2026-11-01,USD,EUR,0.7
2026-10-30,EUR,USD,1.08
"""
REVENUE = """period,listener,source,territory,currency,net
2026-10,u3,app,US,USD,3.333333
2026-10,u4,app,US,USD,1.000001
"""
USAGE = """period,listener,track,source,territory,plays
2026-10,u3,g3,app,US,4
2026-10,u4,g1,app,US,1
"""
# Floored row by row, 0.92 times 3.333333 and 1.000001 dollars; all at once it were one more.
WORTH = 3_066_666 + 920_000
# Four plays of five are g3's: 3,189,333 of that, and g1's are 797,333. Of g3 Cy's r3 has 70 %; of
# g1 Ann's r1 has 60 % and Bob's r2 25 %. What is unattributed, 1,076,399.85, is divided by three.
PAID = {
    ("ann", 478_400, 358_800),
    ("bob", 199_333, 358_800),
    ("cy", 2_232_533, 358_800),
}


@dataclass(frozen=True)
class World:
    tantieme: Tantieme
    home: Path

    def imports(self, what: str, text: str) -> None:
        file = self.home / f"{what}.csv"
        file.write_text(text)
        ran = self.tantieme(what, "import", file)
        assert ran.code == 0, ran.err

    def keep_books_in(self, currency: str) -> None:
        settings = self.home / "workspace.toml"
        settings.write_text(
            settings.read_text().replace('currency = ""', f'currency = "{currency}"')
        )

    def postings(self, key: str) -> list[PostingRow]:
        found = queries.postings(EVERYONE, Workspace(home=self.home).books(), OCTOBER)
        return [row for row in found if row.key == key]


@pytest.fixture
def world(example: Tantieme, tmp_path: Path) -> World:
    """The README's world, and two listeners more, who pay in dollars."""
    found = World(example, tmp_path / "home")
    found.imports("revenue", REVENUE)
    found.imports("usage", USAGE)
    return found


@pytest.fixture
def exchanged(world: World) -> World:
    """The same in books of euros, with rates."""
    world.keep_books_in("EUR")
    world.imports("fx", RATES)
    return world


def test_revenue_is_booked_in_the_currency_that_came_and_converted_row_by_row(
    exchanged: World,
) -> None:
    ran = exchanged.tantieme("close", "2026-10")

    assert ran.code == 0, ran.err
    found = exchanged.postings(f"2026-10/revenue/{DOLLARS}")
    assert [(row.account, str(row.amount), row.fx_rate) for row in found] == [
        ("receivable.platform", "$4.333334", RATE),
        ("exchange", "-$4.333334", RATE),
        ("exchange", "€3.986666", RATE),
        (f"pool.{DOLLARS}", "-€3.986666", None),
    ]
    assert sum(row.amount.micros for row in found if row.account == "exchange") == WORTH - 4_333_334


def test_what_came_in_dollars_is_divided_in_euros_to_the_micro(exchanged: World) -> None:
    exchanged.tantieme("close", "2026-10")

    found = exchanged.postings(f"2026-10/allocation/{DOLLARS}")
    paid = {row.payee: -row.amount.micros for row in found if row.payee}
    assert paid == {payee: attributed + alike for payee, attributed, alike in PAID}
    assert {row.amount.currency for row in found} == {"EUR"}
    assert sum(paid.values()) == WORTH


def test_a_month_of_two_currencies_adds_up_in_each_and_can_be_stated(exchanged: World) -> None:
    exchanged.tantieme("close", "2026-10")

    conserved = exchanged.tantieme("audit", "2026-10", "conservation")
    verified = exchanged.tantieme("verify")
    stated = json.loads(exchanged.tantieme("statement", "cy", "2026-10", "--json").out)

    assert (conserved.code, verified.code) == (0, 0), conserved.out + verified.out
    there = sum(a + b for payee, a, b in PAID if payee == "cy")
    mine = [line["net"]["micros"] for line in stated["lines"] if line["pool"] == DOLLARS]
    assert sum(mine) == there


def test_a_payout_says_what_came_and_at_which_rate(exchanged: World) -> None:
    exchanged.tantieme("payouts", "2026-10")

    books = Workspace(home=exchanged.home).books()
    pools = {pool.id: pool for pool in queries.payout(EVERYONE, books, OCTOBER, "pro_rata").pools}

    assert pools[EUROS].converted is None
    assert pools[DOLLARS].gross.micros == WORTH
    assert (str(pools[DOLLARS].converted.came), pools[DOLLARS].converted.rate) == (
        "$4.333334",
        RATE,
    )


def test_a_rate_that_came_in_since_makes_a_preview_stale_if_it_is_of_the_month(
    exchanged: World,
) -> None:
    exchanged.tantieme("payouts", "2026-10")
    books = Workspace(home=exchanged.home).books()

    exchanged.imports("fx", "day,base,quote,rate\n2026-11-02,USD,EUR,0.8\n")
    assert queries.stale(EVERYONE, books, OCTOBER) == frozenset()
    exchanged.imports("fx", "day,base,quote,rate\n2026-10-31,USD,EUR,0.8\n")
    assert queries.stale(EVERYONE, books, OCTOBER) == {"pro_rata"}


def test_a_closed_month_is_reproduced_at_the_rate_of_then(exchanged: World) -> None:
    exchanged.tantieme("close", "2026-10")
    exchanged.imports("fx", "day,base,quote,rate\n2026-10-31,USD,EUR,0.8\n")

    ran = exchanged.tantieme("audit", "2026-10", "reproduce")

    assert ran.code == 0, ran.out


def test_without_the_books_currency_two_are_refused(world: World) -> None:
    ran = world.tantieme("payouts", "2026-10")

    assert ran.code == 3
    assert "2026-10 has revenue in EUR and USD; name the one that the books are kept" in ran.err


def test_a_missing_rate_is_named(world: World) -> None:
    world.keep_books_in("EUR")
    world.imports("fx", "day,base,quote,rate\n2026-11-01,USD,EUR,0.7\n2026-10-01,EUR,USD,1.1\n")

    ran = world.tantieme("close", "2026-10")

    assert ran.code == 3
    assert "there is no rate from USD to EUR of the month's last day or before" in ran.err


def test_money_beyond_what_rules_divide_is_refused_with_its_rate(world: World) -> None:
    world.keep_books_in("EUR")
    world.imports("fx", "day,base,quote,rate\n2026-10-01,USD,EUR,99999999\n")

    ran = world.tantieme("payouts", "2026-10")

    assert ran.code == 3
    assert "is more than a pool can hold" in ran.err
    assert "look at 2026-10-01/USD/EUR" in ran.err


def test_one_pool_of_all_territories_takes_one_currency(exchanged: World) -> None:
    settings = exchanged.home / "workspace.toml"
    settings.write_text(
        settings.read_text().replace("pool_by_territory = true", "pool_by_territory = false")
    )

    ran = exchanged.tantieme("payouts", "2026-10")

    assert ran.code == 3
    assert "app in WW has revenue of 2026-10 in EUR and USD" in ran.err
    assert "or have a pool of each territory" in ran.err


def test_one_pool_of_all_territories_takes_no_other_currency_late(
    example: Tantieme, tmp_path: Path
) -> None:
    world = World(example, tmp_path / "home")
    settings = world.home / "workspace.toml"
    settings.write_text(settings.read_text().replace("by_territory = true", "by_territory = false"))
    assert example("close", "2026-10").code == 0
    late = tmp_path / "late.csv"
    heading = REVENUE.splitlines()[0]

    def comes(*rows: str) -> str:
        late.write_text("\n".join([heading, *rows, ""]))
        return " ".join(example("revenue", "import", late, "--late").err.split())

    before = comes("2026-10,u3,app,US,USD,3.00")
    itself = comes("2026-10,u3,web,US,USD,3.00", "2026-10,u3,web,DE,EUR,3.00")

    assert "'USD' is not EUR, in which it came in before, from" in before
    assert "one currency in a month of one pool a source, so put this money of app in US" in before
    assert "in which it came in before, from this file" in itself
    assert "imported as" in comes("2026-10,u3,app,US,EUR,3.00")
    assert "imported as" in comes("2026-10,u3,app-us,US,USD,3.00")


# As they were when there was one currency only, and nothing of rates in these formats.
KEPT = "acff9d19ffd3e5dd56a329822270644b16ca3227c6c37640814844f79e463290"
POSTED = {
    "51f4c6d7c1c09e1fb07d03317ebf10f0b2fc681a1de304c4d35560d5bec0eb0d",
    "ce938215fccf8fd73ffcefb42a30dcb73a477a988a7d9db4da2a357760b1dc65",
}


@pytest.mark.parametrize("currency", ["", "EUR"])
def test_one_currency_has_the_bytes_that_it_had_before_there_were_several(
    example: Tantieme, tmp_path: Path, currency: str
) -> None:
    one = World(example, tmp_path / "home")
    one.keep_books_in(currency)

    example("close", "2026-10")

    books = Workspace(home=one.home).books()
    assert queries.payout(EVERYONE, books, OCTOBER, "pro_rata").snapshot == KEPT
    assert {row.content_sha256 for row in queries.postings(EVERYONE, books, OCTOBER)} == POSTED
