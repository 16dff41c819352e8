from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

from dashboard import reads, statement_files
from dashboard.statement_files import FORMATS
from db.queries import EVERYONE, AccountMonth, PayeesPage, Viewer, Window
from royalty.money import Money
from royalty.movements import TERMS, Movement
from royalty.period import Period
from royalty.statement import Line, Statement
from tests.dashboard.conftest import CLOSED, OpenPage, texts
from tests.royalty.statements import movement

PREVIOUS = AccountMonth(
    period=CLOSED.before(1),
    opening=Money(1_000_000, "EUR"),
    terms={
        "earned": Money(4_000_000, "EUR"),
        **dict.fromkeys(TERMS, Money(0, "EUR")),
        "paid": Money(-5_000_000, "EUR"),
    },
    closing=Money(0, "EUR"),
)


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


def test_a_line_walks_back_once_it_is_unfolded(open_page: OpenPage, where: reads.Place) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    first = max(statement.lines, key=lambda line: line.net.micros)
    other = next(line for line in statement.lines if line.number != first.number)

    folded = open_page("statement", payee="ben")
    unfolded = open_page("statement", payee="ben", line=str(other.number), walk="true")
    astray = open_page("statement", payee="ben", line="-1' or 1=1", walk="true")

    assert not any(" trail " in code.value for code in folded.code)
    for app, line in ((unfolded, other), (astray, first)):
        assert any(code.value.endswith(f" trail {line.id}") for code in app.code)
        steps = [step.step for step in reads.trail(EVERYONE, where, line.id).steps]
        for number, step in enumerate(steps, start=1):
            assert f"**{number}. {step.capitalize()}**" in texts(app)


def test_every_file_is_offered_and_made_only_when_asked_for(
    open_page: OpenPage, where: reads.Place
) -> None:
    with patch("dashboard.statement_files.content") as content:
        app = open_page("statement", payee="ben")

    assert [each.proto.label for each in app.get("download_button")] == [
        "Download PDF",
        "Download XLSX",
        "Download CSV",
        "Download JSON",
    ]
    content.assert_not_called()
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    begins = {ending: statement_files.content(statement, ending)[:4] for ending in FORMATS}
    assert begins == {"pdf": b"%PDF", "xlsx": b"PK\x03\x04", "csv": b"stat", "json": b"{\n  "}


def test_the_month_before_stands_beside_this_one(open_page: OpenPage, where: reads.Place) -> None:
    row = reads.standing(EVERYONE, where, CLOSED)
    before = replace(row, period=CLOSED.before(1))
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    opened = redrawn(replace(statement, opening=Money(0, "EUR")), [])
    with (
        patch("dashboard.reads.periods", return_value=[row, before]),
        patch("dashboard.reads.account_month", return_value=PREVIOUS),
        patch("dashboard.reads.statement", return_value=opened),
    ):
        app = open_page("statement", payee="ben")

    beside = {metric.label: metric.delta for metric in app.metric}
    assert beside == {
        "Opening": "€1.00 in 2026-09",
        "Earned": "€4.00 in 2026-09",
        "Paid": "-€5.00 in 2026-09",
        "= Closing": "€0.00 in 2026-09",
    }


def test_what_puts_earlier_months_right_stands_apart(
    open_page: OpenPage, where: reads.Place
) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    september = Period(2026, 9)
    moved = [
        movement("adjustments", 2_000_000, usage_period=september),
        movement("adjustments", -500_000, usage_period=september),
        movement("paid", -1),
    ]
    with patch("dashboard.reads.statement", return_value=redrawn(statement, moved)):
        app = open_page("statement", payee="ben")

    assert [each.value for each in app.header][:2] == [
        "Put right of earlier months",
        "What else moved the account",
    ]
    assert "September 2026: **+€1.50**" in texts(app)
    assert list(app.dataframe[0].value["Amount"]) == ["+2.000000", "-0.500000"]
    assert list(app.dataframe[1].value["Term"]) == ["paid"]


def test_a_payee_is_shown_own_statements_only(open_page: OpenPage) -> None:
    with patch("dashboard.identity.viewer", return_value=Viewer("ben", frozenset({"ben"}))):
        app = open_page("statement", payee="ann", find="ann", line="1", walk="true")

    assert app.selectbox(key="payee_picker").options == ["Ben Brandt"]
    assert "Ann" not in app.caption[0].value
    assert not any("/ann/" in code.value for code in app.code)


def test_of_many_payees_the_others_are_found_by_name(open_page: OpenPage) -> None:
    lists = {
        "all": PayeesPage(names={"ann": "Ann Aalto", "ben": "Ben Brandt"}, count=3_000),
        "cho": PayeesPage(names={"cho": "Cho Chen"}, count=1),
        "nobody": PayeesPage(names={}, count=0),
    }

    def page(_viewer: object, _where: object, _period: object, window: Window) -> PayeesPage:
        return lists[window.search or "all"]

    with patch("dashboard.reads.payees_page", page):
        named = open_page("statement", payee="cho")
        found = open_page("statement", find="cho")
        lost = open_page("statement", find="nobody")

    assert named.selectbox(key="payee_picker").value == "cho"
    assert found.selectbox(key="payee_picker").options == ["Cho Chen"]
    assert "Nobody is called that" in texts(lost)
    assert len(lost.selectbox(key="payee_picker").options) == 2


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

    assert len(app.dataframe[0].value) == 5_000
    assert "The first 5,000 are shown" in texts(app)


def test_a_payee_who_earned_nothing_has_a_statement_all_the_same(
    open_page: OpenPage, where: reads.Place
) -> None:
    statement = reads.statement(EVERYONE, where, "ben", CLOSED)
    with patch("dashboard.reads.statement", return_value=redrawn(statement, [], [])):
        app = open_page("statement", payee="ben")

    assert not app.exception
    assert "Nothing was earned" in texts(app)
