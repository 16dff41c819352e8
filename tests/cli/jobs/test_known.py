"""What decides a closed month now: rates that stay, and changes that are said once."""

import json
from pathlib import Path

from cli.workspace import Workspace
from db import queries
from db.books.restatements import rates_used
from db.queries import EVERYONE
from royalty.period import Period
from tests.cli.conftest import EXAMPLE, Tantieme

OCTOBER = Period(2026, 10)
USAGE = "period,listener,track,source,territory,plays\n"
REVENUE = "period,listener,source,territory,currency,net\n"
RATE = "day,base,quote,rate\n"


def brings(tantieme: Tantieme, tmp_path: Path, *words: str, text: str) -> None:
    file = tmp_path / f"{words[0]}.csv"
    file.write_text(text)
    ran = tantieme(words[0], "import", file, *words[1:])
    assert ran.code == 0, ran.err


def adjusted(tantieme: Tantieme) -> dict:
    ran = tantieme("adjust", "2026-10", "--as", "kim", "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def waiting(found: dict) -> int:
    """What is restated of money without an owner."""
    rows = {each["account"]: each["restated"]["micros"] for each in found["others"]}
    return rows.get("suspense.unmatched", 0)


def test_a_late_currency_stays_at_the_rate_that_it_was_first_converted_at(
    closed: Tantieme, tmp_path: Path
) -> None:
    late = ("revenue", "--late")
    brings(closed, tmp_path, "fx", text=f"{RATE}2026-09-01,USD,EUR,0.5\n")
    brings(closed, tmp_path, *late, text=f"{REVENUE}2026-10,u3,app,US,USD,10.00\n")
    first = adjusted(closed)
    brings(closed, tmp_path, "fx", text=f"{RATE}2026-10-30,USD,EUR,0.9\n2026-10-30,GBP,EUR,1.2\n")

    unchanged = adjusted(closed)
    brings(closed, tmp_path, *late, text=f"{REVENUE}2026-10,u4,app,US,USD,2.00\n")
    more = adjusted(closed)
    brings(closed, tmp_path, *late, text=f"{REVENUE}2026-10,u5,app,GB,GBP,1.00\n")
    other = adjusted(closed)

    assert (first["changes"], waiting(first)) == (["late revenue"], 5_000_000)
    assert (unchanged["changes"], unchanged["transactions"]) == ([], [])
    assert waiting(more) == 6_000_000
    assert waiting(other) == 7_200_000  # a currency that the month did not have takes what is given
    books = Workspace(home=tmp_path / "home").books()
    assert rates_used(books, OCTOBER) == {"2026-09-01/USD/EUR", "2026-10-30/GBP/EUR"}


def test_a_takedown_is_said_by_the_adjustment_that_acts_on_it_and_not_again(
    closed: Tantieme,
) -> None:
    since = ("--from", "2026-10-01", "--reason", "the owner asked")
    assert closed("catalogue", "takedown", "r1", *since).code == 0

    first, again = adjusted(closed), adjusted(closed)

    why = "r1 earns nothing: taken down from 2026-10-01: the owner asked"
    assert first["changes"] == ["restated licences", why]
    assert again["changes"] == []


def test_no_payee_is_told_which_recordings_of_others_were_taken_down(
    closed: Tantieme, tmp_path: Path
) -> None:
    since = ("--from", "2026-10-01", "--reason", "the owner asked")
    assert closed("catalogue", "takedown", "r1", *since).code == 0
    adjusted(closed)
    brings(closed, tmp_path, "revenue", text=f"{REVENUE}2026-11,u1,app,DE,EUR,1.00\n")
    brings(closed, tmp_path, "usage", text=f"{USAGE}2026-11,u1,g3,app,DE,1\n")
    assert closed("close", "2026-11").code == 0

    books = Workspace(home=tmp_path / "home").books()
    ann, cy = (queries.statement(EVERYONE, books, each, OCTOBER.next) for each in ("ann", "cy"))

    assert [each.why for each in cy.movements] == ["restated licences"]
    assert "the owner asked" not in str(cy)
    assert "the owner asked" in str(ann.notes)


def test_a_month_that_brought_nothing_is_adjusted_and_the_statement_names_it(
    tantieme: Tantieme, tmp_path: Path
) -> None:
    """October closes with no money and posts nothing; its revenue comes in late."""
    assert tantieme("init").code == 0
    assert tantieme("catalogue", "import", EXAMPLE).code == 0
    for what in ("shares", "usage"):
        assert tantieme(what, "import", EXAMPLE / f"{what}.csv").code == 0
    brings(tantieme, tmp_path, "revenue", text=f"{REVENUE}2026-10,u1,app,DE,EUR,0.00\n")
    assert tantieme("close", "2026-10").code == 0
    late = f"{REVENUE}2026-10,u2,app,DE,EUR,10.00\n"
    brings(tantieme, tmp_path, "revenue", "--late", text=late)
    adjusted(tantieme)
    brings(tantieme, tmp_path, "revenue", text=f"{REVENUE}2026-11,u1,app,DE,EUR,0.00\n")
    brings(tantieme, tmp_path, "usage", text=f"{USAGE}2026-11,u1,g1,app,DE,1\n")
    ran = tantieme("close", "2026-11")
    assert ran.code == 0, ran.err

    books = Workspace(home=tmp_path / "home").books()
    stated = queries.statement(EVERYONE, books, "ann", OCTOBER.next)
    [movement] = stated.movements
    steps = queries.trail(EVERYONE, books, movement.id).steps

    assert (movement.what, movement.usage_period) == ("correction, of 2026-10", OCTOBER)
    assert (movement.adjusts, movement.amount.micros) == (None, 1_916_667)
    assert [each.id for each in steps if each.step == "restatement"] == ["2026-10/1"]
    assert "g1/r1/ann" in [each.id for each in steps if each.step == "difference"]
