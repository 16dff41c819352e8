import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from cli.jobs import payout
from cli.jobs.month import open_month
from cli.main import main
from cli.workspace import Workspace
from db import engines, snapshots
from royalty.period import Period
from tests.cli.conftest import EXAMPLE, Tantieme

EARLIER = """period,listener,track,source,territory,plays
2026-04,u3,g1,app,DE,5
2026-04,u4,g1,app,DE,6
2025-10,u3,g3,app,DE,50
"""


@pytest.fixture
def thresholds(example: Tantieme, tmp_path: Path) -> Tantieme:
    """The README's world, in which a track takes part from 15 plays in twelve months on."""
    settings = tmp_path / "home" / "workspace.toml"
    settings.write_text(f"{settings.read_text()}\n[rules.pro_rata]\nminimum_plays = 15\n")
    return example


@pytest.fixture
def divided(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rules that a month was divided by, in order."""
    rules: list[str] = []
    divide_by = payout.divide_by

    def counted(month: object, rule: str) -> object:
        rules.append(rule)
        return divide_by(month, rule)

    monkeypatch.setattr(payout, "divide_by", counted)
    return rules


@pytest.fixture(scope="module")
def previewed_example(imported_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October, previewed by each listener's own money; made once, tests take a copy."""
    home = tmp_path_factory.mktemp("previewed") / "home"
    shutil.copytree(imported_example, home)
    assert main(["--home", str(home), "payouts", "2026-10", "--rule", "user-centric"]) == 0
    return home


@pytest.fixture
def previewed(tantieme: Tantieme, previewed_example: Path, tmp_path: Path) -> Tantieme:
    shutil.copytree(previewed_example, tmp_path / "home")
    return tantieme


def import_earlier(tantieme: Tantieme, tmp_path: Path, text: str = EARLIER) -> None:
    file = tmp_path / "earlier.csv"
    file.write_text(text)
    ran = tantieme("usage", "import", file)
    assert ran.code == 0, ran.err


def test_closing_posts_once_and_for_good(example: Tantieme) -> None:
    first, again = example("close", "2026-10"), example("close", "2026-10")

    assert (first.code, again.code) == (0, 0)
    assert "2026-10 is closed by pro_rata: 2 transactions, chain head " in first.err
    assert "2026-10 was already closed by pro_rata" in again.err


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_closing_by_another_rule_is_refused(closed: Tantieme, dry: tuple[str, ...]) -> None:
    ran = closed("close", "2026-10", "--rule", "user-centric", *dry)

    assert ran.code == 3
    assert "2026-10 is closed" in ran.err


def test_a_dry_run_of_closing_posts_nothing_and_names_the_rule(example: Tantieme) -> None:
    ran = example("close", "2026-10", "--dry-run")

    assert ran.code == 0
    assert "Would post 2 transactions and close 2026-10 by pro_rata" in ran.err
    assert example("statement", "bob", "2026-10").code == 3


def test_plays_of_the_eleven_months_before_count_towards_a_threshold(
    thresholds: Tantieme, tmp_path: Path
) -> None:
    without = json.loads(thresholds("payouts", "2026-10", "--json").out)
    import_earlier(thresholds, tmp_path)

    with_them = json.loads(thresholds("payouts", "2026-10", "--json").out)

    # Of g1, g2 and g3 with 8, 22 and 10 plays, g2 alone has 15. Half a year before g1 had 11 more;
    # the 50 plays of g3 are a year old.
    assert unattributed(without) == 4_000_000  # 20 % of all
    assert unattributed(with_them) == pytest.approx(20e6 * (22 * 0.20 + 8 * 0.15) / 30, abs=1)


def unattributed(document: dict) -> int:
    return document["rules"]["pro_rata"]["unattributed"]["micros"]


def test_a_payout_names_the_earlier_months_that_it_looked_at(
    thresholds: Tantieme, tmp_path: Path
) -> None:
    import_earlier(thresholds, tmp_path)
    thresholds("close", "2026-10")

    assert inputs_of(tmp_path, "2026-10/pro_rata") == ["history", "revenue", "shares", "usage"]
    assert inputs_of(tmp_path, "2026-10/user_centric") == ["revenue", "shares", "usage"]


def inputs_of(tmp_path: Path, payout_id: str) -> list[str]:
    with sqlite3.connect(tmp_path / "home" / "ledger.db") as books:
        found = books.execute("select kind from payout_input where payout = ?", [payout_id])
        return sorted(kind for (kind,) in found if not kind.startswith("rights."))


def test_earlier_months_that_come_in_later_make_a_preview_stale(
    thresholds: Tantieme, tmp_path: Path, divided: list[str]
) -> None:
    thresholds("payouts", "2026-10", "--rule", "pro-rata", "--rule", "user-equal")
    import_earlier(thresholds, tmp_path)
    del divided[:]

    assert thresholds("close", "2026-10", "--rule", "user-centric").code == 0

    assert divided == ["pro_rata", "user_centric"]  # user_equal looks at no earlier month


def test_previews_that_still_hold_are_not_divided_again(
    example: Tantieme, divided: list[str]
) -> None:
    rules = ("user-centric", "user-equal", "training-fee:0.5+pro-rata:0.5")
    before = example("payouts", "2026-10", *(word for rule in rules for word in ("--rule", rule)))
    del divided[:]

    closed = example("close", "2026-10", "--rule", "pro-rata")

    assert (before.code, closed.code) == (0, 0)
    assert divided == ["pro_rata"]
    assert example("audit", "2026-10", "conservation").code == 0


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("publishing_ppm = 0", "publishing_ppm = 300000"),
        ("default = 1000000", "default = 900000"),
    ],
)
def test_previews_under_other_settings_are_divided_again(
    previewed: Tantieme, tmp_path: Path, divided: list[str], setting: str, changed: str
) -> None:
    settings = tmp_path / "home" / "workspace.toml"
    assert setting in settings.read_text()
    settings.write_text(settings.read_text().replace(setting, changed))

    assert previewed("close", "2026-10", "--rule", "pro-rata").code == 0

    assert divided == ["user_centric", "pro_rata"]


@pytest.mark.parametrize(
    ("said", "changed"),
    [("ann,1000000,0", "ann,500000,0"), ("ann,w1,,,,", "ann,w1,,,,2026-10-01")],
)
def test_previews_before_a_change_of_the_catalogue_are_divided_again(
    previewed: Tantieme, tmp_path: Path, divided: list[str], said: str, changed: str
) -> None:
    for name in ("recordings", "parties", "interests", "terms"):
        text = (EXAMPLE / f"{name}.csv").read_text()
        (tmp_path / f"{name}.csv").write_text(text.replace(said, changed))
    assert previewed("catalogue", "import", tmp_path).code == 0

    assert previewed("close", "2026-10", "--rule", "pro-rata").code == 0

    assert divided == ["user_centric", "pro_rata"]


def test_a_licence_renewed_after_a_preview_has_it_divided_again(
    example: Tantieme, tmp_path: Path, divided: list[str]
) -> None:
    renew(example, tmp_path, "2026-10-01")
    example("payouts", "2026-10", "--rule", "user-centric")
    without = earned_by(example, "user-centric")
    renew(example, tmp_path, "2027-10-01")
    del divided[:]

    assert example("close", "2026-10", "--rule", "pro-rata").code == 0

    assert divided == ["user_centric", "pro_rata"]
    assert without.get("ann", 0) < earned_by(example, "user-centric")["ann"]


def test_what_changes_nothing_on_the_first_day_leaves_a_preview_as_it_is(
    previewed: Tantieme, tmp_path: Path, divided: list[str]
) -> None:
    renew(previewed, tmp_path, "2027-10-01")

    assert previewed("close", "2026-10", "--rule", "pro-rata").code == 0

    assert divided == ["pro_rata"]


def renew(tantieme: Tantieme, tmp_path: Path, until: str) -> None:
    """Have Ann's recording licensed up to a day."""
    for name in ("recordings", "parties", "interests", "terms"):
        text = (EXAMPLE / f"{name}.csv").read_text()
        (tmp_path / f"{name}.csv").write_text(text.replace("ann,w1,,,,", f"ann,w1,,,,{until}"))
    ran = tantieme("catalogue", "import", tmp_path)
    assert ran.code == 0, ran.err


def earned_by(tantieme: Tantieme, rule: str) -> dict[str, int]:
    document = json.loads(tantieme("payouts", "2026-10", "--rule", rule, "--json").out)
    [found] = document["rules"].values()
    return {payee["id"]: payee["amount"]["micros"] for payee in found["payees"]}


def test_all_of_a_command_runs_on_the_engine_told(
    example: Tantieme, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "duckdb?threads=1"
    urls: set[str] = set()
    connect = engines.connect

    def recorded(url: str = "duckdb") -> object:
        urls.add(url)
        return connect(url)

    monkeypatch.setattr(engines, "connect", recorded)
    rules = ("--rule", "pro-rata", "--rule", "user-centric")

    assert example("payouts", "2026-10", *rules, "--engine", told).code == 0
    assert example("close", "2026-10", "--dry-run", "--engine", told).code == 0
    assert example("close", "2026-10", "--engine", told).code == 0

    assert urls == {told}


def test_who_is_left_out_is_left_out_of_earlier_months(
    thresholds: Tantieme, tmp_path: Path
) -> None:
    import_earlier(thresholds, tmp_path)
    workspace = Workspace(home=tmp_path / "home")
    settings, period = workspace.settings(), Period(2026, 10)

    month = open_month(workspace.books(), settings, period, without=frozenset({"u2", "u3"}))

    rows = sorted(snapshots.run(month.facts.history).to_pylist(), key=lambda row: row["track"])
    assert rows == [
        {"track": "g1", "plays": 8 + 6, "listeners": 2},
        {"track": "g2", "plays": 2, "listeners": 1},
    ]
