"""Which engine runs table expressions: DuckDB here, or Spark where one machine is too small.

    duckdb                                       this machine, spilling to disk
    duckdb?memory_limit=4GB&threads=2            with settings of DuckDB's
    spark://host:7077                            a Spark cluster, or yarn, or k8s:// and an address
    spark://local[2]?spark.driver.memory=4g      Spark on this machine, with properties of Spark's

Both give the same integers. Expressions call functions by name, and each engine defines them in its
own words, for integers that are not negative: `whole(a, b)` is floor(a / b) of 64-bit integers,
`wide(a)` and `narrow(a)` go from 64 bits to 38 digits and back, `proportion(a, b, c)` is
floor(a * b / c) with a product below 2**126, `quotient(a, b)` is floor(a / b) with a below 2**126
and a quotient below 10**15. Dividing by zero is an error, and so is what does not fit.
"""

from __future__ import annotations

import errno
import os
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import BaseBackend
from ibis.backends.duckdb import Backend

from royalty.errors import NotReady

# Engines flatten nested selects by themselves; merging them here only takes time.
ibis.options.sql.fuse_selects = False

# DuckDB is slow to divide 128 bits and to cast decimals, so wide integers are
# hugeints and the usual quotient is guessed: a double has 53 bits, two conversions and a division
# are at most 4 of its roundings off, so below 2**50 the guess is the floor or beside it.
_GUESS = "cast(floor(cast(a as double) / cast(b as double)) as hugeint)"
_TIMES = f"{_GUESS} * cast(b as hugeint)"
_DUCKDB = (
    "create or replace macro whole(a, b) as a // b",
    "create or replace macro wide(a) as cast(a as hugeint)",
    "create or replace macro narrow(a) as cast(a as bigint)",
    """create or replace macro proportion(a, b, c) as
    (cast(a as hugeint) * cast(b as hugeint)) // cast(c as hugeint)""",
    f"""create or replace macro quotient(a, b) as
    {_GUESS} + cast(a - {_TIMES} >= b as integer) - cast(a < {_TIMES} as integer)""",
)


class DuckDB(Backend):  # type: ignore[misc]
    """Ibis's DuckDB, with batches by the name that DuckDB 2 knows them by."""

    def to_pyarrow_batches(
        self,
        expr: ir.Expr,
        /,
        *,
        params: Mapping[ir.Scalar, Any] | None = None,
        limit: int | str | None = None,
        chunk_size: int = 1_000_000,
        **_: object,
    ) -> pa.RecordBatchReader:
        """Run an expression; nothing else may run on this engine until all of it was read."""
        self._run_pre_execute_hooks(expr)
        sql = self.compile(expr.as_table(), params=params, limit=limit)
        return self.con.sql(sql).to_arrow_reader(chunk_size)


@cache
def connect(url: str = "duckdb") -> BaseBackend:
    """Connect to an engine, once, with the functions that expressions call.

    Raises `NotReady` where there is no such engine, or what it needs is missing.
    """
    name, _, query = url.partition("?")
    settings = [setting.partition("=") for setting in query.split("&")] if query else []
    if not all(key and value for key, _, value in settings):
        raise NotReady(f"in '{url}' settings stand as NAME=VALUE, joined by '&'")
    options = {key: value for key, _, value in settings}
    if name == "duckdb":
        return _duckdb(options)
    if name.startswith("spark://"):
        return _spark(name, options)
    raise NotReady(f"'{url}' is no engine; name duckdb, spark://HOST:PORT or spark://local[2]")


def shortage(error: BaseException) -> str:
    """Say what a command ran out of and which settings give it more; nothing of other errors."""
    message = str(error).partition("\n")[0]
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"the disk is full; make room and run this again ({message})"
    full = isinstance(error, duckdb.IOException) and "space" in message.lower()
    if not full and not isinstance(error, duckdb.OutOfMemoryException):
        return ""
    lacks = "disk to spill to" if full or "temp" in message.lower() else "memory"
    return (
        f"DuckDB ran out of {lacks}; give it more, or fewer threads: --engine "
        f"'duckdb?memory_limit=8GB&temp_directory=/a/large/disk&threads=1' ({message})"
    )


def _duckdb(options: dict[str, str]) -> BaseBackend:
    spill = Path(tempfile.gettempdir()) / f"tantieme-{os.getpid()}"
    usual = {"temp_directory": str(spill), "preserve_insertion_order": "false"}
    try:
        backend = DuckDB().connect(**usual | options)
    except duckdb.Error as error:
        raise NotReady(f"DuckDB does not take these settings: {error}") from None
    for statement in _DUCKDB:
        backend.raw_sql(statement)
    return backend


def _spark(name: str, options: dict[str, str]) -> BaseBackend:
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        from db import spark  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError as error:
        raise NotReady(
            f"Spark needs the package '{error.name}'; run \"pip install 'tantieme[spark]'\""
        ) from None
    return spark.connect(name, options)
