"""Previews that are older than what came in are left out, and the command renews them."""

import shutil
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.jobs.payout import compute
from cli.workspace import Workspace
from dashboard import reads
from db.intake import revenue
from db.queries import EVERYONE, Payout
from royalty.differences import moved
from tests.dashboard.conftest import CLOSED, OPEN, OpenPage, texts

LATE = "period,listener,source,territory,currency,net\n2026-11,max,app,DE,EUR,1000.00\n"
SAME = "All of them divide the same money, to the last micro."


@pytest.fixture(scope="module")
def home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small workspace with November by three rules, of which one is of too little revenue."""
    folder = tmp_path_factory.mktemp("late")
    workspace = Workspace(home=folder / "home")
    shutil.copytree(home, workspace.home)
    compute(workspace, OPEN, "pro_rata")
    late = folder / "late.csv"
    late.write_text(LATE, encoding="utf-8")
    revenue.record(workspace.books(), late)
    for rule in ("user_centric", "training_fee"):
        compute(workspace, OPEN, rule)
    return workspace.home


def november(where: reads.Place, rule: str) -> Payout:
    return reads.payout(EVERYONE, where, OPEN, rule)


def options(open_page: OpenPage, page: str) -> set[str]:
    app = open_page(page, period=str(OPEN))
    return {option for box in app.selectbox if box.key != "period" for option in box.options}


def test_rules_that_are_compared_divide_the_same_money(
    open_page: OpenPage, where: reads.Place
) -> None:
    two = november(where, "user_centric"), november(where, "training_fee")
    found = reads.differences(EVERYONE, where, (two[0].snapshot, two[1].snapshot), two)

    app = open_page("rules", period=str(OPEN))

    assert november(where, "pro_rata").pool != two[0].pool == two[1].pool
    assert not app.exception
    assert app.title[0].value == moved(found, "EUR").rounded
    assert SAME in texts(app)
    assert "Usage, revenue or shares came in after November 2026 was divided by pro rata" in texts(
        app
    )
    assert "tantieme payouts 2026-11 --rule pro_rata" in [code.value for code in app.code]
    assert options(open_page, "rules") == {"User centric", "Training fee"}


def test_the_overview_leaves_out_what_is_older_than_the_revenue(
    open_page: OpenPage, where: reads.Place
) -> None:
    app = open_page(period=str(OPEN))

    assert not app.exception
    assert app.title[0].value == november(where, "user_centric").pool.rounded
    assert "tantieme payouts 2026-11 --rule pro_rata" in [code.value for code in app.code]
    assert options(open_page, "overview") == {"User centric", "Training fee"}


def test_a_month_with_nothing_but_older_previews_names_the_command_alone(
    open_page: OpenPage,
) -> None:
    older = frozenset({"pro_rata", "user_centric", "training_fee"})
    with patch("dashboard.reads.stale", return_value=older):
        app = open_page("rules", period=str(OPEN))

    assert not app.exception
    assert not app.title
    assert [code.value for code in app.code] == [
        "tantieme payouts 2026-11 --rule pro_rata --rule user_centric --rule training_fee"
    ]


def test_one_rule_beside_older_previews_names_the_command_once(open_page: OpenPage) -> None:
    older = frozenset({"pro_rata", "training_fee"})
    with patch("dashboard.reads.stale", return_value=older):
        app = open_page("rules", period=str(OPEN))

    assert not app.exception
    assert [code.value for code in app.code] == [
        "tantieme payouts 2026-11 --rule pro_rata --rule training_fee"
    ]


def test_rules_of_different_settings_are_not_said_to_divide_the_same(
    open_page: OpenPage, where: reads.Place
) -> None:
    rules = ("pro_rata", "user_centric", "training_fee")
    stored = {rule: reads.earnings(EVERYONE, where, OPEN, rule) for rule in rules}

    with (
        patch("dashboard.reads.stale", return_value=frozenset()),
        patch("dashboard.reads.earnings", side_effect=lambda *asked: stored[asked[-1]]),
    ):
        app = open_page("rules", period=str(OPEN))

    assert not app.exception
    assert SAME not in texts(app)
    assert "workspace.toml changed between them" in texts(app)
    assert "These two divide different money" in texts(app)
    assert not app.slider


def test_nothing_of_a_closed_month_is_left_out(open_page: OpenPage, where: reads.Place) -> None:
    table = open_page("rules", period=str(CLOSED)).dataframe[1].value

    assert len(table) == len(reads.standing(EVERYONE, where, CLOSED).computed)
