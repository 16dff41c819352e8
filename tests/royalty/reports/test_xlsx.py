import csv
import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from royalty.errors import NotReady
from royalty.money import MICROS, Money
from royalty.reports import xlsx
from royalty.reports.table import Column, Table
from royalty.reports.xlsx import EXACT, TEXT_MAX, period_xlsx, statement_xlsx, table_xlsx
from royalty.statement import make_statement
from tests.royalty.statements import heading, statement
from tests.royalty.worlds import OCTOBER

FORMULA = '=HYPERLINK("http://example.org")'


OPENING_TO_CLOSING = (
    *("Opening", "Earned", "Adjustments", "Recouped", "Reserved", "Withheld", "Paid"),
    "Closing",
)


def opened(content: bytes) -> dict[str, Worksheet]:
    return {sheet.title: sheet for sheet in openpyxl.load_workbook(io.BytesIO(content))}


def rows(sheet: Worksheet) -> Iterator[dict[str, Cell]]:
    head, *body = sheet.iter_rows()
    for row in body:
        yield {str(title.value): cell for title, cell in zip(head, row, strict=True)}


def summed(sheet: Worksheet, title: str) -> int:
    return sum(round(row[title].value * MICROS) for row in rows(sheet))


def told(sheet: Worksheet) -> dict[str, tuple[object, object]]:
    return {what: (much, words) for what, much, words in sheet.iter_rows(values_only=True) if what}


def table(**more: object) -> Table:
    facts: dict[str, object] = {
        "name": "suspense",
        "title": "Suspense by age",
        "columns": (
            Column(name="id", title="Id", kind="id"),
            Column(name="name", title="Name"),
            Column(name="held", title="Held", kind="money"),
            Column(name="days", title="Days", kind="count"),
            Column(name="part", title="Part", kind="percent"),
            Column(name="since", title="Since", kind="date"),
        ),
        "rows": (("007", FORMULA, Money(3_833_334, "EUR"), 12, 0.25, date(2026, 10, 1)),),
        "notes": ("Nothing was left out.",),
        "period": OCTOBER,
        "root": "ab" * 32,
    }
    return Table(**facts | more)


def test_the_summary_leads_from_opening_to_closing() -> None:
    summary = told(opened(statement_xlsx(statement()))["Summary"])

    assert tuple(each for each in summary if each in OPENING_TO_CLOSING) == OPENING_TO_CLOSING
    amounts = [round(summary[term][0] * MICROS) for term in OPENING_TO_CLOSING]
    assert sum(amounts[:-1]) == amounts[-1] == statement().closing.micros


def test_the_summary_says_whose_it_is_how_sure_and_how_to_verify() -> None:
    drawn = statement()

    summary = told(opened(statement_xlsx(drawn))["Summary"])

    assert summary["Payee"][0] == "The Agency"
    assert summary["Usage of"][0] == "2026-09, 2026-10"
    assert summary["Rule"] == ("pro_rata-1", "pro_rata-1 minimum_plays=3")
    assert summary["Net, master"][0] == 0.474875
    assert (summary["Earned, at least"][0], summary["Earned, at most"][0]) == (0.529418, 0.782824)
    assert summary["Note"][1] == drawn.notes[0]
    assert summary["Root"][1] == drawn.root
    assert summary["To verify"][1] == drawn.to_keep


def test_lines_and_movements_add_up_to_what_the_account_moved_by() -> None:
    drawn = statement()
    sheets = opened(statement_xlsx(drawn))

    moved = summed(sheets["Lines"], "Net") + summed(sheets["Movements"], "Amount")

    assert moved == drawn.closing.micros - drawn.opening.micros


@pytest.mark.parametrize("name", ["Lines", "Movements"])
def test_headers_stay_in_sight_and_every_column_can_be_filtered(name) -> None:
    sheet = opened(statement_xlsx(statement()))[name]

    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == sheet.dimensions


def test_identifiers_are_text_and_amounts_are_numbers_with_all_their_places() -> None:
    sheets = opened(statement_xlsx(statement()))
    (line, *_), (movement, *_) = rows(sheets["Lines"]), rows(sheets["Movements"])

    for title, wanted in (("ISRC", "GBAYE0000351"), ("ISNI", "0001"), ("Posting", "2.3")):
        assert (line[title].value, line[title].data_type) == (wanted, "s")
    assert (line["Net"].value, line["Net"].data_type) == (0.105, "n")
    assert line["Net"].number_format == '#,##0.000000 "EUR"'
    assert line["Share"].value == 0.6
    assert movement["Date"].value.date() == date(2026, 10, 31)


def test_no_name_becomes_a_formula_a_link_or_a_number() -> None:
    names = (FORMULA, "@SUM(A1)", "http://example.org", "00012", "+1", "a\x01b")
    lines = [
        replace(statement().lines[0], title=name, allocation=str(place))
        for place, name in enumerate(names)
    ]
    drawn = make_statement(heading(sum(line.net.micros for line in lines)), lines)

    sheet = opened(statement_xlsx(drawn))["Lines"]

    assert [(row["Title"].value, row["Title"].data_type) for row in rows(sheet)][:5] == [
        (name, "s") for name in names[:5]
    ]
    assert all(cell.hyperlink is None for row in rows(sheet) for cell in row.values())


@pytest.mark.parametrize("micros", [1, 3_833_334, -7, 9_000_001, EXACT - 1, 1 - EXACT])
def test_an_amount_comes_back_to_the_micro(micros) -> None:
    sheet = opened(table_xlsx(held(micros)))["Suspense"]

    assert summed(sheet, "Held") == micros


def test_an_amount_of_more_digits_than_a_spreadsheet_keeps_is_text() -> None:
    (row,) = rows(opened(table_xlsx(held(EXACT)))["Suspense"])

    assert (row["Held"].value, row["Held"].data_type) == ("1000000000.000000 EUR", "s")


def held(micros: int) -> Table:
    return table(
        columns=(Column(name="held", title="Held", kind="money"),),
        rows=((Money(micros, "EUR"),),),
    )


def test_a_period_has_a_row_for_each_payee_in_order() -> None:
    ann, zoe = (
        replace(statement(), id=f"2026-10/{payee}", payee=payee) for payee in ("ann", "zoe")
    )

    sheets = opened(period_xlsx(OCTOBER, [zoe, ann]))

    assert list(sheets) == ["Summary", "Lines", "Movements", "About"]
    assert [row["Payee"].value for row in rows(sheets["Summary"])] == ["ann", "zoe"]
    assert summed(sheets["Summary"], "Closing") == 2 * statement().closing.micros
    assert {row["Payee"].value for row in rows(sheets["Lines"])} == {"ann", "zoe"}
    assert told(sheets["About"])["Root"][1] == statement().root


def test_a_table_keeps_its_cells_and_says_on_another_sheet_what_they_cannot() -> None:
    sheets = opened(table_xlsx(table()))

    (row,) = rows(sheets["Suspense"])
    assert [cell.value for cell in row.values()][:-1] == ["007", FORMULA, 3.833334, 12, 0.25]
    assert row["Since"].value.date() == date(2026, 10, 1)
    assert row["Id"].data_type == row["Name"].data_type == "s"
    assert told(sheets["About"]) == {
        "Suspense by age": (None, None),
        "Note": (None, "Nothing was left out."),
        "Root": (None, "ab" * 32),
    }


def test_empty_cells_and_empty_tables_are_empty() -> None:
    empty = opened(table_xlsx(table(rows=(), notes=(), root=None, period=None)))
    row = ("007", *[None] * 5)

    (read,) = rows(opened(table_xlsx(table(rows=(row,))))["Suspense"])

    assert list(rows(empty["Suspense"])) == []
    assert [cell.value for cell in read.values()] == [*row]


def test_text_longer_than_a_cell_holds_is_cut_and_not_lost() -> None:
    (row,) = rows(
        opened(table_xlsx(table(rows=(("x" * (TEXT_MAX + 1), *[None] * 5),))))["Suspense"]
    )

    assert row["Id"].value == "x" * TEXT_MAX


def test_more_rows_than_a_sheet_holds_are_refused_and_not_left_out(monkeypatch) -> None:
    monkeypatch.setattr(xlsx, "ROWS_MAX", len(statement().lines))

    with pytest.raises(NotReady, match="Lines has 9 rows, and a sheet holds 8; export one payee"):
        statement_xlsx(statement())


def test_equal_statements_give_equal_bytes_with_the_periods_date() -> None:
    content = statement_xlsx(statement())

    core = zipfile.ZipFile(io.BytesIO(content)).read("docProps/core.xml").decode()
    assert content == statement_xlsx(statement())
    assert core.count("2026-11-01T00:00:00Z") == 2


@pytest.mark.full
def test_libreoffice_reads_the_same_cells(tmp_path: Path) -> None:
    """Another spreadsheet: identifiers keep their zeros, formulas are text, amounts all places."""
    if shutil.which("soffice") is None:
        message = "needs LibreOffice; run apt-get install libreoffice-calc-nogui"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    drawn = statement()

    suspense = read_by_libreoffice(tmp_path / "table", table_xlsx(table()))["Suspense"]
    sheets = read_by_libreoffice(tmp_path / "statement", statement_xlsx(drawn))

    assert suspense[1] == ["007", FORMULA, "3.833334", "12", "25%", "2026-10-01"]
    head, *lines = sheets["Lines"]
    net = [row[head.index("Net")].removesuffix(" EUR") for row in lines]
    assert sum(round(float(each) * MICROS) for each in net) == sum(
        line.net.micros for line in drawn.lines
    )
    assert [row[head.index("ISRC")] for row in lines] == [line.isrc or "" for line in drawn.lines]


def read_by_libreoffice(folder: Path, content: bytes) -> dict[str, list[list[str]]]:
    """Have LibreOffice write every sheet of a workbook as CSV, and read that."""
    folder.mkdir()
    (folder / "book.xlsx").write_bytes(content)
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", every_sheet, "book.xlsx"],
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return {
        path.stem.removeprefix("book-"): [
            *csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
        ]
        for path in folder.glob("book-*.csv")
    }
