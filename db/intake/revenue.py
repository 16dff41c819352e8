"""Revenue: net money by listener and track it came from, source, territory and currency."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from db.engine import Books
from db.intake.bounds import Bound
from db.intake.columns import CURRENCY, NET, PERIOD, TERRITORY, an_id, maybe_an_id
from db.intake.currencies import other_currencies
from db.intake.judging import to_micros
from db.intake.monthly import Asked, Kind, of_begun_months, record_sheet
from db.intake.receipt import Receipt
from db.intake.sheets import make_sheet, read_sheet
from royalty.money import MICROS
from royalty.period import Period
from royalty.rules.arithmetic import MICROS_MAX


def _counted(texts: pa.Table) -> pa.Table:
    return texts.append_column("net_micros", to_micros(texts["net"]))


REVENUE = Kind(
    name="revenue",
    columns=(
        PERIOD,
        maybe_an_id("listener", "income not of one listener"),
        maybe_an_id("track", "booked against no track", optional=True),
        an_id("source", few=True),
        TERRITORY,
        CURRENCY,
        NET,
    ),
    keys=("period", "listener", "track", "source", "territory", "currency"),
    counted=_counted,
    bounds=(
        Bound(column=NET.name, number="net_micros", by=("source",), most=MICROS_MAX, unit=MICROS),
    ),
    amiss=other_currencies,
)


def record(  # noqa: PLR0913  how an import is asked for
    books: Books,
    path: Path,
    *,
    period: Period | None = None,
    late: bool = False,
    name: str | None = None,
    dry_run: bool = False,
) -> Receipt:
    """Record a CSV or Parquet file of revenue; of one period only, where one is named.

    What is `late` is of closed periods, and of no others; `name` brings it, if somebody is named.
    """
    sheet = of_begun_months(read_sheet(path, REVENUE.columns))
    asked = Asked(period=period, late=late, name=name, dry_run=dry_run)
    return record_sheet(books, REVENUE, sheet, asked)


def record_table(
    books: Books, table: pa.Table, source_name: str, *, dry_run: bool = False
) -> Receipt:
    """Record a table of revenue with the columns of a file; `net` is decimal text."""
    sheet = make_sheet(source_name, table, REVENUE.columns)
    return record_sheet(books, REVENUE, sheet, Asked(dry_run=dry_run))
