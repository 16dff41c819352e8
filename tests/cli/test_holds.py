import json

import pytest

from tests.cli.conftest import Ran, Tantieme

# Of October's twenty euros Ann is owed 2.40 for a track and 1.433334 of what nobody earned.
LINE = "2026-10/ann/1"


def payable(tantieme: Tantieme) -> int:
    """What the conservation of November says has come to payees there: less than nothing, held."""
    ran = tantieme("audit", "2026-11", "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["parts"]["payable"]["micros"]


def listed(tantieme: Tantieme) -> list[dict]:
    return json.loads(tantieme("hold", "--list", "--json").out)["holds"]


def held(tantieme: Tantieme, *arguments: str) -> Ran:
    return tantieme("hold", *arguments, "--reason", "ownership is contested", "--as", "Carl")


def test_a_line_is_held_and_released(closed: Tantieme) -> None:
    ran = held(closed, LINE)
    assert (ran.code, payable(closed)) == (0, -2_400_000)
    assert f"hold/{LINE}: €2.40 is held, posted in 2026-11." in ran.err

    ran = closed("release", f"hold/{LINE}", "--reason", "settled")

    assert (ran.code, payable(closed)) == (0, 0)
    assert f"hold/{LINE}: €2.40 is released, posted in 2026-11." in ran.err
    again = closed("release", f"hold/{LINE}", "--reason", "settled")
    assert (again.code, "was released already; nothing changed" in again.err) == (0, True)


def test_all_that_is_payable_or_a_part_of_it_is_held(closed: Tantieme) -> None:
    assert held(closed, "ann", "--amount", "1.5").code == 0
    assert payable(closed) == -1_500_000
    assert held(closed, "bob").code == 0
    assert held(closed, "bob").code == 0

    amounts = {row["subject"]: row["amount"]["micros"] for row in listed(closed)}
    assert amounts["ann"] == 1_500_000
    assert payable(closed) == -sum(amounts.values())


def test_a_posting_is_held(closed: Tantieme) -> None:
    trail = json.loads(closed("trail", LINE, "--json").out)["steps"]
    [posting] = [step["id"] for step in trail if step["step"] == "posting"]

    assert held(closed, posting).code == 0

    assert payable(closed) == -3_833_334


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ann", "--amount", "4"), "€3.833334 of ann's money is payable"),
        ((LINE, "--amount", "2.5"), f"€2.50 is more than {LINE} comes to, which is €2.40"),
        (("2026-10/ann/9", "--amount", "1"), "no line 9"),
        (("bob", "--amount", "0"), "an amount of 0 holds nothing of bob; say how much"),
        (("99.1",), "no posting 99.1"),
        (("nobody",), "'nobody' is no payee"),
        (("2026-13/ann/1",), "2026-13"),
    ],
)
def test_what_cannot_be_held_is_refused(
    closed: Tantieme, arguments: tuple[str, ...], said: str
) -> None:
    ran = held(closed, *arguments)

    assert ran.code == 3
    assert said in ran.err
    assert listed(closed) == []


def test_where_all_is_held_there_is_nothing_to_hold(closed: Tantieme) -> None:
    held(closed, LINE)
    assert held(closed, "ann").code == 0

    ran = held(closed, "2026-10/ann/2")

    assert ran.code == 3
    assert "€0.00 of ann's money is payable: " not in ran.err
    assert "€0.00 was paid and €3.833334 is held already" in ran.err


def test_what_is_held_is_not_paid(closed: Tantieme) -> None:
    held(closed, LINE)

    ran = closed("pay", "2026-10", "--as", "Mara")
    assert ran.code == 0, ran.err

    # Of 3.83 Ann keeps 1.43 to be paid; Bob has 7.93 and Cy 8.23.
    parts = json.loads(closed("audit", "2026-11", "--json").out)["parts"]
    assert (parts["paid"]["micros"], parts["suspense.held"]["micros"]) == (17_590_000, 2_400_000)
    ran = held(closed, "2026-10/ann/2")
    assert ran.code == 3
    assert "€0.003334 of ann's money is payable; €1.43 was paid and €2.40 is held" in ran.err


def test_a_dry_run_writes_nothing(closed: Tantieme) -> None:
    ran = held(closed, LINE, "--dry-run")

    assert (ran.code, listed(closed)) == (0, [])
    assert f"hold/{LINE}: €2.40 would be held; nothing was written." in ran.err


def test_the_list_has_the_keys_that_others_read(closed: Tantieme) -> None:
    held(closed, LINE)

    [row] = listed(closed)

    assert row.pop("recorded_at")
    assert row == {
        "id": f"hold/{LINE}",
        "kind": "held",
        "state": "held",
        "subject": LINE,
        "payee": "ann",
        "payee_name": "Ann",
        "track": "g1",
        "recording": "r1",
        "amount": {"micros": 2_400_000, "currency": "EUR"},
        "period": "2026-11",
        "reason": "ownership is contested",
        "opened_by": "Carl",
        "released_at": None,
        "ending": None,
        "age_days": 0,
        "findings": [],
    }
    assert "ownership is contested" in closed("hold", "--list").out


def test_what_was_done_is_told_and_leaves_the_books_whole(closed: Tantieme) -> None:
    ran = held(closed, LINE, "--json")

    assert set(json.loads(ran.out)) == {"schema", "hold", "amount", "period", "already", "dry_run"}
    assert closed("verify").code == 0


@pytest.mark.parametrize("arguments", [(), (LINE, "--list"), (LINE,), (LINE, "--reason", " ")])
def test_what_is_asked_is_asked_wholly(closed: Tantieme, arguments: tuple[str, ...]) -> None:
    assert closed("hold", *arguments).code == 2


def test_only_disputes_are_upheld(closed: Tantieme) -> None:
    held(closed, LINE)

    ran = closed("release", f"hold/{LINE}", "--upheld", "--reason", "x")

    assert ran.code == 3
    assert "is no dispute; release it without --upheld" in ran.err
    assert closed("release", "hold/x", "--reason", "x").code == 3
