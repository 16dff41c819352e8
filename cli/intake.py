"""`tantieme usage`, `revenue` and `shares`: what comes in for months."""

from __future__ import annotations

from pathlib import Path

import click

from cli.inputs import ID, show, withdraw
from cli.output import as_name, dry_run, narrate, pass_workspace
from cli.workspace import Workspace
from db.intake import revenue as revenue_intake
from db.intake import shares as shares_intake
from db.intake import usage as usage_intake
from db.intake.receipt import Receipt

file_argument = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
late_option = click.option(
    "--late", is_flag=True, help="For closed months: 'tantieme adjust' then posts what it changes."
)


@click.group()
def usage() -> None:
    """Keep who played what, how often."""


@usage.command("import")
@file_argument
@late_option
@as_name
@dry_run
@pass_workspace
def import_usage(workspace: Workspace, file: Path, late: bool, name: str, dry_run: bool) -> None:
    """Import counted plays: period, listener, track, source, territory, plays (CSV or Parquet).

    A further column `active` says how many of the plays the listener asked for.

    \b
    Example:  tantieme usage import october.csv
              tantieme usage import october-again.csv --late
    """
    books = workspace.books()
    receipt = usage_intake.record(books, file, late=late, name=name, dry_run=dry_run)
    tell(receipt, dry_run=dry_run)


@click.group()
def revenue() -> None:
    """Keep what each listener brought in."""


@revenue.command("import")
@file_argument
@late_option
@as_name
@dry_run
@pass_workspace
def import_revenue(workspace: Workspace, file: Path, late: bool, name: str, dry_run: bool) -> None:
    """Import net money: period, listener, source, territory, currency, net (CSV or Parquet).

    A further column `track` says which track the money is booked against. One source pays in one
    currency in one territory.

    \b
    Example:  tantieme revenue import october-revenue.csv
              tantieme revenue import october-again.csv --late
    """
    books = workspace.books()
    receipt = revenue_intake.record(books, file, late=late, name=name, dry_run=dry_run)
    tell(receipt, dry_run=dry_run)


@click.group()
def shares() -> None:
    """Keep frozen shares of tracks, ours or another provider's."""


@shares.command("import")
@file_argument
@click.option(
    "--correct", is_flag=True, help="Take these in place of what a provider stated before."
)
@as_name
@dry_run
@pass_workspace
def import_shares(
    workspace: Workspace, file: Path, correct: bool, name: str, dry_run: bool
) -> None:
    """Import frozen shares: track, recording, share_ppb, low_ppb, high_ppb, provider (CSV).

    Each track's shares sum to 1 000 000 000; an empty recording is the unattributed part. Shares
    are frozen: those that correct others stand beside them, and closed months keep theirs until
    they are adjusted.

    \b
    Example:  tantieme shares import provider.csv
              tantieme shares import provider-again.csv --correct
    """
    books = workspace.books()
    receipt = shares_intake.record(books, file, correct=correct, name=name, dry_run=dry_run)
    tell(receipt, dry_run=dry_run)


@shares.command("export")
@click.option("--provider", default=None, metavar="NAME", help="Only what this provider stated.")
@click.option("--track", "tracks", multiple=True, metavar="ID", help="Only this track; repeatable.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The file to write.  [default: HOME/reports/shares.csv]",
)
@dry_run
@pass_workspace
def export_shares(
    workspace: Workspace,
    provider: str | None,
    tracks: tuple[str, ...],
    output: Path | None,
    dry_run: bool,
) -> None:
    """Write the shares that hold now, ours or another provider's, as 'shares import' reads them.

    \b
    Example:  tantieme shares export --output ours.csv
    """
    from cli.jobs.shares import export_shares as write

    done = write(workspace, output, provider=provider, tracks=tracks, dry_run=dry_run)
    what = f"{done.shares:,} shares of {done.tracks:,} track{'s' * (done.tracks != 1)}"
    how = f"would be written to {done.path}; nothing was" if dry_run else f"are in {done.path}"
    narrate(f"{what} {how}.")


for group, kind in ((usage, "usage"), (revenue, "revenue")):
    group.add_command(show(kind))
    group.add_command(withdraw(kind))


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
        ids = ", ".join(each[:ID] for each in receipt.snapshots)
        reference = f" as {ids}" if ids else ""
        narrate(f"{receipt.kind}: {counts} imported{reference}.")
        _tell_what_next(receipt)


def _tell_what_next(receipt: Receipt) -> None:
    if receipt.late:
        for period in receipt.rows:
            narrate(f"'tantieme adjust {period}' posts what that changes.")
    if receipt.corrected:
        narrate(
            f"Of {receipt.corrected:,} track{'s' * (receipt.corrected > 1)} shares were stated anew"
            "; 'tantieme adjust PERIOD' posts what that changes in a closed month."
        )
