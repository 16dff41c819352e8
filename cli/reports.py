"""`tantieme statement`, `export`, `trail` and `verify`: reading the books."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import (
    as_json,
    narrate,
    pass_workspace,
    period_argument,
    print_faults,
    print_json,
    print_table,
)
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.period import Period
from royalty.reports.json import statement_json
from royalty.statement import Statement


@click.command()
@click.argument("payee")
@period_argument
@as_json
@pass_workspace
def statement(workspace: Workspace, payee: str, period: Period, json_: bool) -> None:
    """Show what a payee is owed for a closed month, and why, line by line.

    \b
    Example:  tantieme statement bach 2026-10
    """
    owed = queries.statement(EVERYONE, workspace.books(), payee, period)
    if json_:
        click.echo(statement_json(owed), nl=False)
        return
    _print_statement(owed)


def _print_statement(owed: Statement) -> None:
    version = f" ({owed.rule_version})" if " " in owed.rule_version else ""
    click.echo(f"Statement {owed.id}  {owed.payee_name}  rule {owed.rule}{version}\n")
    moves = (
        ("opening", owed.opening),
        ("earned", owed.earned),
        ("adjustments", owed.adjustments),
        ("recouped", -owed.recouped),
        ("reserved", -owed.reserved),
        ("withheld", -owed.withheld),
        ("paid", -owed.paid),
        ("closing", owed.closing),
    )
    print_table("", ["", ">amount"], [(name, str(amount)) for name, amount in moves])
    click.echo(f"\nBy its shares' intervals, earned lies between {owed.low} and {owed.high}.\n")
    rows = [
        (
            line.id,
            line.track or "(divided equally)",
            line.title or (line.recording or ""),
            line.right,
            f"{line.share_ppb / 10**7:.2f} %" if line.track else "",
            str(line.net),
        )
        for line in owed.lines
    ]
    print_table("", ["line", "track", "recording", "right", ">share", ">net"], rows)


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
    """Write the statements of a closed month to a file; the same month gives the same bytes.

    \b
    Example:  tantieme export 2026-10 --format csv
    """
    from cli.jobs.reports import write_export

    narrate(f"{write_export(workspace, period, payee, format_, output)} written.")


@click.command()
@click.argument("id_", metavar="ID")
@as_json
@pass_workspace
def trail(workspace: Workspace, id_: str, json_: bool) -> None:
    """Walk one amount back: line, posting, allocation, share, evidence, run, checkpoint.

    ID is a statement line (2026-10/bach/1) or a posting.

    \b
    Example:  tantieme trail 2026-10/bach/1
    """
    from cli.jobs.reports import walk_back

    steps = walk_back(workspace, id_)
    if json_:
        print_json({"schema": 1, "id": id_, "steps": steps})
        return
    for step in steps:
        click.echo(f"{step['step']:<12}{step['id']}")
        for name, value in step["facts"].items():
            for each in value if isinstance(value, list) else [value]:
                if each is not None:
                    click.echo(f"{'':<12}{name}: {each}")


@click.command()
@as_json
@pass_workspace
@click.pass_context
def verify(ctx: click.Context, workspace: Workspace, json_: bool) -> None:
    """Check books, snapshots, run cards, checkpoints and evidence. Ends with 5 on any fault.

    \b
    Example:  tantieme verify
    """
    from cli.jobs.reports import verify_books

    sound = "Books, snapshots, run cards, checkpoints and evidence are as they were written."
    print_faults(ctx, verify_books(workspace), sound, json_=json_)
