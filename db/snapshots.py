"""Big facts: Parquet files named by the hash of their bytes, registered in SQL.

The same rows give the same bytes: columns and types are fixed by kind, rows stand in canonical
order, and the file carries no time, no path and nothing of the machine. A file appears whole or
not at all. Every reading hashes the file first and refuses one that is not what its name says.
Table expressions run here, on DuckDB, and nowhere else.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from db import schema
from db.engine import Books, now, reading, writing
from royalty import allocation
from royalty.errors import NotFound, RoyaltyError


def _fields(texts: str, numbers: str) -> list[pa.Field]:
    return [
        *(pa.field(name, pa.string()) for name in texts.split()),
        *(pa.field(name, pa.int64()) for name in numbers.split()),
    ]


SCHEMAS: dict[str, pa.Schema] = {
    "usage": pa.schema(_fields("period listener track source territory", "plays")),
    "revenue": pa.schema(_fields("period listener source territory currency", "net_micros")),
    "shares": pa.schema(_fields("provider track recording", "share_ppb low_ppb high_ppb")),
    "allocations": allocation.SCHEMA,
}


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
    fixed = SCHEMAS[kind]
    table = pa.Table.from_arrays(
        [table[name].cast(fixed.field(name).type) for name in fixed.names], schema=fixed
    )
    table = table.sort_by([(name, "ascending") for name in fixed.names]).combine_chunks()
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=1 << 18, compression="zstd", version="2.6")
    content = sink.getvalue()
    return Encoded(Snapshot(hashlib.sha256(content).hexdigest(), kind, len(table)), content)


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


def read(books: Books, sha256: str) -> pa.Table:
    """Read a snapshot whole. Raises `CorruptSnapshot` when the file is not what it was."""
    return pq.read_table(checked(books, sha256))


def table(books: Books, sha256s: Sequence[str]) -> ir.Table:
    """Open snapshots of one kind as one table expression."""
    paths = [str(checked(books, sha256)) for sha256 in sorted(sha256s)]
    return _duckdb().read_parquet(paths)


def run(expression: ir.Table) -> pa.Table:
    """Run a table expression. The order of the rows is the expression's own, or none."""
    return _duckdb().to_pyarrow(expression)


def checked(books: Books, sha256: str) -> Path:
    """Find a registered snapshot's file, having hashed it."""
    with reading(books) as connection:
        known = select(schema.snapshot.c.kind).where(schema.snapshot.c.sha256 == sha256)
        kind = connection.scalar(known)
    if kind is None:
        raise NotFound(f"no snapshot {sha256} is registered in these books")
    path = _path(books.home, sha256)
    if not path.exists():
        raise CorruptSnapshot(f"{kind} snapshot {path} is gone; restore it from a backup")
    if _sha256(path) != sha256:
        raise CorruptSnapshot(
            f"{kind} snapshot {path} is corrupt: its bytes are not those registered;"
            " restore it from a backup"
        )
    return path


@cache
def _duckdb() -> ibis.backends.duckdb.Backend:
    return ibis.duckdb.connect()


def _path(home: Path, sha256: str) -> Path:
    return home / "snapshots" / f"{sha256}.parquet"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(path: Path, content: pa.Buffer) -> None:
    """Write beside the place and rename: whoever looks sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
