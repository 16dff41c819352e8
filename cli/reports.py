"""`tantieme statement`, `export` and `trail`: reading the books."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import (
    as_json,
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
from royalty.reports.json import statement_json


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
@click.option("--payee", default=None, help="Only this payee's lines.")
@click.option("--format", "format_", type=click.Choice(["csv", "json"]), required=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=None,
    help="The file to write.  [default: HOME/reports/PERIOD/…]",
)
@pass_workspace
def export(
    workspace: Workspace, period: Period, payee: str | None, format_: str, output: Path | None
) -> None:
    """Write the statements of a closed month to a file: every line, and what else moved accounts.

    The same month gives the same bytes.

    \b
    Example:  tantieme export 2026-10 --format csv
              tantieme export 2026-10 --payee bach --format json
    """
    from cli.jobs.reports import write_export

    narrate(f"{write_export(workspace, period, payee, format_, output)} written.")


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
