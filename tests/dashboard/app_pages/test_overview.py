from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from cli.setup import set_up
from cli.workspace import Workspace
from dashboard import reads
from db.queries import EVERYONE, LARGEST, ROWS_MAX, Earnings, Viewer, Window
from royalty.money import Money, total
from royalty.period import Period
from tests.dashboard.app_pages.alts import alts
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
    assert tiles["Recordings"].value == "4"
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
    earned = reads.earnings(EVERYONE, where, CLOSED, "pro_rata")
    nothing = replace(earned, payees=(), payee_count=0, suspense=earned.pool)
    with patch("dashboard.reads.earnings", return_value=nothing):
        app = open_page()

    assert not app.exception
    assert "Nobody earned anything" in texts(app)


def test_two_payees_of_one_name_stay_two(open_page: OpenPage, where: reads.Place) -> None:
    earned = reads.earnings(EVERYONE, where, CLOSED, "pro_rata")
    same = replace(earned, payees=tuple(replace(payee, name="Ann") for payee in earned.payees))
    with patch("dashboard.reads.earnings", return_value=same):
        app = open_page()

    links = [link.proto for link in app.get("page_link") if "payee=" in link.proto.query_string]
    assert sorted(link.label for link in links) == [
        f":primary[Ann · {payee}]" for payee in ("ann", "ben", "cho")
    ]


def test_the_month_before_stands_beside_this_one(open_page: OpenPage, where: reads.Place) -> None:
    now = reads.earnings(EVERYONE, where, CLOSED, "pro_rata")
    september = replace(reads.standing(EVERYONE, where, CLOSED), period=CLOSED.before(1))
    less = replace(
        now, period=CLOSED.before(1), pool=Money(30_000_000, "EUR"), idle=Money(10_000, "EUR")
    )
    rows = [*reads.periods(EVERYONE, where), september]
    read = {CLOSED: now, CLOSED.before(1): less}
    with (
        patch("dashboard.reads.periods", return_value=rows),
        patch("dashboard.reads.earnings", side_effect=lambda *given: read[given[2]]),
    ):
        app = open_page()

    tiles = {tile.label: tile.proto.delta_description for tile in app.metric}
    assert "In September 2026 it was €30.00, by pro rata." in app.markdown[0].value
    assert tiles["Unattributed"] == "€0.00 since September"
    assert tiles["Idle"] == f"+{(now.idle - less.idle).rounded} since September"


def test_the_flow_is_there_as_a_picture_with_what_it_shows_and_as_a_table(
    open_page: OpenPage, where: reads.Place
) -> None:
    earned = reads.earnings(EVERYONE, where, CLOSED, "pro_rata")

    app = open_page()
    flow = next(table.value for table in app.dataframe if "From" in table.value)
    out = flow[flow["From"] == "Money"]

    assert sum(map(Decimal, out["Amount"])) == Decimal(earned.pool.decimal)
    assert "Harbour" in set(flow["To"])
    assert {"Ann Aalto", "Ben Brandt", "Cho Chen"} <= set(flow["To"])
    assert any(f"Of {earned.pool.rounded}, " in alt for alt in alts(app))


def test_every_table_can_be_taken_along(open_page: OpenPage) -> None:
    names = [each.proto.label for each in open_page().get("download_button")]

    assert names == ["Download payees as CSV", "Download the flow as CSV"]


def test_a_payee_sees_own_money_and_no_link_to_what_all_of_it_came_to(
    open_page: OpenPage, where: reads.Place
) -> None:
    ben = Viewer("ben", frozenset({"ben"}))
    mine = reads.earnings(ben, where, CLOSED, "pro_rata")
    with patch("dashboard.identity.viewer", return_value=ben):
        app = open_page()

    said = texts(app) + str([table.value.to_csv() for table in app.dataframe])
    assert not app.exception
    assert app.title[0].value == mine.paid.rounded
    assert {tile.label for tile in app.metric} == {"Attributed", "In equal parts"}
    assert "Ann Aalto" not in said
    assert "Cho Chen" not in said
    assert "€34.96" not in said
    assert not [link for link in app.get("page_link") if "rule=" in link.proto.query_string]


def test_no_read_hands_more_rows_to_the_page_than_it_may(
    open_page: OpenPage, where: reads.Place
) -> None:
    earned = reads.earnings(EVERYONE, where, CLOSED, "pro_rata")
    many = tuple(replace(earned.payees[0], id=f"p{number}") for number in range(1_000))
    asked: list[Window] = []

    def read(*given: object) -> Earnings:
        asked.append(given[4] if len(given) > 4 else LARGEST)  # type: ignore[arg-type]
        return replace(earned, payees=many[: asked[-1].limit], payee_count=100_000)

    with (
        patch("dashboard.reads.earnings", side_effect=read),
        patch("dashboard.reads.flows", return_value=()),
    ):
        app = open_page()

    assert not app.exception
    assert max(len(table.value) for table in app.dataframe) <= ROWS_MAX
    assert {window.limit for window in asked} == {12, 1_000}
    assert "The 1,000 largest of 100,000 payees" in next(each.label for each in app.expander)


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
