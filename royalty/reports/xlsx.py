"""Statements and tables as XLSX workbooks.

Identifiers and names are text, whatever they look like: never numbers, links or formulas. Amounts
are numbers that show all six places and their currency; a spreadsheet keeps fifteen digits, so an
amount of more is text. Equal input gives equal bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time

import xlsxwriter  # type: ignore[import-untyped]

from royalty.errors import NotReady
from royalty.money import MICROS, Money
from royalty.period import Period
from royalty.reports import detail
from royalty.reports.explained import month, steps
from royalty.reports.table import Cell, Kind, Table
from royalty.statement import Statement

EXACT = 10**15  # micros: from there on a spreadsheet would round
ROWS_MAX = 1_048_576  # that a sheet has, its header among them
TEXT_MAX = 32_767  # characters that a cell holds

_EPOCH = date(1980, 1, 1)  # of a table that is of no month
_NARROW, _WIDE = 11, 44  # columns, in characters
_MONEY_WIDE = 21  # 1,234,567.000000 EUR
_TOLD_WIDE = (20, 30, 80)  # what, how much, in plain words
_WORKBOOK = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_LOOKS: dict[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 16},
    "head": {"bold": True, "bg_color": "#F3F0E9", "bottom": 1, "text_wrap": True, "valign": "top"},
    "strong": {"bold": True, "valign": "top"},
    "note": {"text_wrap": True, "valign": "top"},
    "right": {"num_format": "@", "align": "right"},
    "text": {"num_format": "@", "valign": "top"},
    "count": {"num_format": "#,##0"},
    "percent": {"num_format": "0.0000%"},
    "date": {"num_format": "yyyy-mm-dd"},
}

Said = tuple[str, str | Money, str]  # what, how much, in plain words


def statement_xlsx(statement: Statement) -> bytes:
    """Write one statement: a summary that a person reads, its lines and its movements."""
    book = _Book(statement.period.end)
    book.summary(statement)
    book.sheet("Lines", detail.lines([statement]))
    book.sheet("Movements", detail.movements([statement]))
    return book.content()


def period_xlsx(period: Period, statements: Iterable[Statement]) -> bytes:
    """Write all statements of a period: a row a payee, and all their lines and movements."""
    ordered = sorted(statements, key=lambda statement: statement.id)
    book = _Book(period.end)
    balances = detail.balances(period, ordered)
    book.sheet("Summary", balances)
    book.sheet("Lines", detail.lines(ordered))
    book.sheet("Movements", detail.movements(ordered))
    book.remarks(balances)
    return book.content()


def table_xlsx(table: Table) -> bytes:
    """Write a table, and on a sheet of its own what it is, its notes and its root."""
    book = _Book(table.period.end if table.period else _EPOCH)
    book.sheet(table.name.replace("_", " ").capitalize()[:31], table)
    book.remarks(table)
    return book.content()


class _Book:
    """A workbook in the making, which knows how each kind of cell looks."""

    def __init__(self, created: date) -> None:
        self._bytes = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._bytes, _WORKBOOK)
        midnight = datetime.combine(created, time(), UTC)  # a date alone is taken for no date
        self._book.set_properties({"created": midnight, "author": "Tantième"})
        self._looks = {name: self._book.add_format(look) for name, look in _LOOKS.items()}

    def content(self) -> bytes:
        """Finish the workbook."""
        self._book.close()
        return self._bytes.getvalue()

    def sheet(self, name: str, table: Table) -> None:
        """Write a table: its header stays in sight, and every column can be filtered.

        Raises `NotReady` where a sheet has too few rows for it.
        """
        if len(table.rows) >= ROWS_MAX:
            raise NotReady(
                f"{table.title} has {len(table.rows):,} rows, and a sheet holds {ROWS_MAX - 1:,}; "
                "export one payee's with --payee, or all as CSV"
            )
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, _width(place, table))
            sheet.write_string(0, place, column.title, self._looks["head"])
        for row, cells in enumerate(table.rows, start=1):
            for place, cell in enumerate(cells):
                self._write(sheet, (row, place), table.columns[place].kind, cell)
        sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.columns) - 1)

    def summary(self, statement: Statement) -> None:
        """Write what a statement comes to, a term a row, in plain words."""
        self._told("Summary", f"Statement {statement.id}", [*_heading(statement), *_sum(statement)])

    def remarks(self, table: Table) -> None:
        """Write what a table's cells cannot say."""
        said: list[Said] = [("Note", "", note) for note in table.notes]
        if table.root:
            said.append(("Root", "", table.root))
        self._told("About", table.title, said)

    def _told(self, name: str, title: str, said: Iterable[Said]) -> None:
        sheet = self._book.add_worksheet(name)
        sheet.hide_gridlines(2)
        for place, width in enumerate(_TOLD_WIDE):
            sheet.set_column(place, place, width)
        sheet.write_string(0, 0, title, self._looks["title"])
        for row, (what, much, words) in enumerate(said, start=2):
            sheet.write_string(row, 0, what, self._looks["strong"])
            self._write(sheet, (row, 1), "money" if isinstance(much, Money) else "text", much)
            sheet.write_string(row, 2, words[:TEXT_MAX], self._looks["note"])

    def _write(
        self, sheet: xlsxwriter.worksheet.Worksheet, place: tuple[int, int], kind: Kind, cell: Cell
    ) -> None:
        """Write one cell; nothing but amounts, counts, parts and dates is ever a number."""
        if cell is None or cell == "":
            return
        if isinstance(cell, Money) and abs(cell.micros) < EXACT:
            sheet.write_number(*place, cell.micros / MICROS, self._money(cell.currency))
        elif isinstance(cell, Money):
            sheet.write_string(*place, f"{cell.decimal} {cell.currency}", self._looks["right"])
        elif isinstance(cell, date):
            sheet.write_datetime(*place, cell, self._looks["date"])
        elif isinstance(cell, str):
            sheet.write_string(*place, cell[:TEXT_MAX], self._looks["text"])
        else:
            sheet.write_number(*place, cell, self._looks[kind])

    def _money(self, currency: str) -> xlsxwriter.format.Format:
        if currency not in self._looks:
            look = {"num_format": f'#,##0.000000 "{currency}"', "valign": "top"}
            self._looks[currency] = self._book.add_format(look)
        return self._looks[currency]


def _width(place: int, table: Table) -> int:
    """Fit a column to what stands in it, within what reads well; of an amount, to a million."""
    column = table.columns[place]
    if column.kind == "money":
        return _MONEY_WIDE
    longest = max((len(str(row[place] or "")) for row in table.rows), default=0)
    fitting = max(longest, len(column.title)) if column.kind in {"text", "id"} else 0
    return min(max(fitting + 2, _NARROW), _WIDE)


def _heading(statement: Statement) -> Iterator[Said]:
    """Say whose statement it is, of which months and by which rule."""
    yield "Payee", statement.payee_name, ""
    yield "Payee's id", statement.payee, ""
    yield "Month", month(statement.period), f"booked in {statement.period}"
    yield "Usage of", ", ".join(map(str, statement.usage_periods)), ""
    yield "Closed at", statement.closed_at or "", ""
    yield "Currency", statement.currency, ""
    yield "Rule", statement.rule, statement.rule_version
    yield "Shares by", statement.provider, ""
    yield "Runs", ", ".join(statement.runs), ""
    yield "", "", ""


def _sum(statement: Statement) -> Iterator[Said]:
    """Lead from opening to closing, then say what was earned, and what a sum cannot say."""
    for step in steps(statement):
        yield step.term.capitalize(), step.amount, step.words
    yield "", "", ""
    yield "Gross", statement.gross, "of what was earned, before the platform's part"
    yield "Platform's part", statement.deductions, "what agreements leave with it"
    for right, net in statement.net_by_right.items():
        yield f"Net, {right}", net, "of what was earned"
    yield "Earned, at least", statement.low, "a share is an estimate: the ends of its interval"
    yield "Earned, at most", statement.high, ""
    yield "Released", statement.released, "of what was reserved, what came back"
    yield "", "", ""
    for note in statement.notes:
        yield "Note", "", note
    if statement.to_keep:
        yield "Root", "", str(statement.root)
        yield "To verify", "", statement.to_keep
