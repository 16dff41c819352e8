import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tantieme

USAGE = """period,listener,track,source,territory,plays
2026-11,u1,g1,app,FR,8
2026-11,u2,g3,app,FR,10
"""
REVENUE = """period,listener,source,territory,currency,net
2026-11,u1,app,FR,EUR,5.00
2026-11,u2,app,FR,EUR,10.00
"""


@pytest.fixture
def two_months(example: Tantieme, tmp_path: Path) -> Tantieme:
    """October as in the README, and a November in France without g2."""
    for kind, text in (("usage", USAGE), ("revenue", REVENUE)):
        (tmp_path / f"{kind}.csv").write_text(text)
        ran = example(kind, "import", tmp_path / f"{kind}.csv")
        assert ran.code == 0, ran.err
    return example


def test_a_month_stands_beside_the_one_before(two_months: Tantieme) -> None:
    two_months("close", "2026-10", "--rule", "user-centric")

    shown = two_months("payouts", "2026-11", "--variance")
    document = json.loads(two_months("payouts", "2026-11", "--variance", "--json").out)

    assert shown.out.startswith("2026-11 by pro_rata against 2026-10 by user_centric")
    assert "2026-11 has €15.00 to divide, €5.00 less than 2026-10 (-25.0 %)" in shown.out
    assert "Had revenue in 2026-10 and has none now: app in DE (€20.00)." in shown.out
    assert "Has revenue now and had none in 2026-10: app in FR (€15.00)." in shown.out
    totals = document["totals"]
    assert (totals["plays"]["before"], totals["plays"]["now"]) == (40, 18)
    assert (totals["tracks"]["before"], totals["tracks"]["now"]) == (3, 2)
    assert document["against"] == {"period": "2026-10", "rule": "user_centric"}
    assert document["summary"] in shown.out


def test_what_payees_gained_and_lost_adds_up_to_what_the_pool_did(two_months: Tantieme) -> None:
    two_months("payouts", "2026-10")

    document = json.loads(two_months("payouts", "2026-11", "--variance", "--json").out)

    changes = [payee["change"]["micros"] for payee in document["payees"]]
    suspense = document["totals"]["suspense"]["change"]["micros"]
    assert sum(changes) + suspense == document["totals"]["pool"]["change"]["micros"] == -5_000_000
    assert sorted(changes, key=lambda change: -abs(change)) == changes


def test_territories_of_one_pool_are_told_apart(two_months: Tantieme, tmp_path: Path) -> None:
    settings = tmp_path / "home" / "workspace.toml"
    text = settings.read_text()
    settings.write_text(text.replace("pool_by_territory = true", "pool_by_territory = false"))
    two_months("payouts", "2026-10")

    document = json.loads(two_months("payouts", "2026-11", "--variance", "--json").out)

    assert [each["territory"] for each in document["missing"]] == ["DE"]
    assert [each["territory"] for each in document["came"]] == ["FR"]


def test_a_month_without_one_before_says_so(two_months: Tantieme) -> None:
    first = two_months("payouts", "2026-10", "--variance")
    named = two_months("payouts", "2026-10", "--variance", "--against", "2026-08")
    document = json.loads(two_months("payouts", "2026-10", "--variance", "--json").out)

    assert (first.code, named.code) == (0, 3)
    assert "There is no month before 2026-10 to hold it against: 2026-09 is neither" in first.out
    assert "period 2026-08 is not computed with pro_rata; run 'tantieme payouts" in named.err
    assert document["against"] is None


def test_a_month_is_held_against_another_that_is_named(two_months: Tantieme) -> None:
    two_months("payouts", "2026-11")

    ran = two_months("payouts", "2026-10", "--variance", "--against", "2026-11")

    assert "2026-10 has €20.00 to divide, €5.00 more than 2026-11 (+33.3 %)" in ran.out


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--variance", "--compare"), "--variance is of one rule"),
        (("--variance", "--rule", "pro-rata", "--rule", "user-equal"), "--variance is of one rule"),
        (("--against", "2026-09"), "--against goes with --variance"),
        (("--variance", "--against", "2026-10"), "2026-10 is no different from itself"),
    ],
)
def test_options_that_do_not_go_together(
    example: Tantieme, options: tuple[str, ...], why: str
) -> None:
    ran = example("payouts", "2026-10", *options)

    assert ran.code == 2
    assert why in ran.err


def test_who_approves_is_shown_what_moved(two_months: Tantieme) -> None:
    two_months("payouts", "2026-10")
    two_months("payouts", "2026-11", "--as", "ann")

    ran = two_months("approve", "2026-11", "--as", "bob", "--dry-run")

    assert "2026-11 has €15.00 to divide, €5.00 less than 2026-10 (-25.0 %)" in ran.out
    assert "In full: tantieme payouts 2026-11 --variance" in ran.out
