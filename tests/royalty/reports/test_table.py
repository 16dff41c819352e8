import json
from datetime import date

import pytest

from royalty.money import Money
from royalty.period import Period
from royalty.reports.table import Column, Table, table_csv, table_json

COLUMNS = (
    Column(name="id", title="Id", kind="id"),
    Column(name="name", title="Name"),
    Column(name="day", title="Day", kind="date"),
    Column(name="count", title="Count", kind="count"),
    Column(name="part", title="Part", kind="percent"),
    Column(name="came", title="Came in", kind="money", foreign=True),
    Column(name="amount", title="Amount", kind="money"),
)
ROWS = (
    ("0012", '=SUM("A1")', date(2026, 10, 31), 7, 0.25, Money(5, "USD"), Money(-1_500_000, "EUR")),
    (None, None, None, None, None, None, None),
)


def table(**more: object) -> Table:
    facts = {"name": "t", "title": "T", "columns": COLUMNS, "rows": ROWS, "notes": ("A note.",)}
    return Table(**facts | more)


def test_csv_has_plain_cells_no_formulas_and_the_currencies() -> None:
    assert table_csv(table()).decode() == (
        "id,name,day,count,part,came,came_currency,amount,currency\n"
        '0012,"\'=SUM(""A1"")",2026-10-31,7,0.250000,0.000005,USD,-1.500000,EUR\n'
        ",,,,,,,,\n"
    )


def test_csv_of_no_money_names_no_currency() -> None:
    found = table(columns=COLUMNS[:2], rows=(("a", "b"),))

    assert table_csv(found) == b"id,name\na,b\n"


def test_amounts_of_a_row_that_share_a_currency_column_must_share_the_currency() -> None:
    two = (COLUMNS[-1], Column(name="other", title="Other", kind="money"))
    found = table(columns=two, rows=((Money(1, "EUR"), Money(1, "USD")),))

    with pytest.raises(AssertionError, match=r"EUR.*USD"):
        table_csv(found)


def test_json_says_all_that_the_table_does() -> None:
    document = json.loads(table_json(table(period=Period(2026, 10), root="ab")))

    assert list(document) == ["schema", "report", "title", "period", "root", "notes", "rows"]
    assert (document["period"], document["root"], document["notes"]) == (
        "2026-10",
        "ab",
        ["A note."],
    )
    assert document["rows"][0] == {
        "id": "0012",
        "name": '=SUM("A1")',
        "day": "2026-10-31",
        "count": 7,
        "part": 0.25,
        "came": {"micros": 5, "currency": "USD"},
        "amount": {"micros": -1_500_000, "currency": "EUR"},
    }
    assert set(document["rows"][1].values()) == {None}


@pytest.mark.parametrize("row", [("1", "n"), (1, "n", *ROWS[1][2:]), (*ROWS[1][:-1], "1.50")])
def test_a_row_must_have_a_cell_of_its_kind_for_every_column(row: tuple[object, ...]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        table(rows=(row,))
