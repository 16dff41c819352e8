"""Usage: how often who played what, in which source and territory."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from db.engine import Books
from db.intake.columns import PERIOD, PLAYS, TERRITORY, an_id, make_sheet, read_sheet
from db.intake.monthly import Kind, record_sheet
from db.intake.receipt import Receipt
from royalty.period import Period


def _counted(texts: pa.Table) -> pa.Table:
    plays = texts["plays"].cast(pa.int64())
    return texts.set_column(texts.column_names.index("plays"), "plays", plays)


USAGE = Kind(
    name="usage",
    columns=(
        PERIOD,
        an_id("listener"),
        an_id("track"),
        an_id("source"),
        TERRITORY,
        PLAYS,
    ),
    keys=("period", "listener", "track", "source", "territory"),
    counted=_counted,
)


def record(
    books: Books, path: Path, *, period: Period | None = None, dry_run: bool = False
) -> Receipt:
    """Record a CSV or Parquet file of usage; of one period only, where one is named."""
    sheet = read_sheet(path, USAGE.columns)
    return record_sheet(books, USAGE, sheet, period=period, dry_run=dry_run)


def record_table(
    books: Books, table: pa.Table, source_name: str, *, dry_run: bool = False
) -> Receipt:
    """Record a table of usage with the columns of a file."""
    sheet = make_sheet(source_name, table, USAGE.columns)
    return record_sheet(books, USAGE, sheet, period=None, dry_run=dry_run)
