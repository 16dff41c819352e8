"""Usage: how often who played what, in which source and territory."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from db.engine import Books
from db.intake.bounds import Bound
from db.intake.columns import ACTIVE, PERIOD, PLAYS, TERRITORY, an_id
from db.intake.judging import where
from db.intake.monthly import Asked, Kind, of_begun_months, record_sheet
from db.intake.receipt import Receipt
from db.intake.sheets import Sheet, make_sheet, read_sheet, with_cells
from royalty.errors import Problem
from royalty.period import Period
from royalty.rules.arithmetic import LISTENER_PLAYS_MAX, PLAYS_MAX


def _counted(texts: pa.Table) -> pa.Table:
    for name in (PLAYS.name, ACTIVE.name):
        said = pc.if_else(pc.equal(texts[name], ""), "0", texts[name])
        texts = with_cells(texts, name, said.cast(pa.int64()))
    return texts


def _amiss(sheet: Sheet) -> list[Problem]:
    """Find rows with more plays that were asked for than plays."""
    counted = _counted(sheet.table)
    more = pc.greater(counted[ACTIVE.name], counted[PLAYS.name])
    return where(sheet, more, ACTIVE.name, "is more than the plays of the row")


USAGE = Kind(
    name="usage",
    columns=(
        PERIOD,
        an_id("listener"),
        an_id("track"),
        an_id("source", few=True),
        TERRITORY,
        PLAYS,
        ACTIVE,
    ),
    keys=("period", "listener", "track", "source", "territory"),
    counted=_counted,
    bounds=(
        Bound(
            column=PLAYS.name,
            number="plays",
            by=("source", "listener"),
            most=LISTENER_PLAYS_MAX,
        ),
        Bound(column=PLAYS.name, number="plays", by=("source",), most=PLAYS_MAX),
    ),
    amiss=_amiss,
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
    """Record a CSV or Parquet file of usage; of one period only, where one is named.

    What is `late` is of closed periods, and of no others; `name` brings it, if somebody is named.
    """
    sheet = of_begun_months(read_sheet(path, USAGE.columns))
    asked = Asked(period=period, late=late, name=name, dry_run=dry_run)
    return record_sheet(books, USAGE, sheet, asked)


def record_table(
    books: Books, table: pa.Table, source_name: str, *, dry_run: bool = False
) -> Receipt:
    """Record a table of usage with the columns of a file."""
    sheet = make_sheet(source_name, table, USAGE.columns)
    return record_sheet(books, USAGE, sheet, Asked(dry_run=dry_run))
