"""Large files: CSV or Parquet into whole columns of trimmed text, each row with its number.

A CSV file is parsed by all cores at once. Where that finds anything amiss, the file is read again
with care: in one thread, which can count rows, and with U+FFFD for what is not UTF-8, which is a
fault of its cell then. Both parse alike; tests hold them to each other and to Python's own reader.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from db.intake.columns import Column
from db.intake.faults import header_problems, opening_fault, printable, shown
from royalty.errors import BadInput, Problem

T = TypeVar("T")

ROW = "row"  # the column that is added: where each row stood
# What memory bears: benchmarks/results/imports.md has the peak of 10**7 rows of usage, 358 MB.
BYTES_MAX = 1 << 30  # of a file, and of the cells that a Parquet file unpacks to
ROWS_MAX = 30_000_000
_ROW_BYTES_MAX = 1 << 24
_BLANK_ROW = b"\n\n"  # put at the end, where a quote that was never closed would swallow it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file's columns as trimmed text, the row each cell stood in, and the faults so far."""

    source: str
    table: pa.Table
    problems: tuple[Problem, ...] = ()

    def fault(self, row: int, column: str | None, message: str) -> Problem:
        """Say what is wrong with a cell, or with a whole row."""
        return Problem(self.source, row, column, printable(message))


def read_sheet(path: Path, columns: Sequence[Column]) -> Sheet:
    """Read a CSV or Parquet file, by its suffix. Raises `BadInput` when it cannot be read."""
    packed = path.suffix.lower() == ".parquet"
    try:
        fault = opening_fault(path, BYTES_MAX, packed=packed)
        if not fault:
            return _read_parquet(path, columns) if packed else read_csv(path, columns)
    except FileNotFoundError:
        fault = "there is no such file"
    except (pa.ArrowException, OSError, ValueError) as error:
        fault = f"cannot be read: {shown(str(error), 200)}"
    raise _refusal(path, fault)


def make_sheet(source: str, table: pa.Table, columns: Sequence[Column]) -> Sheet:
    """Take a table as a sheet, its first row as row 1. Raises `BadInput` on other columns."""
    return _sheet(source, table, np.arange(1, len(table) + 1), columns)


def read_csv(path: Path, columns: Sequence[Column], *, careful: bool = False) -> Sheet:
    """Read a CSV file, with care where it needs any. Raises `BadInput`, or an error of Arrow's."""
    table = None if careful else _read_at_once(path, columns)
    if table is None:
        return _read_with_care(path, columns)
    return _sheet(str(path), table, np.arange(2, len(table) + 2), columns)


def with_cells(table: pa.Table, name: str, cells: pa.ChunkedArray) -> pa.Table:
    """Put other cells in a column's place."""
    return table.set_column(table.column_names.index(name), name, cells)


def for_each(do: Callable[..., T], *lists: Sequence[object]) -> list[T]:
    """Do the same to several columns at once: Arrow computes outside Python's lock."""
    if pa.cpu_count() == 1:
        return list(map(do, *lists))
    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        return list(pool.map(do, *lists))


def _read_at_once(path: Path, columns: Sequence[Column]) -> pa.Table | None:
    try:
        table = _parsed(path, columns)
    except pa.ArrowInvalid:  # an odd row, or a cell that is not UTF-8
        return None
    end = len(table) - 1
    return table.slice(0, end) if _is_blank(table.slice(end)) else None


def _read_with_care(path: Path, columns: Sequence[Column]) -> Sheet:
    odd: list[pa_csv.InvalidRow] = []

    def set_aside(row: pa_csv.InvalidRow) -> str:
        odd.append(row)
        return "skip"

    table = _parsed(path, columns, set_aside)
    last = len(table) + len(odd) + 1
    faults = {
        row.number: f"has {row.actual_columns} cells, not {row.expected_columns}" for row in odd
    }
    if last not in faults:
        end = len(table) - 1
        if not _is_blank(table.slice(end)):
            faults[last] = "opens a quote that is never closed"
        table = table.slice(0, end)
    rows = np.setdiff1d(np.arange(2, last + 1), [*faults, last])
    problems = tuple(Problem(str(path), row, None, fault) for row, fault in faults.items())
    return _sheet(str(path), table, rows, columns, problems)


def _parsed(
    path: Path,
    columns: Sequence[Column],
    set_aside: Callable[[pa_csv.InvalidRow], str] | None = None,
) -> pa.Table:
    with path.open("rb") as file:
        return pa_csv.read_csv(
            _Stream(path, file, mended=set_aside is not None),
            read_options=pa_csv.ReadOptions(
                use_threads=set_aside is None,  # else odd rows have no number
                block_size=_ROW_BYTES_MAX if set_aside else 1 << 20,
            ),
            parse_options=pa_csv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={column.name: pa.string() for column in columns},
                strings_can_be_null=False,
            ),
        )


class _Stream:
    """A file to read that has a blank row at its end, and U+FFFD for what is not UTF-8.

    Its lines are counted as they are read: short ones take many times their bytes as rows.
    """

    def __init__(self, path: Path, file: BinaryIO, *, mended: bool) -> None:
        self.closed = False
        self._path = path
        self._rows = -1  # the first line names the columns
        self._file = file
        self._decoder = getincrementaldecoder("utf-8")("replace") if mended else None
        self._held = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return as many bytes as asked for, but at the end: each becomes a block."""
        while len(self._held) < size and not self._ended:
            self._held += self._more(size)
        read, self._held = self._held[:size], self._held[size:]
        return read

    def close(self) -> None:
        """Close nothing: who opened the file does."""
        self.closed = True

    def _more(self, size: int) -> bytes:
        read = self._file.read(size)
        self._ended = not read
        self._rows += max(read.count(b"\n"), read.count(b"\r"))
        _require_bounds(self._path, self._rows, 0)
        if self._decoder:
            read = self._decoder.decode(read, final=self._ended).encode()
        return read + _BLANK_ROW if self._ended else read


def _is_blank(rows: pa.Table) -> bool:
    return not any(cell for row in rows.to_pylist() for cell in row.values())


def _read_parquet(path: Path, columns: Sequence[Column]) -> Sheet:
    """Read a Parquet file that holds no more than the bounds, each repeated cell once."""
    metadata = pq.read_metadata(path)
    fields = metadata.schema.to_arrow_schema()
    _require_columns(str(path), fields, columns)
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    _require_bounds(path, metadata.num_rows, sum(group.total_byte_size for group in groups))
    batches, rows, size = [], 0, 0
    with pq.ParquetFile(path, metadata=metadata, read_dictionary=fields.names) as file:
        for batch in file.iter_batches():
            rows += len(batch)
            size += sum(map(_unpacked, batch.columns))
            _require_bounds(path, rows, size)
            batches.append(batch)
        table = pa.Table.from_batches(batches, file.schema_arrow)
    return make_sheet(str(path), table, columns)


def _require_bounds(path: Path, rows: int, size: int) -> None:
    if rows > ROWS_MAX or size > BYTES_MAX:
        fault = f"holds more than {ROWS_MAX:,} rows or {BYTES_MAX:,} bytes of cells; split the file"
        raise _refusal(path, fault)


def _unpacked(cells: pa.Array) -> int:
    """Return how many bytes cells take once each is written out."""
    if not pa.types.is_dictionary(cells.type):
        return int(cells.nbytes)
    lengths = pc.binary_length(cells.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(cells.indices)).as_py() or 0)


def _refusal(path: Path, fault: str) -> BadInput:
    return BadInput([Problem(str(path), None, None, fault)])


def _require_columns(source: str, fields: pa.Schema, columns: Sequence[Column]) -> None:
    """Raise `BadInput` where columns are missing, unknown or of a type without exact text."""
    needed = [column.name for column in columns if not column.optional]
    spare = [column.name for column in columns if column.optional]
    faults = header_problems(source, fields.names, needed, spare) or [
        Problem(source, None, field.name, f"a column of type {field.type} cannot be read as text")
        for field in fields
        if not _has_text(field.type)
    ]
    if faults:
        raise BadInput(faults)


def _has_text(type_: pa.DataType) -> bool:
    """Whether values have one exact text; a float has none, and a list has none at all."""
    if pa.types.is_dictionary(type_):
        return _has_text(type_.value_type)
    judges = ("string", "large_string", "binary", "large_binary", "integer", "decimal", "null")
    return any(getattr(pa.types, f"is_{judge}")(type_) for judge in judges)


def _sheet(
    source: str,
    table: pa.Table,
    rows: np.ndarray,
    columns: Sequence[Column],
    problems: tuple[Problem, ...] = (),
) -> Sheet:
    _require_columns(source, table.schema, columns)
    names = [column.name for column in columns]
    unsaid = pa.chunked_array([pa.repeat("", len(table))])
    cells = [table[name] if name in table.column_names else unsaid for name in names]
    texts = pa.table([*for_each(_text, cells), pa.array(rows, pa.int64())], names=[*names, ROW])
    return Sheet(source=source, table=_without_blank_rows(texts), problems=problems)


def _text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read cells as text without spaces around."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    numbers = pa.types.is_integer(cells.type) or pa.types.is_decimal(cells.type)
    text = cells.cast(pa.string()) if numbers else _decoded(cells.cast(pa.binary()))
    text = pc.fill_null(text, "") if text.null_count else text
    return pc.utf8_trim_whitespace(text) if _may_be_spaced(text) else text


def _decoded(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read bytes as UTF-8, and U+FFFD for what is not: Parquet's word for it is not enough."""
    try:
        return cells.cast(pa.string())
    except pa.ArrowInvalid:
        decoded = [(cell or b"").decode(errors="replace") for cell in cells.to_pylist()]
        return pa.chunked_array([decoded], pa.string())


def _may_be_spaced(text: pa.ChunkedArray) -> bool:
    for chunk in text.chunks:
        data = np.frombuffer(chunk.buffers()[2] or b"", np.uint8)
        if ((data <= ord(" ")) | (data >= 0x80)).any():  # noqa: PLR2004  beyond ASCII
            return True
    return False


def _without_blank_rows(table: pa.Table) -> pa.Table:
    """Leave out rows without a word: an empty line is no row."""
    if not len(table) or pc.min(pc.binary_length(table[0])).as_py():
        return table
    lengths = [pc.binary_length(column) for column in table.drop_columns(ROW).columns]
    return table.filter(pc.greater(pc.max_element_wise(*lengths), 0))
