from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

from dashboard import reads
from db.queries import EVERYONE
from royalty.money import Money
from royalty.movements import Movement
from royalty.statement import Line, Statement
from tests.dashboard.conftest import CLOSED, OpenPage, texts
from tests.royalty.statements import movement


def redrawn(
    statement: Statement, movements: Sequence[Movement], lines: Sequence[Line] | None = None
) -> Statement:
    """The statement with other movements, and other lines where given."""
    kept = statement.lines if lines is None else tuple(lines)
    micros = sum(line.net.micros for line in kept) + sum(each.amount.micros for each in movements)
    closing = statement.opening + Money(micros, "EUR")
    return replace(statement, lines=kept, movements=tuple(movements), closing=closing)


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
        "Earned": f"+{statement.earned.rounded}",
        "= Closing": statement.closing.rounded,
    }
    assert "Zero this month: adjustments, recouped, reserved, withheld, paid." in texts(app)


def test_what_moved_the_account_is_shown_as_it_stands_in_the_sum(
    open_page: OpenPage, where: reads.Place
) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    moved = [movement("withheld", -1_000_000), movement("reserved", 250_000, why="*old* enough")]
    with patch("dashboard.reads.statement", return_value=redrawn(statement, moved)):
        app = open_page("statement", payee="ben")

    tiles = {metric.label: metric.value for metric in app.metric}
    table = app.dataframe[0].value
    assert (tiles["Withheld"], tiles["Reserved"]) == ("-€1.00", "+€0.25")
    assert list(table["Amount"]) == ["-1.000000", "+0.250000"]
    assert list(table["Why"]) == ["why withheld did it", "*old* enough"]
    assert "Zero this month: adjustments, recouped, paid." in texts(app)


def test_notes_are_shown_as_they_were_written(open_page: OpenPage, where: reads.Place) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    noted = replace(statement, notes=("'Low *Tide*' (ann-2) earned nothing.",))
    with patch("dashboard.reads.statement", return_value=noted):
        app = open_page("statement", payee="ben")

    assert r"'Low \*Tide\*' (ann-2) earned nothing." in texts(app)


def test_the_root_comes_with_the_command_that_checks_it(
    open_page: OpenPage, where: reads.Place
) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    for root, shown in (("ab" * 32, True), (None, False)):
        with patch("dashboard.reads.statement", return_value=replace(statement, root=root)):
            app = open_page("statement", payee="ben")
        commands = [code.value for code in app.code]
        assert any(each.endswith(f"verify --root {root}") for each in commands) == shown
        assert ("Keep the root" in texts(app)) == shown


def test_an_account_that_only_moved_can_be_chosen(open_page: OpenPage, where: reads.Place) -> None:
    everyone = reads.stated(EVERYONE, where, CLOSED)
    with patch("dashboard.reads.stated", return_value=everyone | {"zoe": "Zoe Zeller"}):
        app = open_page("statement", payee="ben")

    assert "Zoe Zeller" in app.selectbox(key="payee_picker").options


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
    assert list(unearned["Basis"]) == ["terms"]
    assert set(table[table["Track"] != "unattributed"]["Basis"]) == {"modelled"}


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
    many = redrawn(statement, [], [statement.lines[0]] * 10_001)
    with patch("dashboard.reads.statement", return_value=many):
        app = open_page("statement", payee="ben")

    assert len(app.dataframe[0].value) == 10_000
    assert "The first 10,000 are shown" in texts(app)


def test_a_payee_who_earned_nothing_has_a_statement_all_the_same(
    open_page: OpenPage, where: reads.Place
) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    with patch("dashboard.reads.statement", return_value=redrawn(statement, [], [])):
        app = open_page("statement", payee="ben")

    assert not app.exception
    assert "Nothing was earned" in texts(app)
