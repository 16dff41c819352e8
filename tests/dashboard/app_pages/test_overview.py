from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from cli.setup import set_up
from cli.workspace import Workspace
from dashboard import reads
from db.queries import EVERYONE
from royalty.money import Money
from royalty.period import Period
from tests.dashboard.conftest import APP, CLOSED, OpenPage, texts


def test_the_first_number_is_the_pool_of_the_chosen_period(open_page: OpenPage) -> None:
    app = open_page()

    assert not app.exception
    assert app.title[0].value == "€34.96"
    assert "1–31 October 2026" in app.caption[0].value  # noqa: RUF001
    assert "royalty-bearing part" in app.markdown[0].value


def test_tiles_say_how_much_is_unattributed_or_in_suspense_and_why(
    open_page: OpenPage, where: reads.Place
) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")

    app = open_page()
    tiles = {metric.label: metric for metric in app.metric}

    assert tiles["Unattributed"].value == payout.unattributed.rounded
    assert tiles["Suspense"].value == payout.suspense.rounded
    assert payout.suspense.micros > 0
    assert tiles["Tracks"].value == "4"
    assert tiles["Payees"].value == "3"
    assert "cleared against the placebos" in texts(app)


def test_payees_are_ranked_with_their_interval_and_lead_to_their_statement(
    open_page: OpenPage, where: reads.Place
) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")
    first = payout.payees[0]

    app = open_page()
    links = [link for link in app.get("page_link") if "payee=" in link.proto.query_string]

    assert [link.proto.query_string for link in links] == [
        f"payee={payee.id}" for payee in payout.payees
    ]
    assert first.name in links[0].proto.label
    assert f"{first.low.rounded} – {first.high.rounded}" in texts(app)  # noqa: RUF001


def test_all_payees_stand_in_a_table_to_the_micro(open_page: OpenPage, where: reads.Place) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")

    table = open_page().dataframe[0].value

    assert list(table["Amount, EUR"]) == [payee.amount.decimal for payee in payout.payees]


def test_both_rules_stand_side_by_side_with_the_difference(
    open_page: OpenPage, where: reads.Place
) -> None:
    one = reads.payout(EVERYONE, where, CLOSED, "pro_rata")
    two = reads.payout(EVERYONE, where, CLOSED, "user_centric")
    amounts = {payee.name: payee.amount for payee in one.payees}
    others = {payee.name: payee.amount for payee in two.payees}

    table = open_page().dataframe[1].value.set_index("Payee")

    assert set(table.index) == set(amounts) | set(others)
    for name, row in table.iterrows():
        assert row["Pro rata, EUR"] == amounts[str(name)].decimal
        assert row["User centric, EUR"] == others[str(name)].decimal
        difference = others[str(name)] - amounts[str(name)]
        assert row["Difference"].removeprefix("+") == difference.decimal


def test_each_rule_is_explained_in_a_sentence(open_page: OpenPage) -> None:
    said = texts(open_page())

    assert "**Pro rata.** Everybody's money" in said
    assert "**User centric.** Each listener's money" in said


def test_the_address_chooses_the_rule(open_page: OpenPage, where: reads.Place) -> None:
    two = reads.payout(EVERYONE, where, CLOSED, "user_centric")

    app = open_page(rule="user_centric")

    assert "**user centric**" in app.markdown[0].value
    assert app.dataframe[0].value["Amount, EUR"][0] == two.payees[0].amount.decimal


def test_a_month_without_a_payout_names_the_command(open_page: OpenPage) -> None:
    app = open_page(period="2026-11")

    assert not app.exception
    assert [code.value for code in app.code] == ["tantieme payouts 2026-11 --compare"]


def test_one_rule_alone_names_the_command_for_the_other(
    open_page: OpenPage, where: reads.Place
) -> None:
    rows = [replace(row, computed=("pro_rata",)) for row in reads.periods(EVERYONE, where)]
    with patch("dashboard.reads.periods", return_value=rows):
        app = open_page()

    assert "tantieme payouts 2026-10 --rule user-centric" in [code.value for code in app.code]


def test_a_month_in_which_nobody_earned_anything_says_so(
    open_page: OpenPage, where: reads.Place
) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")
    nothing = replace(payout, payees=[], tracks=[], suspense=payout.pool)
    with patch("dashboard.reads.payout", return_value=nothing):
        app = open_page()

    assert not app.exception
    assert "Nobody earned anything" in texts(app)


def test_two_payees_of_one_name_stay_two(open_page: OpenPage, where: reads.Place) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")
    same = replace(payout, payees=[replace(payee, name="Ann") for payee in payout.payees])
    with patch("dashboard.reads.payout", return_value=same):
        app = open_page()

    assert sorted(app.dataframe[1].value["Payee"]) == ["Ann · ann", "Ann · ben", "Ann · cho"]


def test_an_empty_workspace_names_what_fills_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(Workspace(home=tmp_path))
    monkeypatch.setenv("TANTIEME_HOME", str(tmp_path))

    app = AppTest.from_file(APP, default_timeout=30).run()
    reads.books(reads.place()).engine.dispose()

    assert not app.exception
    assert "tantieme demo" in [code.value for code in app.code]


def test_no_workspace_at_all_names_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANTIEME_HOME", str(tmp_path / "nowhere"))

    app = AppTest.from_file(APP, default_timeout=30).run()

    assert not app.exception
    assert [code.value for code in app.code] == ["tantieme demo", "tantieme init"]


def test_the_pool_is_what_came_in_and_is_conserved(where: reads.Place) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")
    paid = sum(payee.amount.micros for payee in payout.payees)

    assert payout.period == Period(2026, 10)
    assert Money(paid, "EUR") + payout.suspense + payout.platform == payout.pool
