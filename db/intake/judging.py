"""Large files: every cell judged, all of a column at once, and every faulty one listed.

A cell is what the file says until every rule has passed; only then do columns become numbers. So
ten million rows take seconds, and still a fault is named by file, row and column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db.intake.columns import ID, ID_BYTES_MAX, Column
from db.intake.faults import quoted
from db.intake.keys import repeated
from db.intake.sheets import ROW, Sheet, for_each
from royalty.errors import Problem
from royalty.money import MICROS


def judged(sheet: Sheet, columns: Sequence[Column], keys: Sequence[str]) -> Sheet:
    """Hold every cell to its column's pattern, and every row to being the only one of its key."""
    empty = [] if len(sheet.table) else [Problem(sheet.source, None, None, "has no rows")]
    cells = chain.from_iterable(for_each(lambda column: _cells(sheet, column), columns))
    twice = [
        sheet.fault(row, None, f"has the same {', '.join(keys)} as row {first}")
        for first, *others in repeated(sheet.table, keys)
        for row in others
    ]
    return replace(sheet, problems=(*sheet.problems, *empty, *cells, *twice))


def sound(sheet: Sheet, columns: Sequence[Column]) -> Sheet:
    """Leave only the rows without a fault in these columns, to be judged further."""
    names = {column.name for column in columns}
    rows = [problem.row for problem in sheet.problems if problem.field in names]
    if not rows:
        return sheet
    faulty = pc.is_in(sheet.table[ROW], value_set=pa.array(rows, pa.int64()))
    return replace(sheet, table=sheet.table.filter(pc.invert(faulty)))


def where(sheet: Sheet, mask: pa.ChunkedArray, column: str, message: str) -> list[Problem]:
    """Make a problem of every row of a mask: its cell, quoted, and what is said of it."""
    bad = sheet.table.filter(mask)
    cells = zip(bad[ROW].to_pylist(), bad[column].to_pylist(), strict=True)
    return [sheet.fault(row, column, f"{quoted(str(cell))} {message}") for row, cell in cells]


def to_micros(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn decimal texts into micros, as `royalty.money.parse_micros` does one by one."""
    exact = texts.cast(pa.decimal128(20, 6))
    return pc.multiply(exact, pa.scalar(Decimal(MICROS))).cast(pa.int64())


def _cells(sheet: Sheet, column: Column) -> list[Problem]:
    cells = sheet.table[column.name]
    if column.pattern == ID and _plainly_ids(cells):
        return []
    if column.few:
        said = pc.unique(cells)
        wrong = said.filter(_bad(said, column))
        if not len(wrong):
            return []
        bad = pc.is_in(cells, value_set=wrong)
    else:
        bad = _bad(cells, column)
    return where(sheet, bad, column.name, f"is not {column.words}")


def _plainly_ids(cells: pa.ChunkedArray) -> bool:
    """Whether all cells are ids of visible ASCII, as most are: said in a sixth of the time."""
    lengths = pc.min_max(pc.binary_length(cells)).as_py()
    if not (lengths["min"] and lengths["max"] <= ID_BYTES_MAX):
        return False
    texts = (np.frombuffer(chunk.buffers()[2] or b"", np.uint8) for chunk in cells.chunks)
    return not any(
        ((text <= ord(" ")) | (text > ord("~")) | (text == ord("/"))).any() for text in texts
    )


def _bad(cells: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    fitting = pc.match_substring_regex(cells, f"^(?:{column.pattern})$")
    return pc.or_(pc.invert(fitting), pc.greater(pc.binary_length(cells), ID_BYTES_MAX))
