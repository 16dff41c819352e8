"""A statement's files: each is made when somebody asks for it, by what the commands make it by."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial

import streamlit as st

from royalty.statement import Statement

# Ending, what it is for, and its media type. `royalty.reports` has a module of each name.
FORMATS = {
    "pdf": ("to read and to print", "application/pdf"),
    "xlsx": (
        "to work with in a spreadsheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "csv": ("every line, to load elsewhere", "text/csv"),
    "json": ("every line with all that it walks back to", "application/json"),
}


def offer(statement: Statement) -> None:
    """Draw a button for each file."""
    with st.container(horizontal=True):
        for ending, (says, mime) in FORMATS.items():
            st.download_button(
                f"Download {ending.upper()}",
                partial(content, statement, ending),
                file_name=f"{statement.period}_{statement.payee}.{ending}",
                mime=mime,
                key=ending,
                help=f"{ending.upper()}: {says}.",
                on_click="ignore",
                icon=":material/download:",
            )


def content(statement: Statement, ending: str) -> bytes:
    """Make a statement's file; the writers of PDF and XLSX are imported only here."""
    module = importlib.import_module(f"royalty.reports.{ending}")
    write: Callable[[Statement], bytes] = getattr(module, f"statement_{ending}")
    return write(statement)
