"""Large files: whole columns read as text, judged at once, and every faulty cell listed.

A cell is what the file says until every rule has passed; only then do columns become numbers. So
ten million rows take seconds, and still a fault is named by file, row and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from db.intake.rows import header_problems
from royalty.errors import BadInput, Problem
from royalty.money import MICROS

ROW = "row"  # the column that is added: where each row stood


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: what every cell must look like, as a pattern and in words."""

    name: str
    pattern: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file's columns as trimmed text, the row each cell stood in, and the faults so far."""

    source: str
    table: pa.Table
    problems: tuple[Problem, ...] = ()

    def fault(self, row: int, column: str | None, message: str) -> Problem:
        """Say what is wrong with a cell, or with a whole row."""
        return Problem(self.source, row, column, message)


def an_id(name: str) -> Column:
    """Describe a column of ids."""
    return Column(name, r"[^\s/]+", "an id: it may hold neither spaces nor slashes")


PERIOD = Column("period", r"\d{4}-(0[1-9]|1[0-2])", "a period; write a month such as 2026-10")
TERRITORY = Column("territory", r"[A-Z]{2}", "a territory, such as DE; WW is the world")
CURRENCY = Column("currency", r"[A-Z]{3}", "a currency, such as EUR")
# The bounds of `royalty.rules.arithmetic`: what comes in beyond them could never be paid out.
PLAYS = Column("plays", r"0{0,7}(\d{1,7}|10000000)", "a whole number from 0 to 10000000")
NET = Column(
    "net",
    r"0{0,4}(\d{1,7}(\.\d{1,6})?|10000000(\.0{1,6})?)",
    "a decimal amount from 0 to 10000000 with at most six places, such as 10.99",
)


def read_sheet(path: Path, columns: Sequence[Column]) -> Sheet:
    """Read a CSV or Parquet file, by its suffix. Raises `BadInput` when it cannot be read."""
    try:
        if path.suffix == ".parquet":
            return make_sheet(str(path), pq.read_table(path), columns)
        return _read_csv(path, columns)
    except FileNotFoundError:
        fault = "there is no such file"
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        fault = f"cannot be read: {error}"
    raise BadInput([Problem(str(path), None, None, fault)])


def make_sheet(source: str, table: pa.Table, columns: Sequence[Column]) -> Sheet:
    """Take a table as a sheet, its first row as row 1. Raises `BadInput` on other columns."""
    return _sheet(source, table, pa.array(range(1, len(table) + 1), pa.int64()), columns)


def judged(sheet: Sheet, columns: Sequence[Column], keys: Sequence[str]) -> Sheet:
    """Hold every cell to its column's pattern, and every row to being the only one of its key."""
    cells = [fault for column in columns for fault in _cells(sheet, column)]
    empty = [] if len(sheet.table) else [Problem(sheet.source, None, None, "has no rows")]
    faults = (*sheet.problems, *empty, *cells, *_repeated(sheet, keys))
    return replace(sheet, problems=faults)


def sound(sheet: Sheet, columns: Sequence[Column]) -> Sheet:
    """Leave only the rows whose every cell is what its column says, to be judged further."""
    table = sheet.table
    for column in columns:
        table = table.filter(_good(table[column.name], column))
    return replace(sheet, table=table)


def where(sheet: Sheet, mask: pa.ChunkedArray, column: str, message: str) -> list[Problem]:
    """Make a problem of every row of a mask; `{}` in the message is the cell."""
    bad = sheet.table.filter(mask)
    cells = zip(bad[ROW].to_pylist(), bad[column].to_pylist(), strict=True)
    return [sheet.fault(row, column, message.format(cell)) for row, cell in cells]


def to_micros(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn decimal texts into micros, as `royalty.money.parse_micros` does one by one."""
    exact = texts.cast(pa.decimal128(20, 6))
    return pc.multiply(exact, pa.scalar(Decimal(MICROS))).cast(pa.int64())


def _read_csv(path: Path, columns: Sequence[Column]) -> Sheet:
    odd: list[pa_csv.InvalidRow] = []

    def set_aside(row: pa_csv.InvalidRow) -> str:
        odd.append(row)
        return "skip"

    table = pa_csv.read_csv(
        path,
        read_options=pa_csv.ReadOptions(use_threads=False),  # else odd rows have no number
        parse_options=pa_csv.ParseOptions(
            newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={column.name: pa.string() for column in columns}, strings_can_be_null=False
        ),
    )
    aside = {row.number for row in odd}
    rows = [row for row in range(2, len(table) + len(odd) + 2) if row not in aside]
    sheet = _sheet(str(path), table, pa.array(rows, pa.int64()), columns)
    faults = [
        sheet.fault(row.number, None, f"has {row.actual_columns} cells, not {row.expected_columns}")
        for row in odd
    ]
    return replace(sheet, problems=tuple(faults))


def _sheet(source: str, table: pa.Table, rows: pa.Array, columns: Sequence[Column]) -> Sheet:
    names = [column.name for column in columns]
    faults = header_problems(source, table.column_names, names)
    if faults:
        raise BadInput(faults)
    texts = _texts(source, table, names)
    trimmed = pa.table([*texts, pa.chunked_array([rows])], names=[*names, ROW])
    lengths = [pc.utf8_length(text) for text in texts]
    blank = pc.equal(pc.max_element_wise(*lengths), 0)  # an empty line is no row
    return Sheet(source=source, table=trimmed.filter(pc.invert(blank)))


def _texts(source: str, table: pa.Table, names: Sequence[str]) -> list[pa.ChunkedArray]:
    """Read columns as trimmed text. Raises `BadInput` where one is of a type without any."""
    texts, faults = [], []
    for name in names:
        try:
            text = table[name].cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            message = f"a column of type {table[name].type} cannot be read as text"
            faults.append(Problem(source, None, name, message))
        else:
            texts.append(pc.utf8_trim_whitespace(pc.fill_null(text, "")))
    if faults:
        raise BadInput(faults)
    return texts


def _cells(sheet: Sheet, column: Column) -> list[Problem]:
    good = _good(sheet.table[column.name], column)
    return where(sheet, pc.invert(good), column.name, f"'{{}}' is not {column.words}")


def _good(cells: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    return pc.match_substring_regex(cells, f"^(?:{column.pattern})$")


def _repeated(sheet: Sheet, keys: Sequence[str]) -> Iterator[Problem]:
    counted = sheet.table.group_by(list(keys)).aggregate([(ROW, "list"), (ROW, "count")])
    repeated = counted.filter(pc.greater(counted[f"{ROW}_count"], 1))
    for rows in repeated[f"{ROW}_list"].to_pylist():
        first, *others = sorted(rows)
        for row in others:
            yield sheet.fault(row, None, f"has the same {', '.join(keys)} as row {first}")
