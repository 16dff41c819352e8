"""`tantieme verify`: tell whether everything is as it was written."""

from __future__ import annotations

import re
from pathlib import Path

import click

from cli.output import FAILED, as_json, pass_workspace, print_faults, print_json
from cli.workspace import Workspace
from db import queries


class RootType(click.ParamType[str]):
    """A Merkle root, or another hash: 64 hexadecimal digits."""

    name = "root"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the digits, or say what a root looks like."""
        if re.fullmatch(r"[0-9a-fA-F]{64}", value.strip()) is None:
            self.fail(f"'{value}' is no root; one has 64 hexadecimal digits", param, ctx)
        return value.strip().lower()


@click.command()
@click.argument("pack", type=click.Path(path_type=Path, exists=True), required=False)
@click.option(
    "--root",
    type=RootType(),
    default=None,
    help="Find the month that has this root instead; of a PACK: the root it has to be under.",
)
@click.option(
    "--manifest",
    type=RootType(),
    default=None,
    help="Of a PACK: the hash its manifest has to have.",
)
@as_json
@pass_workspace
@click.pass_context
def verify(  # noqa: PLR0913, PLR0917  what click passes
    ctx: click.Context,
    workspace: Workspace,
    pack: Path | None,
    root: str | None,
    manifest: str | None,
    json_: bool,
) -> None:
    """Check books, snapshots, run cards, checkpoints and evidence. Ends with 5 on any fault.

    With the root that `close` printed, say which closed month it is of: the month's postings, what
    payees' accounts stand at and the lines are then those that it was closed with, to the micro.
    Ends with 5 where none has it.

    With PACK, an evidence pack that `export` wrote, check that alone; no workspace is needed.
    Give it the root that `close` printed: a forged pack agrees with itself as well. The root fixes
    the payee's money; the hash of the manifest, which this prints, fixes every byte.

    \b
    Example:  tantieme verify
              tantieme verify --root 5f1c…
              tantieme verify bob.zip --root 5f1c…
    """
    if pack is not None:
        _verify_pack(ctx, pack, (root, manifest), json_=json_)
        return
    if manifest is not None:
        raise click.UsageError("--manifest is of a PACK; name the file too")
    if root is not None:
        _verify_root(ctx, workspace, root, json_=json_)
        return
    from cli.jobs.verifying import verify_books

    sound = "Books, snapshots, run cards, checkpoints and evidence are as they were written."
    print_faults(ctx, verify_books(workspace), sound, json_=json_)


def _verify_pack(
    ctx: click.Context, pack: Path, given: tuple[str | None, str | None], *, json_: bool
) -> None:
    """Check an evidence pack, as the `verify.py` in it does."""
    from royalty.reports import pack_verify

    try:
        checked = pack_verify.check(pack, *given)
    except pack_verify.NotAPack as fault:
        print_faults(ctx, [str(fault)], "", json_=json_)
        return
    if json_:
        print_json({"schema": 1, **pack_verify.document(checked)})
    else:
        click.echo(pack_verify.said(checked))
    if checked.faults:
        ctx.exit(FAILED)


def _verify_root(ctx: click.Context, workspace: Workspace, root: str, *, json_: bool) -> None:
    """Say which month has a root, and end with 5 where none has."""
    found = queries.find_root(workspace.books(), root)
    holds = found is not None and found.posted == root
    if json_:
        period = None if found is None else str(found.period)
        print_json({"schema": 1, "root": root, "holds": holds, "period": period})
    elif found is None:
        click.echo(f"No closed month has root {root}: it is of other books, or these changed.")
    elif holds:
        click.echo(f"{found.period} has that root: its money is what it was closed with.")
    else:
        click.echo(f"{found.period} was closed with that root; its money was changed since.")
    if not holds:
        ctx.exit(FAILED)
