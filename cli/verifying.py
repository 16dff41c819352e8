"""`tantieme verify`: tell whether everything is as it was written."""

from __future__ import annotations

import re

import click

from cli.output import FAILED, as_json, pass_workspace, print_faults, print_json
from cli.workspace import Workspace
from db import queries


class RootType(click.ParamType[str]):
    """A Merkle root: 64 hexadecimal digits."""

    name = "root"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the digits, or say what a root looks like."""
        if re.fullmatch(r"[0-9a-fA-F]{64}", value.strip()) is None:
            self.fail(f"'{value}' is no root; one has 64 hexadecimal digits", param, ctx)
        return value.strip().lower()


@click.command()
@click.option(
    "--root", type=RootType(), default=None, help="Find the month that has this root instead."
)
@as_json
@pass_workspace
@click.pass_context
def verify(ctx: click.Context, workspace: Workspace, root: str | None, json_: bool) -> None:
    """Check books, snapshots, run cards, checkpoints and evidence. Ends with 5 on any fault.

    With the root that `close` printed, say which closed month it is of: the month's postings are
    then, to the last one, those that it was closed with. Ends with 5 where none has it.

    \b
    Example:  tantieme verify
              tantieme verify --root 5f1c…
    """
    if root is not None:
        _verify_root(ctx, workspace, root, json_=json_)
        return
    from cli.jobs.verifying import verify_books

    sound = "Books, snapshots, run cards, checkpoints and evidence are as they were written."
    print_faults(ctx, verify_books(workspace), sound, json_=json_)


def _verify_root(ctx: click.Context, workspace: Workspace, root: str, *, json_: bool) -> None:
    """Say which month's postings have a root, and end with 5 where none do."""
    found = queries.find_root(workspace.books(), root)
    holds = found is not None and found.posted == root
    if json_:
        period = None if found is None else str(found.period)
        print_json({"schema": 1, "root": root, "holds": holds, "period": period})
    elif found is None:
        click.echo(f"No closed month has root {root}: it is of other books, or postings changed.")
    elif holds:
        click.echo(f"{found.period} has that root: its postings are those it was closed with.")
    else:
        click.echo(f"{found.period} was closed with that root; its postings were changed since.")
    if not holds:
        ctx.exit(FAILED)
