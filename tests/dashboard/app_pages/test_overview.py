from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from cli.setup import set_up
from cli.workspace import Workspace
from dashboard import reads
from db.queries import EVERYONE
from royalty.money import Money, total
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


def test_a_sentence_says_what_another_rule_would_change_and_leads_there(
    open_page: OpenPage, where: reads.Place
) -> None:
    paid = {
        rule: {
            payee.id: payee.amount for payee in reads.payout(EVERYONE, where, CLOSED, rule).payees
        }
        for rule in ("pro_rata", "user_centric")
    }
    changes = [paid["user_centric"][payee] - paid["pro_rata"][payee] for payee in paid["pro_rata"]]
    gains = [change for change in changes if change.micros > 0]

    app = open_page()
    (link,) = (link for link in app.get("page_link") if "rule=" in link.proto.query_string)

    assert gains
    assert f"{len(gains)} of {len(changes)} payees would earn more" in texts(app)
    assert total(gains, "EUR").rounded in texts(app)
    assert link.proto.query_string == "rule=pro_rata"
    assert link.proto.page.endswith("rules")


def test_the_address_chooses_the_rule(open_page: OpenPage, where: reads.Place) -> None:
    two = reads.payout(EVERYONE, where, CLOSED, "user_centric")

    app = open_page(rule="user_centric")

    assert "**user centric**" in app.markdown[0].value
    assert app.dataframe[0].value["Amount, EUR"][0] == two.payees[0].amount.decimal


def test_a_month_without_a_payout_names_the_command(open_page: OpenPage) -> None:
    app = open_page(period="2026-11")

    assert not app.exception
    assert [code.value for code in app.code] == ["tantieme payouts 2026-11 --compare"]


def test_one_rule_alone_names_the_command_for_the_others(
    open_page: OpenPage, where: reads.Place
) -> None:
    rows = [replace(row, computed=("pro_rata",)) for row in reads.periods(EVERYONE, where)]
    with patch("dashboard.reads.periods", return_value=rows):
        app = open_page()

    assert "tantieme payouts 2026-10 --compare" in [code.value for code in app.code]


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

    links = [link.proto for link in app.get("page_link") if "payee=" in link.proto.query_string]
    assert sorted(link.label for link in links) == [
        f":primary[Ann · {payee}]" for payee in ("ann", "ben", "cho")
    ]


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
