"""`tantieme statement`, `export` and `trail`: reading the books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cli.output import (
    as_json,
    dry_run,
    narrate,
    pass_workspace,
    period_argument,
    print_json,
)
from cli.statements import print_statement
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.period import Period
from royalty.reports import pack_verify
from royalty.reports.json import statement_json

REPORTS = ("statements", "account", "payments", "suspense", "pools", "rules")
FORMATS = ("csv", "xlsx", "pdf", "rdr", "evidence", "json")


@click.command()
@click.argument("payee")
@period_argument
@as_json
@pass_workspace
def statement(workspace: Workspace, payee: str, period: Period, json_: bool) -> None:
    """Show what a payee is owed for a closed month, and why: movements, notes, the largest lines.

    \b
    Example:  tantieme statement bach 2026-10
    """
    from cli.jobs.reports import runs_behind

    owed = queries.statement(EVERYONE, workspace.books(), payee, period)
    if json_:
        click.echo(statement_json(owed), nl=False)
        return
    print_statement(owed, one_run=len(runs_behind(workspace, owed)) == 1)


@click.command()
@period_argument
@click.option(
    "--report",
    type=click.Choice(REPORTS),
    default="statements",
    show_default=True,
    help="What to write.",
)
@click.option("--payee", default=None, help="Only this payee's.")
@click.option("--format", "format_", type=click.Choice(FORMATS), required=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=None,
    help="The file to write, or the folder of many.  [default: HOME/reports/PERIOD/…]",
)
@dry_run
@pass_workspace
def export(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    period: Period,
    report: str,
    payee: str | None,
    format_: str,
    output: Path | None,
    dry_run: bool,
) -> None:
    """Write a report of a closed month to a file.

    \b
    statements  every line, and what else moved accounts; also as DDEX RDR-R (rdr),
                and with all that one payee needs to check them (evidence)
    account     all that was ever posted to payees' accounts, with running balances
    payments    what the bank is to pay, as 'tantieme pay' wrote it
    suspense    what waits for an owner or is held, by age on the month's last day
    pools       what came in, and where all of it went
    rules       the month by every rule that it was computed by

    The same month gives the same bytes.

    \b
    Example:  tantieme export 2026-10 --format csv
              tantieme export 2026-10 --payee bach --format json
              tantieme export 2026-10 --report pools --format xlsx --dry-run
    """
    from cli.jobs import exporting

    wanted = exporting.Wanted(
        period=period, report=report, format=format_, payee=payee, output=output
    )
    if fault := exporting.fault_of(wanted):
        raise click.UsageError(fault)
    paths = exporting.export(workspace, wanted, dry_run=dry_run)
    narrate(_said(paths, dry_run=dry_run))
    if format_ == "evidence" and not dry_run:
        narrate(_to_check(paths[0]))


def _to_check(pack: Path) -> str:
    """Say what fixes every byte of a pack, beside the root that fixes its money."""
    manifest = pack_verify.check(pack).manifest_sha256
    return (
        f"Its manifest has the hash {manifest}.\n"
        f"Who has the root of the month and this hash checks every byte of it: 'tantieme verify "
        f"{pack} --root ROOT --manifest HASH', or its own verify.py with Python 3.10 or newer."
    )


def _said(paths: Sequence[Path], *, dry_run: bool) -> str:
    if not paths:
        return "No payee has a statement of that month; nothing was written."
    what = paths[0] if len(paths) == 1 else f"{len(paths):,} files in {paths[0].parent}"
    return f"{what} would be written; nothing was." if dry_run else f"{what} written."


@click.command()
@click.argument("id_", metavar="ID")
@as_json
@pass_workspace
def trail(workspace: Workspace, id_: str, json_: bool) -> None:
    """Walk one amount back: line, posting, allocation, share, evidence, run, checkpoint.

    ID is a line or a movement of a statement (2026-10/bach/1), or a posting (12.3). A movement
    walks back to its hold, payment or restatement, and to what it corrects.

    \b
    Example:  tantieme trail 2026-10/bach/1
              tantieme trail 12.3
    """
    from cli.jobs.reports import walk_back

    steps = walk_back(workspace, id_)
    if json_:
        print_json({"schema": 1, "id": id_, "steps": steps})
        return
    for step in steps:
        click.echo(f"{step['step']:<13}{step['id']}")
        for name, value in step["facts"].items():
            for each in value if isinstance(value, list) else [value]:
                if each is not None:
                    click.echo(f"{'':<13}{name}: {each}")
