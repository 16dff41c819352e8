from dataclasses import replace
from unittest.mock import patch

from dashboard import reads
from db.queries import EVERYONE
from royalty.money import Money
from royalty.statement import Heading, Movements, make_statement
from tests.dashboard.conftest import CLOSED, OpenPage, texts


def test_the_first_number_is_what_is_owed(open_page: OpenPage, where: reads.Place) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)

    app = open_page("statement", payee="ben")

    assert not app.exception
    assert app.title[0].value == statement.closing.rounded
    assert f"`{statement.closing}`" in app.markdown[0].value
    assert "Ben Brandt" in app.caption[0].value


def test_opening_becomes_closing_term_by_term(open_page: OpenPage, where: reads.Place) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)

    app = open_page("statement", payee="ben")
    tiles = {metric.label: metric.value for metric in app.metric}

    assert tiles == {
        "Opening": "€0.00",
        "+ Earned": statement.earned.rounded,
        "= Closing": statement.closing.rounded,
    }
    assert "Zero this month: adjustments, recouped, reserved, withheld, paid." in texts(app)


def test_a_term_that_moved_something_is_shown(open_page: OpenPage, where: reads.Place) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    fee = Money(1_000_000, "EUR")
    withheld = replace(statement, withheld=fee, closing=statement.closing - fee)
    with patch("dashboard.reads.statement", return_value=withheld):
        app = open_page("statement", payee="ben")

    assert {metric.label: metric.value for metric in app.metric}["− Withheld"] == "€1.00"  # noqa: RUF001


def test_every_line_is_there_to_the_micro_the_largest_first(
    open_page: OpenPage, where: reads.Place
) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    ranked = sorted(statement.lines, key=lambda line: (-line.net.micros, line.number))

    table = open_page("statement", payee="ben").dataframe[0].value

    assert list(table["Net"]) == [line.net.decimal for line in ranked]
    assert list(table["Low"]) == [line.low.decimal for line in ranked]
    assert list(table["#"]) == [line.number for line in ranked]


def test_a_line_that_no_recording_earned_says_so(open_page: OpenPage) -> None:
    table = open_page("statement", payee="ben").dataframe[0].value
    unearned = table[table["Track"] == "unattributed"]

    assert len(unearned) == 1
    assert list(unearned["Share"]) == [""]


def test_the_trail_of_the_first_line_can_be_walked(open_page: OpenPage, where: reads.Place) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    first = max(statement.lines, key=lambda line: line.net.micros)

    app = open_page("statement", payee="ben")

    assert any(code.value.endswith(f" trail {first.id}") for code in app.code)


def test_csv_and_json_are_offered(open_page: OpenPage) -> None:
    app = open_page("statement", payee="ben")

    assert [each.proto.label for each in app.get("download_button")] == [
        "Download CSV",
        "Download JSON",
    ]


def test_an_open_month_has_no_statements_and_names_the_command(open_page: OpenPage) -> None:
    app = open_page("statement", period="2026-11", payee="ben")

    assert not app.exception
    assert [code.value for code in app.code] == ["tantieme close 2026-11"]


def test_more_lines_than_a_page_holds_are_cut_and_it_says_so(
    open_page: OpenPage, where: reads.Place
) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    heading = Heading(payee="ben", payee_name="Ben", period=CLOSED, rule="pro_rata")
    many = make_statement(heading, [statement.lines[0]] * 10_001, Movements.none("EUR"))
    with patch("dashboard.reads.statement", return_value=many):
        app = open_page("statement", payee="ben")

    assert len(app.dataframe[0].value) == 10_000
    assert "The first 10,000 are shown" in texts(app)


def test_a_payee_who_earned_nothing_has_a_statement_all_the_same(open_page: OpenPage) -> None:
    heading = Heading(payee="ben", payee_name="Ben", period=CLOSED, rule="pro_rata")
    empty = make_statement(heading, [], Movements.none("EUR"))
    with patch("dashboard.reads.statement", return_value=empty):
        app = open_page("statement", payee="ben")

    assert not app.exception
    assert "Nothing was earned" in texts(app)
