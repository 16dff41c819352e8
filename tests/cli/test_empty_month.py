"""A month in which nothing came in, after one that is closed: it divides nothing, and settles."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tantieme

REVENUE = "period,listener,source,territory,currency,net\n"
USAGE = "period,listener,track,source,territory,plays\n"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("rule", ["pro_rata", "artist_centric", "pro_rata:0.5+user_equal:0.5"])
def test_rules_and_blends_divide_nothing(closed: Tantieme, rule: str) -> None:
    ran = closed("payouts", "2026-11", "--rule", rule, "--json")

    assert ran.code == 0, ran.err
    assert "Nothing came in for 2026-11." in ran.err
    document = json.loads(ran.out)
    assert document["pool"] == {"micros": 0, "currency": "EUR"}
    assert document["rules"][rule]["payees"] == []


def test_it_is_closed_only_where_that_is_said(closed: Tantieme) -> None:
    refused = closed("close", "2026-11")
    rehearsed = closed("close", "2026-11", "--without-money", "--dry-run")
    ran = closed("close", "2026-11", "--without-money", "--as", "kim")

    assert refused.code == 3
    assert "run 'tantieme close 2026-11 --without-money'" in refused.err
    assert "Would post 0 transactions" in rehearsed.err
    assert ran.code == 0, ran.err
    assert "2026-11 is closed by pro_rata: 0 transactions" in ran.err
    assert closed("audit", "2026-11", "reproduce").code == 0
    assert closed("close", "2026-11").code == 0  # again, it changes nothing
    stated = json.loads(closed("statement", "ann", "2026-11", "--json").out)
    assert stated["opening"] == stated["closing"]
    assert stated["opening"]["micros"] > 0


def test_what_comes_late_for_it_is_adjusted(closed: Tantieme, tmp_path: Path) -> None:
    assert closed("close", "2026-11", "--without-money").code == 0
    usage = written(tmp_path / "usage.csv", f"{USAGE}2026-11,u1,g1,app,DE,5\n")
    revenue = written(tmp_path / "revenue.csv", f"{REVENUE}2026-11,u1,app,DE,EUR,5.00\n")
    assert closed("usage", "import", usage, "--late").code == 0
    assert closed("revenue", "import", revenue, "--late").code == 0

    document = json.loads(closed("adjust", "2026-11", "--json").out)

    moved = [each for each in document["payees"] if each["difference"]["micros"]]
    assert sum(each["difference"]["micros"] for each in moved) == 5_000_000


@pytest.mark.parametrize("what", ["usage", "2026-12"])
def test_it_is_empty_only_after_a_closed_month_and_with_neither(
    closed: Tantieme, tmp_path: Path, what: str
) -> None:
    played = written(tmp_path / "usage.csv", f"{USAGE}2026-11,u1,g1,app,DE,5\n")
    if what == "usage":
        assert closed("usage", "import", played).code == 0

    ran = closed("close", "2026-11" if what == "usage" else what, "--without-money")

    assert ran.code == 3
    assert "there is no revenue of 2026-1" in ran.err


def test_with_approval_it_is_previewed_and_approved_first(closed: Tantieme, tmp_path: Path) -> None:
    settings = tmp_path / "home" / "workspace.toml"
    settings.write_text(settings.read_text() + "\n")
    settings.write_text(settings.read_text().replace("approval = false", "approval = true"))
    assert closed("close", "2026-11", "--without-money", "--as", "kim").code == 3

    assert closed("payouts", "2026-11", "--as", "kim").code == 0
    assert closed("approve", "2026-11", "--as", "noor").code == 0

    assert closed("close", "2026-11", "--without-money", "--as", "kim").code == 0


def test_a_month_that_money_came_in_for_is_not_closed_without_it(example: Tantieme) -> None:
    ran = example("close", "2026-10", "--without-money")

    assert ran.code == 3
    assert "leave --without-money out, or withdraw what came in" in ran.err
