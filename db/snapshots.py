"""Big facts: Parquet files named by the hash of their bytes, registered in SQL.

The same rows give the same bytes: columns and types are fixed by kind, rows stand in canonical
order, and the file carries no time, no path and nothing of the machine. A file appears whole or
not at all. A process hashes a file before it first reads it, and again once anybody touched it, and
refuses one that is not what its name says. Table expressions of small results run here.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis import BaseBackend
from sqlalchemy import Connection, select

from db import engines, schema
from db.engine import Books, now, reading, writing
from royalty import lines
from royalty.errors import NotFound, RoyaltyError
from royalty.rights import RIGHTS_SCHEMAS


def _fields(texts: str, numbers: str) -> list[pa.Field]:
    return [
        *(pa.field(name, pa.string()) for name in texts.split()),
        *(pa.field(name, pa.int64()) for name in numbers.split()),
    ]


SCHEMAS: dict[str, pa.Schema] = {
    "usage": pa.schema(_fields("period listener track source territory", "plays active")),
    "revenue": pa.schema(_fields("period listener track source territory currency", "net_micros")),
    "shares": pa.schema(_fields("provider track recording", "share_ppb low_ppb high_ppb version")),
    "allocations": lines.SCHEMA,
    **{f"rights.{name}": fields for name, fields in RIGHTS_SCHEMAS.items()},
}
# Columns that a file leaves out where they would say nothing, and what they say then.
OPTIONAL: dict[str, dict[str, object]] = {
    "usage": {"active": 0},
    "revenue": {"track": ""},
    "shares": {"version": 1},
}


_GROUP = 1 << 18  # rows of a group within a file


class CorruptSnapshot(RoyaltyError):
    """A snapshot's file is gone, or its bytes are not the ones that were registered."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file of rows: the hash of its bytes, what kind of rows, and how many."""

    sha256: str
    kind: str
    rows: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """A snapshot's bytes, before they are a file."""

    snapshot: Snapshot
    content: pa.Buffer


def encode(kind: str, table: pa.Table) -> Encoded:
    """Bring rows into canonical order and into bytes. Raises `KeyError` on a missing column."""
    fixed = _fixed(kind, table)
    table = pa.Table.from_arrays(
        [table[name].cast(fixed.field(name).type) for name in fixed.names], schema=fixed
    )
    table = table.sort_by([(name, "ascending") for name in fixed.names]).combine_chunks()
    sink = pa.BufferOutputStream()
    with _writer(sink, fixed) as writer:
        writer.write_table(table, row_group_size=_GROUP)
    content = sink.getvalue()
    return Encoded(Snapshot(hashlib.sha256(content).hexdigest(), kind, len(table)), content)


def _fixed(kind: str, table: pa.Table) -> pa.Schema:
    """Return the columns of a file of these rows: those of its kind that say something."""
    silent = {
        name
        for name, nothing in OPTIONAL.get(kind, {}).items()
        if name not in table.column_names or pc.all(pc.equal(table[name], nothing)).as_py()
    }
    return pa.schema(field for field in SCHEMAS[kind] if field.name not in silent)


def _writer(sink: object, fixed: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(sink, fixed, compression="zstd", version="2.6")


def keep(home: Path, encoded: Encoded) -> Snapshot:
    """Put a snapshot's file in its place; one that is there already and whole stays."""
    path = _path(home, encoded.snapshot.sha256)
    if not path.exists() or _sha256(path) != encoded.snapshot.sha256:
        _place(path, encoded.content)
    return encoded.snapshot


def register(connection: Connection, snapshot: Snapshot) -> None:
    """Enter a snapshot in the books, once."""
    known = select(schema.snapshot.c.rows).where(schema.snapshot.c.sha256 == snapshot.sha256)
    if connection.scalar(known) is None:
        row = {"sha256": snapshot.sha256, "kind": snapshot.kind, "rows": snapshot.rows}
        connection.execute(schema.snapshot.insert(), {**row, "recorded_at": now()})


def write(books: Books, kind: str, table: pa.Table) -> str:
    """Keep and register rows as a snapshot; say its hash."""
    snapshot = keep(books.home, encode(kind, table))
    with writing(books) as connection:
        register(connection, snapshot)
    return snapshot.sha256


def write_rows(books: Books, kind: str, rows: ir.Table) -> str:
    """Keep and register the rows of an expression, which need not fit into memory.

    The same rows give the same bytes as `write` gives.
    """
    with _drafted(books, kind, rows) as (draft, snapshot):
        _move(draft, _path(books.home, snapshot.sha256))
    with writing(books) as connection:
        register(connection, snapshot)
    return snapshot.sha256


def hash_rows(books: Books, kind: str, rows: ir.Table) -> str:
    """Say as what snapshot the rows of an expression would be kept; none stays."""
    with _drafted(books, kind, rows) as (_, snapshot):
        return snapshot.sha256


@contextmanager
def _drafted(books: Books, kind: str, rows: ir.Table) -> Iterator[tuple[Path, Snapshot]]:
    """Write the rows of an expression into a file that is gone unless it is moved."""
    fixed = SCHEMAS[kind]
    ordered = rows.select(*fixed.names).order_by(fixed.names)
    count = 0
    with _beside(books.home / "snapshots") as draft:
        with _writer(draft, fixed) as writer:
            for group in _groups(ordered.to_pyarrow_batches(chunk_size=_GROUP), fixed):
                writer.write_table(group, row_group_size=_GROUP)
                count += len(group)
        yield draft, Snapshot(_sha256(draft), kind, count)


def _groups(batches: pa.RecordBatchReader, fixed: pa.Schema) -> Iterator[pa.Table]:
    """Cut rows into groups of one size, as a table is cut that is written whole."""
    kept = pa.Table.from_batches([], schema=fixed)
    for batch in batches:
        kept = pa.concat_tables([kept, pa.Table.from_batches([batch]).cast(fixed)])
        while len(kept) >= _GROUP:
            yield kept.slice(0, _GROUP).combine_chunks()
            kept = kept.slice(_GROUP)
    if len(kept):
        yield kept.combine_chunks()


def read(books: Books, sha256: str) -> pa.Table:
    """Read a snapshot whole. Raises `CorruptSnapshot` when the file is not what it was."""
    kind, path = _found(books, sha256)
    return _filled(kind, pq.read_table(path))


def _filled(kind: str, rows: pa.Table) -> pa.Table:
    """Say what columns say that a file leaves out."""
    for name, nothing in OPTIONAL.get(kind, {}).items():
        if name not in rows.column_names:
            field = SCHEMAS[kind].field(name)
            rows = rows.append_column(field, pa.repeat(pa.scalar(nothing, field.type), len(rows)))
    return rows


def matching(
    books: Books, sha256: str, columns: Sequence[str] = (), **wanted: Iterable[str]
) -> pa.Table:
    """Read the rows of a snapshot in which every column named has one of its values.

    In the file's order; `number` is a row's place in the file, from 1. Some columns, or all; the
    rest of the file is not read.
    """
    kind, path = _found(books, sha256)
    values = {name: sorted(set(those)) for name, those in wanted.items()}
    tests = " and ".join(
        f"{_quoted(name)} in ({', '.join('?' * len(those)) or 'null'})"
        for name, those in values.items()
    )
    query = (
        f"select {', '.join(map(_quoted, columns)) or '*'}, file_row_number + 1 as number"  # noqa: S608
        f" from read_parquet(?, file_row_number = true) where {tests} order by number"
    )
    with duckdb.connect() as connection:
        asked = [str(path), *(value for those in values.values() for value in those)]
        rows = connection.sql(query, params=asked).to_arrow_table()
    rows = rows.select([name for name in rows.column_names if name != "file_row_number"])
    return rows if columns else _filled(kind, rows)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def table(
    books: Books, kind: str, sha256s: Sequence[str], engine: BaseBackend | None = None
) -> ir.Table:
    """Open snapshots of one kind as one table expression; without any, a table without rows."""
    engine = engine or engines.connect()
    parts = [_opened(engine, kind, _found(books, sha256)[1]) for sha256 in sorted(sha256s)]
    if not parts:
        nothing = keep(books.home, encode(kind, SCHEMAS[kind].empty_table()))
        parts = [_opened(engine, kind, _path(books.home, nothing.sha256))]
    return ibis.union(*parts)


def _opened(engine: BaseBackend, kind: str, path: Path) -> ir.Table:
    rows = engine.read_parquet(str(path))
    missing = {
        name: ibis.literal(nothing, ibis.dtype(str(SCHEMAS[kind].field(name).type)))
        for name, nothing in OPTIONAL.get(kind, {}).items()
        if name not in rows.columns
    }
    return rows.mutate(**missing).select(*SCHEMAS[kind].names)


def run(expression: ir.Table) -> pa.Table:
    """Run a table expression. The order of the rows is the expression's own, or none."""
    return expression.to_pyarrow()


def hold(expression: ir.Table) -> ir.Table:
    """Work a table out once, in its engine, to be used many times."""
    return expression.cache()


def checked(books: Books, sha256: str) -> Path:
    """Find a registered snapshot's file, having hashed it now, whatever was done before."""
    return _found(books, sha256, _sha256)[1]


def _found(
    books: Books, sha256: str, hashed: Callable[[Path], str] | None = None
) -> tuple[str, Path]:
    """Say a snapshot's kind and where its file is, which this process has hashed as it is."""
    with reading(books) as connection:
        known = select(schema.snapshot.c.kind).where(schema.snapshot.c.sha256 == sha256)
        kind = connection.scalar(known)
    if kind is None:
        raise NotFound(f"no snapshot {sha256} is registered in these books")
    path = _path(books.home, sha256)
    if not path.exists():
        raise CorruptSnapshot(f"{kind} snapshot {path} is gone; restore it from a backup")
    if (hashed or _hashed_before)(path) != sha256:
        raise CorruptSnapshot(
            f"{kind} snapshot {path} is corrupt: its bytes are not those registered;"
            " restore it from a backup"
        )
    return str(kind), path


def _path(home: Path, sha256: str) -> Path:
    return home / "snapshots" / f"{sha256}.parquet"


def _hashed_before(path: Path) -> str:
    """Hash a file, unless that was done since anybody last touched it."""
    state = path.stat()
    return _hash_of(path, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=4096)
def _hash_of(path: Path, _state: tuple[int, ...]) -> str:
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(path: Path, content: pa.Buffer) -> None:
    """Write beside the place and rename: whoever looks sees the whole file or none."""
    with _beside(path.parent) as draft:
        draft.write_bytes(content)
        _move(draft, path)


def _move(draft: Path, path: Path) -> None:
    """Move a file to its place once the disk has it."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Make a file to write, and to move once it is whole; it is gone if it was not."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
