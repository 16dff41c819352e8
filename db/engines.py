"""Which engine runs table expressions: DuckDB here, or Spark where one machine is too small.

    duckdb                                       this machine, spilling to disk
    duckdb?memory_limit=4GB&threads=2            with settings of DuckDB's
    spark://host:7077                            a Spark cluster, or yarn, or k8s:// and an address
    spark://local[2]?spark.driver.memory=4g      Spark on this machine, with properties of Spark's

Both give the same integers. Expressions divide by two functions that they call by name, and each
engine defines them in its own words, for integers that are not negative: `whole(a, b)` is
floor(a / b) of 64-bit integers, `proportion(a, b, c)` is floor(a * b / c) with a product below
2**126, as a decimal of 38 digits. Dividing by zero is an error.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
from ibis import BaseBackend
from ibis.backends.duckdb import Backend

from royalty.errors import NotReady

# Plain 128-bit division is slow in DuckDB, so expressions keep it for where rows are few. A
# quotient guessed in floats and mended in integers runs faster, and its plans grow beyond reason.
_DUCKDB = (
    "create or replace macro whole(a, b) as a // b",
    """create or replace macro proportion(a, b, c) as
    (cast(a as hugeint) * cast(b as hugeint)) // cast(c as hugeint)""",
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
