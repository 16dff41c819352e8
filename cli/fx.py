"""`tantieme fx`: rates of exchange."""

from __future__ import annotations

from pathlib import Path

import click

from cli.intake import file_argument, tell
from cli.output import (
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    print_json,
    print_table,
)
from cli.workspace import Workspace


@click.group()
def fx() -> None:
    """Keep rates of exchange, dated and never changed."""


@fx.command("import")
@file_argument
@as_name
@dry_run
@pass_workspace
def import_rates(workspace: Workspace, file: Path, name: str, dry_run: bool) -> None:
    """Import rates: day, base, quote, rate (CSV or Parquet); a further column `source` says whose.

    One unit of base is so many of quote: 2026-10-30,USD,EUR,0.92. The latest rate on or before a
    day is used; none is inverted, and none made of two others.

    \b
    Example:  tantieme fx import rates.csv
    """
    from db.intake import fx as fx_intake

    receipt = fx_intake.record(workspace.books(), file, name=name, dry_run=dry_run)
    tell(receipt, dry_run=dry_run)


@fx.command()
@as_json
@pass_workspace
def show(workspace: Workspace, json_: bool) -> None:
    """Show the rates, by pair of currencies.

    \b
    Example:  tantieme fx show
    """
    from db import queries
    from db.queries import EVERYONE

    rates = queries.rates(EVERYONE, workspace.books())
    facts = [(str(each.day), each.base, each.quote, each.decimal, each.source) for each in rates]
    names = ("day", "base", "quote", "rate", "source")
    if json_:
        rows = [dict(zip(names, row, strict=True)) for row in facts]
        ids = [{"id": each.id, "rate_ppb": each.rate_ppb} for each in rates]
        document = [row | id_ for row, id_ in zip(rows, ids, strict=True)]
        print_json({"schema": 1, "rates": document})
    elif facts:
        print_table("", ["day", "base", "quote", ">rate", "source"], facts)
    else:
        narrate("No rates are here yet; run 'tantieme fx import FILE'.")
