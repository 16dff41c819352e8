import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.intake import sheets
from db.intake.columns import an_id
from db.intake.sheets import ROW, Sheet, read_csv, read_sheet
from royalty.errors import BadInput

COLUMNS = (an_id("a"), an_id("b"))
CELLS = st.text(
    st.sampled_from('xé"\n\r, \u00a0\u2028=') | st.characters(codec="utf-8"), max_size=4
)
LINES = st.lists(st.lists(CELLS, max_size=3) | st.lists(CELLS, min_size=2, max_size=2), max_size=6)


def write(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def said(sheet: Sheet) -> list[tuple[int, str, str]]:
    return [(row[ROW], row["a"], row["b"]) for row in sheet.table.to_pylist()]


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([0, 1]), st.booleans())
@settings(max_examples=300)
def test_a_file_is_read_as_python_reads_it(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[list[str]],
    end: str,
    quoting: int,
    bom: bool,
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=quoting).writerows([["a", "b"], *lines])
    content = text.getvalue()
    path = tmp_path_factory.getbasetemp() / "twin.csv"
    path.write_bytes(b"\xef\xbb\xbf" * bom + content.encode())

    _, *rows = csv.reader(io.StringIO(content, newline=""), strict=True)
    stripped = [(n, *map(str.strip, cells)) for n, cells in enumerate(rows, 2) if len(cells) == 2]
    odd = [n for n, cells in enumerate(rows, 2) if cells and len(cells) != 2]

    for careful in (False, True):
        sheet = read_csv(path, COLUMNS, careful=careful)
        assert said(sheet) == [row for row in stripped if any(row[1:])]
        assert [problem.row for problem in sheet.problems] == odd


def test_many_blocks_are_read_as_one(tmp_path: Path) -> None:
    rows = [f'"{"x" * (i % 90)}\n{i}",{i}\n' for i in range(60_000)]  # a few megabytes
    path = write(tmp_path, "".join(["a,b\n", *rows]).encode())

    at_once, careful = (read_csv(path, COLUMNS, careful=careful) for careful in (False, True))

    assert at_once.table.equals(careful.table)
    assert said(at_once)[-1] == (60_001, f"{'x' * (59_999 % 90)}\n59999", "59999")


@pytest.mark.parametrize(
    "content", [b'a,b\n1,2\n3,"4', b'a,b\n1,2\n3,"4\n', b'a,b\n1,2\n"3', b'a,b\n1,2\n"']
)
def test_a_quote_that_is_never_closed_is_a_fault_of_its_row(tmp_path: Path, content: bytes) -> None:
    sheet = read_csv(write(tmp_path, content), COLUMNS)

    assert [problem.row for problem in sheet.problems] == [3]
    assert said(sheet) == [(2, "1", "2")]


def test_what_is_not_utf_8_is_marked_in_its_cell(tmp_path: Path) -> None:
    sheet = read_csv(write(tmp_path, b"a,b\n1,\xe9\n\xff\n3,4\xc3"), COLUMNS)

    assert said(sheet) == [(2, "1", "\ufffd"), (4, "3", "4\ufffd")]
    assert [problem.row for problem in sheet.problems] == [3]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\xff\xfea\0", "is UTF-16, not CSV in UTF-8"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 10**6), "is gzip, not CSV"),
        (b"PK\x03\x04...", "is zip, not CSV"),
        (b"PAR1....", "is Parquet, not CSV"),
    ],
)
@pytest.mark.parametrize("name", ["file.csv", "file.csv.gz"])
def test_what_is_not_text_is_not_unpacked(
    tmp_path: Path, content: bytes, fault: str, name: str
) -> None:
    with pytest.raises(BadInput, match=fault):
        read_sheet(write(tmp_path, content, name), COLUMNS)


def test_a_file_larger_than_the_bound_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "BYTES_MAX", 5)

    with pytest.raises(BadInput, match="has 6 bytes, more than the 5"):
        read_sheet(write(tmp_path, b"a,b\n1,"), COLUMNS)


@pytest.mark.parametrize(
    "table",
    [
        {"a": ["x" * 1000] * 100_000, "b": ["y"] * 100_000},  # one cell, a hundred thousand times
        {"a": ["x"] * 2_000_000, "b": ["y"] * 2_000_000},
    ],
)
def test_parquet_that_unpacks_without_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: dict[str, list[str]]
) -> None:
    pq.write_table(pa.table(table), tmp_path / "bomb.parquet", compression="zstd")
    monkeypatch.setattr(sheets, "BYTES_MAX", 50_000_000)
    monkeypatch.setattr(sheets, "ROWS_MAX", 1_000_000)
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000

    with pytest.raises(BadInput, match="holds more than 1,000,000 rows or 50,000,000 bytes"):
        read_sheet(tmp_path / "bomb.parquet", COLUMNS)


def test_millions_of_rows_that_take_no_bytes_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = pa.nulls(sheets.ROWS_MAX + 1)
    pq.write_table(pa.table({"a": nothing, "b": nothing}), tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 1_000_000
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", None)

    with pytest.raises(BadInput, match=r"holds more than 30,000,000 rows .* split the file"):
        read_sheet(tmp_path / "bomb.parquet", COLUMNS)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_of_too_many_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(sheets, "ROWS_MAX", 1000)
    fine, much = (end.join(["a,b", *["1,2"] * rows, ""]).encode() for rows in (1000, 1001))

    assert len(read_sheet(write(tmp_path, fine), COLUMNS).table) == 1000
    with pytest.raises(BadInput, match="holds more than 1,000 rows"):
        read_sheet(write(tmp_path, much), COLUMNS)


@pytest.mark.parametrize("type_", [pa.float64(), pa.bool_(), pa.date32(), pa.list_(pa.string())])
def test_columns_without_exact_text_are_refused(tmp_path: Path, type_: pa.DataType) -> None:
    table = pa.table({"a": ["x"], "b": pa.nulls(1, type_)})
    pq.write_table(table, tmp_path / "file.parquet")

    with pytest.raises(BadInput, match=r"b: a column of type .* cannot be read as text"):
        read_sheet(tmp_path / "file.parquet", COLUMNS)


def test_a_corrupt_parquet_file_is_a_fault(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x"], "b": ["y"]}), tmp_path / "file.parquet")
    content = (tmp_path / "file.parquet").read_bytes()

    for spoilt in (content[:-9], content[5:], b"", content[:40] + b"\xff" * 20 + content[60:]):
        with pytest.raises(BadInput):
            read_sheet(write(tmp_path, spoilt, "spoilt.parquet"), COLUMNS)


def test_parquet_that_calls_text_what_is_not_utf_8_is_marked(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["xxxx", "y"], "b": ["1", "2"]}), tmp_path / "file.parquet")
    content = (tmp_path / "file.parquet").read_bytes()
    path = write(tmp_path, content.replace(b"xxxx", b"x\x81xx"), "spoilt.parquet")

    assert said(read_sheet(path, COLUMNS)) == [(1, "x\ufffdxx", "1"), (2, "y", "2")]
