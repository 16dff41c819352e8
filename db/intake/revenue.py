"""Revenue: what each listener brought in, net, in which source, territory and currency."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from db.engine import Books
from db.intake.columns import (
    CURRENCY,
    NET,
    PERIOD,
    TERRITORY,
    an_id,
    make_sheet,
    read_sheet,
    to_micros,
)
from db.intake.monthly import Kind, record_sheet
from db.intake.receipt import Receipt
from royalty.period import Period


def _counted(texts: pa.Table) -> pa.Table:
    return texts.append_column("net_micros", to_micros(texts["net"]))


REVENUE = Kind(
    name="revenue",
    columns=(PERIOD, an_id("listener"), an_id("source"), TERRITORY, CURRENCY, NET),
    keys=("period", "listener", "source", "territory", "currency"),
    counted=_counted,
)


def record(
    books: Books, path: Path, *, period: Period | None = None, dry_run: bool = False
) -> Receipt:
    """Record a CSV or Parquet file of revenue; of one period only, where one is named."""
    sheet = read_sheet(path, REVENUE.columns)
    return record_sheet(books, REVENUE, sheet, period=period, dry_run=dry_run)


def record_table(
    books: Books, table: pa.Table, source_name: str, *, dry_run: bool = False
) -> Receipt:
    """Record a table of revenue with the columns of a file; `net` is decimal text."""
    sheet = make_sheet(source_name, table, REVENUE.columns)
    return record_sheet(books, REVENUE, sheet, period=None, dry_run=dry_run)
