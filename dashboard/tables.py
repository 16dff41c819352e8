"""A table as reports know it, on the page and as a file: the same cells in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import starmap

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard import components
from royalty.division import PPB
from royalty.money import Money
from royalty.reports.table import Cell, Column, Table, table_csv

_RIGHT = {"money", "count", "percent"}


def show(table: Table, *, alt: str, whole: Callable[[], Table] | None = None) -> None:
    """Draw a table with a button that gives it as CSV; `whole` is made then, where it is more."""
    st.dataframe(frame(table), hide_index=True, column_config=right(table), alt=alt)
    download(table, whole)


def select(table: Table, *, alt: str, whole: Callable[[], Table] | None = None) -> int:
    """Draw a table of which one row can be chosen; give its place, at first that of the first."""
    event = st.dataframe(
        frame(table),
        hide_index=True,
        column_config=right(table),
        key=table.name,
        on_select="rerun",
        selection_mode="single-row",
        alt=alt,
    )
    download(table, whole)
    chosen = event.selection.rows
    return chosen[0] if chosen and chosen[0] < len(table.rows) else 0


def download(table: Table, whole: Callable[[], Table] | None = None) -> None:
    """Draw the button."""
    stem = table.name if table.period is None else f"{table.period}_{table.name}"
    st.download_button(
        "Download CSV",
        lambda: table_csv(table if whole is None else whole()),
        file_name=f"{stem}.csv",
        mime="text/csv",
        key=f"{table.name}_csv",
        on_click="ignore",
        icon=":material/download:",
    )


def frame(table: Table) -> pd.DataFrame:
    """Write the cells as people read them, under the columns' titles and one currency of each."""
    columns = zip(*table.rows, strict=True) if table.rows else [()] * len(table.columns)
    return pd.DataFrame(
        dict(starmap(_column, zip(table.columns, columns, strict=True))), dtype="str"
    )


def right(table: Table) -> dict[str, ColumnConfig]:
    """Set figures on the right."""
    aligned = st.column_config.TextColumn(alignment="right")
    titles = frame(table).columns
    return {
        title: aligned
        for title, column in zip(titles, table.columns, strict=True)
        if column.kind in _RIGHT
    }


def _column(column: Column, cells: Sequence[Cell]) -> tuple[str, list[str]]:
    """Write one column; where its amounts are of one currency, the title names that."""
    currencies = {cell.currency for cell in cells if isinstance(cell, Money)}
    title = f"{column.title}, {next(iter(currencies))}" if len(currencies) == 1 else column.title
    several = len(currencies) > 1
    return title, [
        f"{cell.decimal} {cell.currency}" if several and isinstance(cell, Money) else _shown(cell)
        for cell in cells
    ]


def _shown(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Money():
            return cell.decimal
        case float():
            return components.percent(round(cell * PPB))
        case int():
            return f"{cell:,}"
        case date():
            return cell.isoformat()
    return cell
