"""Table expressions on Spark. Only `db.engines` imports this; it needs pyspark and Java."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.pyspark import Backend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.expr.operations import InMemoryTable, ScalarUDF
from ibis.formats.pyarrow import PyArrowData
from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from royalty.errors import NotReady

# `div` of decimals wraps at 64 bits without a word and `/` rounds at six places, so only what
# divides without a remainder is divided. Exact for quotients below 10**32; beyond, an error.
_PROPORTION = """create or replace temporary function
    proportion(a decimal(38, 0), b decimal(38, 0), c decimal(38, 0)) returns decimal(38, 0)
    return cast((a * b - a * b % c) / c as decimal(38, 0))"""
_QUOTIENT = """create or replace temporary function
    quotient(a decimal(38, 0), b decimal(38, 0)) returns decimal(38, 0)
    return cast((a - a % b) / b as decimal(38, 0))"""
_EVERYWHERE = {
    "spark.app.name": "tantieme",
    "spark.sql.ansi.enabled": "true",  # an overflow is an error
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",  # what fails comes back as an exception
    "spark.driver.maxResultSize": "0",  # what fits into memory may come
    "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "tantieme-warehouse"),
}
_HERE = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
}
_OTHER_MASTERS = ("local", "yarn", "k8s://")
SECONDS_TO_ANSWER = 5


class _Compiler(PySparkCompiler):  # type: ignore[misc]
    """Writes functions as operators where it can: Spark takes none of SQL in joins and orders."""

    __slots__ = ()

    def visit_ScalarUDF(  # noqa: N802 - Ibis's name
        self, op: ScalarUDF, **arguments: sge.Expression
    ) -> sge.Expression:
        written: sge.Expression = super().visit_ScalarUDF(op, **arguments)
        match self.__sql_name__(op), [*arguments.values()]:
            case "whole", [dividend, divisor]:
                dividend, divisor = (self.cast(each, dt.int64) for each in (dividend, divisor))
                written = sge.paren(sge.IntDiv(this=dividend, expression=divisor))
            case (("wide" | "narrow"), [value]):
                written = self.cast(value, op.dtype)
        return written


class Spark(Backend):  # type: ignore[misc]
    """Ibis's Spark; tables come and go by Arrow, as pandas has no exact nullable integers."""

    compiler = _Compiler()

    def to_pyarrow(
        self,
        expr: ir.Expr,
        /,
        *,
        params: Mapping[ir.Scalar, Any] | None = None,
        limit: int | str | None = None,
        **_: object,
    ) -> pa.Table:
        """Run an expression."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        rows = self._session.sql(self.compile(table, params=params, limit=limit)).toArrow()
        return expr.__pyarrow_result__(PyArrowData.convert_table(rows, table.schema()))

    def _register_in_memory_table(self, op: InMemoryTable) -> None:
        rows = op.data.to_pyarrow(op.schema)
        self._session.createDataFrame(rows).createOrReplaceTempView(op.name)

    def _create_cached_table(self, name: str, expr: ir.Table) -> ir.Table:
        # A checkpoint, not a cache: plans that keep all that led to them take minutes to make.
        self._run_pre_execute_hooks(expr)
        rows = self._session.sql(self.compile(expr)).localCheckpoint(eager=True)
        rows.createOrReplaceTempView(name)
        return self.table(name)

    def _drop_cached_table(self, name: str) -> None:
        self._session.catalog.dropTempView(name)


def connect(url: str, properties: Mapping[str, str]) -> Spark:
    """Connect to the cluster of a URL, or start Spark here for `spark://local[threads]`.

    Raises `NotReady` where Java is missing or the cluster does not answer.
    """
    _require_java()
    address = url.removeprefix("spark://")
    here = address.startswith("local")
    if not address.startswith(_OTHER_MASTERS):
        _require_answer(url, address)
    if here:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    conf = SparkConf().setMaster(address if address.startswith(_OTHER_MASTERS) else url)
    conf.setAll([*(_EVERYWHERE | (_HERE if here else {}) | dict(properties)).items()])
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    try:
        gateway = launch_gateway(conf, {"stderr": subprocess.DEVNULL})  # type: ignore[no-untyped-call]
        session = SparkSession(SparkContext(conf=conf, gateway=gateway))
    except (PySparkException, Py4JError) as error:
        raise NotReady(
            f"Spark at {url} did not start; see that the address is right and the cluster runs, "
            "and that 'java -version' says 17 or later"
        ) from error
    backend = Spark()
    backend.do_connect(session)
    session.sql(_PROPORTION)
    session.sql(_QUOTIENT)
    return backend


def _require_answer(url: str, address: str) -> None:
    """Refuse a cluster that nobody answers for, which Spark would try to reach for minutes."""
    why: Exception | None = None
    for master in address.split(","):  # a cluster may have spare ones
        host, _, port = master.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER).close()
        except (OSError, ValueError, OverflowError) as error:
            why = error
        else:
            return
    raise NotReady(
        f"no Spark cluster answers at {url} ({why}); name its master as spark://HOST:PORT, with "
        "the port that its own page shows, and see that it runs"
    )


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=f"{home}/bin" if home else None):
        raise NotReady(
            "Spark needs Java 17 or later, and there is no 'java' here; "
            "install it (Debian: apt-get install default-jre-headless), or set JAVA_HOME"
        )
