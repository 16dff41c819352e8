from dataclasses import replace

import pytest

from royalty.money import Money, total
from royalty.reports import detail
from royalty.reports.table import Table
from tests.royalty.statements import statement
from tests.royalty.worlds import OCTOBER

ANN, ZOE = (replace(statement(), id=f"2026-10/{payee}", payee=payee) for payee in ("ann", "zoe"))
TABLES = (
    detail.balances(OCTOBER, [ANN, ZOE]),
    detail.lines([ANN, ZOE]),
    detail.movements([ANN, ZOE]),
)


def column(table: Table, name: str) -> list[object]:
    place = [column.name for column in table.columns].index(name)
    return [row[place] for row in table.rows]


def summed(table: Table, name: str) -> Money:
    return total(column(table, name), "EUR")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_have_names_and_titles_of_their_own_and_the_payee_first(table) -> None:
    for names in ({each.name for each in table.columns}, {each.title for each in table.columns}):
        assert len(names) == len(table.columns)
    assert table.columns[0].name == "payee"
    assert set(column(table, "payee")) == {"ann", "zoe"}


def test_a_row_of_balances_adds_up() -> None:
    balances, *_ = TABLES
    terms = ("opening", "earned", "adjustments", "recouped", "reserved", "withheld", "paid")

    assert total((summed(balances, name) for name in terms), "EUR") == summed(balances, "closing")
    assert column(balances, "notes") == [" ".join(ANN.notes)] * 2
    assert (balances.root, balances.notes) == (ANN.root, (ANN.to_keep,))


def test_lines_and_movements_come_to_what_the_balances_say() -> None:
    balances, lines, movements = TABLES

    assert summed(lines, "net") == summed(balances, "earned")
    assert summed(lines, "gross") + summed(lines, "deductions") == summed(lines, "net")
    assert summed(balances, "opening") + summed(lines, "net") + summed(movements, "amount") == (
        summed(balances, "closing")
    )


def test_a_line_and_a_movement_can_be_walked_back_by_what_stands_in_their_rows() -> None:
    _, lines, movements = TABLES

    assert column(lines, "line") == [line.id for each in (ANN, ZOE) for line in each.lines]
    assert column(movements, "posting") == [each.posting for each in ANN.movements] * 2
    assert column(movements, "adjusts")[0] == "2026-09/allocation/2026-09/app/DE/EUR"
