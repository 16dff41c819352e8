"""`tantieme usage import`, `revenue import` and `shares import`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import dry_run, narrate, pass_workspace
from cli.workspace import Workspace
from db.intake import revenue as revenue_intake
from db.intake import shares as shares_intake
from db.intake import usage as usage_intake
from db.intake.receipt import Receipt

file_argument = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group()
def usage() -> None:
    """Keep who played what, how often."""


@usage.command("import")
@file_argument
@dry_run
@pass_workspace
def import_usage(workspace: Workspace, file: Path, dry_run: bool) -> None:
    """Import counted plays: period, listener, track, source, territory, plays (CSV or Parquet).

    A further column `active` says how many of the plays the listener asked for.

    \b
    Example:  tantieme usage import october.csv
    """
    tell(usage_intake.record(workspace.books(), file, dry_run=dry_run), dry_run=dry_run)


@click.group()
def revenue() -> None:
    """Keep what each listener brought in."""


@revenue.command("import")
@file_argument
@dry_run
@pass_workspace
def import_revenue(workspace: Workspace, file: Path, dry_run: bool) -> None:
    """Import net money: period, listener, source, territory, currency, net (CSV or Parquet).

    A further column `track` says which track the money is booked against.

    \b
    Example:  tantieme revenue import october-revenue.csv
    """
    tell(revenue_intake.record(workspace.books(), file, dry_run=dry_run), dry_run=dry_run)


@click.group()
def shares() -> None:
    """Keep frozen shares of tracks, ours or another provider's."""


@shares.command("import")
@file_argument
@dry_run
@pass_workspace
def import_shares(workspace: Workspace, file: Path, dry_run: bool) -> None:
    """Import frozen shares: track, recording, share_ppb, low_ppb, high_ppb, provider (CSV).

    Each track's shares sum to 1 000 000 000; an empty recording is the unattributed part.

    \b
    Example:  tantieme shares import provider.csv
    """
    tell(shares_intake.record(workspace.books(), file, dry_run=dry_run), dry_run=dry_run)


def tell(receipt: Receipt, *, dry_run: bool = False) -> None:
    """Say what an import did."""
    counts = ", ".join(
        f"{rows:,} rows of {name}" if name[:1].isdigit() else f"{rows:,} {name}"
        for name, rows in receipt.rows.items()
    )
    if receipt.already:
        narrate(f"{receipt.kind}: {counts} already here; nothing changed.")
    elif dry_run:
        narrate(f"{receipt.kind}: {counts} would be imported; nothing was written.")
    else:
        reference = f" as {receipt.snapshot[:12]}" if receipt.snapshot else ""
        narrate(f"{receipt.kind}: {counts} imported{reference}.")
