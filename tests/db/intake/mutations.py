# ruff: noqa: ARG001, E501  mutations have one signature; strange cells stand side by side
"""Sound files, and everything that may be wrong with a file somebody sends."""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

Rows = list[list[str]]

ODD = (
    "", " ", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "../../etc/passwd", "/etc/passwd",
    "C:\\x", "1e9", "0x10", "NaN", "inf", "1.5", "1,5", "٣", "\uff19", "9" * 19, "9" * 400, "10000001",
    "0000000001", "007", "1.1234567", "10.990000", "\0", "a\0b", "a\nb", "a\r\nb", "\x1b[2J", "\ufeff",
    "\u00a0", "u\u00a0x", "\u2028", "\u202e", "\ufffd", "é", "🎵", "'; drop table party; --", '"', '""',
    'a"b', "true", "null", "None", "x" * 201, "é" * 101, "x" * 70_000, "2026-13", "2026-00", "0000-01",
    "2099-01", "2026-1", "2026-10", "2026-12", "USD", "EUR", "eur", "WW", "ZZZ", "2026-02-30",
    "20260101", "2026-W01-1", "0001-01-01", "9999-12-31", "nobody", "r1", "ann", "1000000000", "0",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file to import: its bytes, the suffix of its name, and its rows where it is plain CSV."""

    content: bytes
    suffix: str = ".csv"
    plain: Rows | None = None  # with the header


def files(header: str, rows: str, *, whole: bool = False) -> st.SearchStrategy[Made]:
    """Make a file that is sound, or has up to three things wrong in it and one with it.

    It holds some of the rows, in any order, or all of them where they belong together.
    """
    sound = [row.split(",") for row in rows.split(" ")]
    every = st.just(list(range(len(sound))))
    some = st.lists(st.integers(0, len(sound) - 1), min_size=1, max_size=4, unique=True)
    chosen = every if whole else some
    return st.builds(
        _made,
        chosen.map(lambda numbers: [header.split(","), *(list(sound[i]) for i in numbers)]),
        st.lists(st.tuples(st.sampled_from(_IN_ROWS), _PLACE, _PLACE, _TEXT), max_size=3),
        st.sampled_from(_WRITERS),
        st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(_OF_BYTES), _PLACE)),
    )


_PLACE = st.integers(0, 10_000)
_TEXT = st.one_of(st.sampled_from(ODD), st.sampled_from(ODD), st.text(max_size=8))


def _made(rows: Rows, changes: list, write: Callable[[Rows], Made], harm: tuple | None) -> Made:
    for change, row, column, text in changes:
        if rows:
            change(rows, row % len(rows), column % max(len(rows[0]), 1), text)
    made = write(rows)
    if harm is None:
        return made
    spoil, at = harm
    return Made(content=spoil(made.content, at % (len(made.content) + 1)), suffix=made.suffix)


def _cell(rows: Rows, row: int, column: int, text: str) -> None:
    row = max(row, 1)  # the header has changes of its own
    if row < len(rows) and column < len(rows[row]):
        rows[row][column] = text


def _copied(rows: Rows, row: int, column: int, text: str) -> None:
    rows.insert(1 + column % len(rows), list(rows[row]))


def _copied_but_for_a_cell(rows: Rows, row: int, column: int, text: str) -> None:
    rows.append(list(rows[row]))
    _cell(rows, len(rows) - 1, column, text)


def _cut(rows: Rows, row: int, column: int, text: str) -> None:
    del rows[row][column:]


def _lengthened(rows: Rows, row: int, column: int, text: str) -> None:
    rows[row].insert(column, text)


def _blank(rows: Rows, row: int, column: int, text: str) -> None:
    rows.insert(max(row, 1), [])


def _renamed(rows: Rows, row: int, column: int, text: str) -> None:
    if rows[0]:
        rows[0][column % len(rows[0])] = text


def _without_column(rows: Rows, row: int, column: int, text: str) -> None:
    for cells in rows:
        del cells[column : column + 1]


def _other_order(rows: Rows, row: int, column: int, text: str) -> None:
    for cells in rows:
        cells[:] = cells[column:] + cells[:column]


def _emptied(rows: Rows, row: int, column: int, text: str) -> None:
    del rows[row:]


# Cells are what is most often wrong, so they have most of the tries.
_IN_ROWS = (
    *[_cell] * 6, *[_copied_but_for_a_cell] * 2, _copied, _cut, _lengthened, _blank, _renamed,
    _without_column, _other_order, _emptied,
)  # fmt: skip


def _csv(quoting: int, end: str, opening: bytes = b"") -> Callable[[Rows], Made]:
    def write(rows: Rows) -> Made:
        text = io.StringIO()
        writer = csv.writer(text, quoting=quoting, lineterminator=end)
        for cells in rows:
            writer.writerow(cells)
        content = opening + text.getvalue().encode()
        return Made(content=content, plain=rows)

    return write


def _encoded(encoding: str) -> Callable[[Rows], Made]:
    def write(rows: Rows) -> Made:
        text = "".join(",".join(cells) + "\n" for cells in rows)
        return Made(content=text.encode(encoding, errors="replace"))

    return write


def _parquet(type_: pa.DataType) -> Callable[[Rows], Made]:
    def write(rows: Rows) -> Made:
        width = max(map(len, rows), default=0)
        header = (rows[0] if rows else []) + [f"more{i}" for i in range(width)]
        columns = [
            [cells[i] if i < len(cells) else None for cells in rows[1:]] for i in range(width)
        ]
        arrays = [_array(column, type_) for column in columns]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(arrays, header[:width]), sink)
        return Made(content=sink.getvalue(), suffix=".parquet")

    return write


def _array(column: list, type_: pa.DataType) -> pa.Array:
    try:
        return pa.array(column, pa.string()).cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([(cell or "").encode() for cell in column])


_WRITERS = (
    *[_csv(csv.QUOTE_MINIMAL, "\n")] * 6,
    _csv(csv.QUOTE_ALL, "\n"),
    _csv(csv.QUOTE_MINIMAL, "\r\n"),
    _csv(csv.QUOTE_MINIMAL, "\r"),
    _csv(csv.QUOTE_ALL, "\r\n", b"\xef\xbb\xbf"),
    _encoded("utf-8"),
    _encoded("latin-1"),
    _encoded("utf-16"),
    _encoded("utf-16-be"),
    *(_parquet(t) for t in (
        pa.string(), pa.string(), pa.large_string(), pa.binary(), pa.int64(), pa.float64(),
        pa.bool_(), pa.date32(), pa.timestamp("us"), pa.null(), pa.dictionary(pa.int8(), pa.string()),
    )),
)  # fmt: skip


def _truncated(content: bytes, at: int) -> bytes:
    return content[:at]


def _byte(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([at * 37 % 256]) + content[at + 1 :]


def _quote(content: bytes, at: int) -> bytes:
    return content[:at] + b'"' + content[at:]


def _nul(content: bytes, at: int) -> bytes:
    return content[:at] + b"\0" + content[at:]


def _doubled(content: bytes, at: int) -> bytes:
    return content[:at] + content


def _gzipped(content: bytes, at: int) -> bytes:
    return gzip.compress(content, mtime=0)


def _zipped(content: bytes, at: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("usage.csv", content)
    return sink.getvalue()


_OF_BYTES = (_truncated, _truncated, _byte, _byte, _quote, _nul, _doubled, _gzipped, _zipped)
