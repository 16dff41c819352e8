from unittest.mock import patch

from dashboard import reads, tables
from db.queries import EVERYONE, Viewer
from royalty.money import Money
from royalty.reports.table import Column, Table
from tests.dashboard.conftest import CLOSED, OPEN, OpenPage, texts


def test_the_first_number_is_what_is_missing_and_the_sum_comes_out(
    open_page: OpenPage, where: reads.Place
) -> None:
    [found] = reads.conservations(EVERYONE, where, CLOSED)

    app = open_page("audit")

    assert not app.exception
    assert app.title[0].value == "€0.00"
    assert f"Every micro of the {found.revenue}" in app.markdown[0].value
    terms = app.dataframe[0].value
    amounts = [round(float(each) * 10**6) for each in terms["Amount, EUR"]]
    assert amounts[0] == found.revenue.micros == sum(amounts[1:])
    assert list(terms["Term"])[0 :: len(terms) - 1] == ["came in", "missing"]
    assert "Zero this month: paid" in texts(app)


def test_every_stored_rule_is_measured_and_evenness_is_ordered(
    open_page: OpenPage, where: reads.Place
) -> None:
    found = reads.concentrations(EVERYONE, where, CLOSED)

    spread = open_page("audit").dataframe[1].value

    assert len(spread) == len(found) == 4
    assert list(spread["Gini"]) == sorted(f"{each.gini:.3f}" for each in found.values())


def test_what_only_a_command_works_out_is_named_and_roots_are_shown(
    open_page: OpenPage, where: reads.Place
) -> None:
    app = open_page("audit")

    assert f"tantieme audit {CLOSED} rules" in [code.value for code in app.code]
    assert "**user centric**" in texts(app)
    root = reads.standing(EVERYONE, where, CLOSED).root
    assert list(app.dataframe[2].value["Root of the month"]) == [root]
    assert len(app.dataframe) == 3  # nobody's listening is read before it is asked for


def test_an_open_month_says_what_closes_it_and_still_compares_rules(open_page: OpenPage) -> None:
    app = open_page("audit", period=str(OPEN))
    commands = [code.value for code in app.code]

    assert not app.exception
    assert app.title[0].value == "Not closed yet"
    assert f"tantieme close {OPEN}" in commands
    assert f"tantieme payouts {OPEN} --compare" in commands


def test_the_books_are_checked_when_somebody_asks(open_page: OpenPage) -> None:
    app = open_page("audit")
    assert not app.success

    app.button(key="check").click().run()
    assert "Verified just now" in app.success[0].value

    with patch("db.queries.verify_books", return_value=["transaction 2 is *missing*"]):
        app.button(key="check").click().run()
    assert r"transaction 2 is \*missing\*" in app.error[0].value


def test_listeners_are_shown_to_auditors_under_pseudonyms(open_page: OpenPage) -> None:
    app = open_page("audit", who="true")
    shown = app.dataframe[2].value

    assert not app.exception
    assert list(shown["Part of its plays"]) == ["100.0 %", "20.0 %", "100.0 %"]
    assert list(shown["Plays of it"]) == ["40", "5", "3"]
    assert "paid €9.99. **1** of these 3 played nothing else" in texts(app)
    assert not {"lea", "max", "mia"} & {str(each) for each in shown.to_numpy().ravel()}


def test_an_accountant_sees_no_listeners_and_a_payee_nothing(open_page: OpenPage) -> None:
    with patch("dashboard.identity.viewer", return_value=Viewer("accountant", None)):
        accountant = open_page("audit", who="true")
    with patch("dashboard.identity.viewer", return_value=Viewer("ben", frozenset({"ben"}))):
        ben = open_page("audit", who="true")

    assert "shown to auditors only" in texts(accountant)
    assert len(accountant.dataframe) == 3
    assert (len(ben.dataframe), len(ben.metric), len(ben.get("download_button"))) == (0, 0, 0)


def test_amounts_of_several_currencies_say_which() -> None:
    table = Table(
        name="t",
        title="T",
        columns=(Column(name="a", title="A", kind="money"), Column(name="b", title="B")),
        rows=((Money(1, "EUR"), None), (Money(2_000_000, "USD"), "=x")),
    )

    assert tables.frame(table).to_dict("list") == {
        "A": ["0.000001 EUR", "2.000000 USD"],
        "B": ["", "=x"],
    }
    assert list(tables.right(table)) == ["A"]
    assert list(tables.frame(Table(name="t", title="T", columns=table.columns, rows=()))) == [
        "A",
        "B",
    ]
