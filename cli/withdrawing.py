"""`tantieme catalogue takedown` and `opt-out`: recordings that are kept back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cli.jobs.withdrawing import Wish, withdraw, withdraw_file
from cli.output import as_name, dry_run, narrate, pass_workspace
from cli.workspace import Workspace
from db.intake.receipt import Receipt
from db.intake.rows import read_text
from royalty.catalogue import USES_OF, Kind, Use

Command = Callable[..., Any]


def read_reason(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    """Read why something is done, in one line of text."""
    try:
        return None if text is None else read_text(text.strip())
    except ValueError as fault:
        raise click.BadParameter(str(fault)) from None


_DAY = click.DateTime(["%Y-%m-%d"])
_OPTIONS = (
    click.argument("recordings", metavar="[RECORDING]...", nargs=-1),
    click.option("--artist", "artists", multiple=True, metavar="ID", help="All of this artist's."),
    click.option(
        "--file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Many at once, of either kind: recording, use, kind, from, to, reason (CSV).",
    ),
    click.option("--from", "begin", type=_DAY, metavar="DAY", help="The first day."),
    click.option(
        "--until",
        "end",
        type=_DAY,
        metavar="DAY",
        help="The first day that is free again; the first day itself takes all of it back.",
    ),
    click.option(
        "--reason",
        callback=read_reason,
        metavar="TEXT",
        help="Why, in words that statements can repeat.",
    ),
    as_name,
    dry_run,
    pass_workspace,
)


def _asking(command: Command) -> Command:
    """Add what both commands ask for."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@_asking
def takedown(workspace: Workspace, /, **asked: Any) -> None:  # noqa: ANN401  options, by name
    """Take recordings down: from a day on they are not trained on, and not paid for output.

    A month goes by its first day. What is closed stays as it is until it is adjusted.

    \b
    Example:  tantieme catalogue takedown r1 --from 2026-11-01 --reason "the owner asked for it"
    """
    _keep_back(workspace, "takedown", USES_OF["both"], asked)


@click.command("opt-out")
@click.option("--use", type=click.Choice(list(USES_OF)), help="What they are kept back from.")
@_asking
def opt_out(workspace: Workspace, /, use: str | None, **asked: Any) -> None:  # noqa: ANN401
    """Keep recordings back from being trained on, from being paid for output, or from both.

    \b
    Example:  tantieme catalogue opt-out r1 --use training --from 2026-11-01 --reason "by choice"
    """
    if use is None and asked["file"] is None:
        raise click.UsageError("say what they are kept back from: --use training, output or both")
    _keep_back(workspace, "opt_out", USES_OF[use or "both"], asked)


def _keep_back(
    workspace: Workspace, kind: Kind, uses: tuple[Use, ...], asked: dict[str, Any]
) -> None:
    who = {"name": asked.pop("name"), "dry_run": asked.pop("dry_run")}
    file = asked.pop("file")
    taken_back = asked["begin"] is not None and asked["begin"] == asked["end"]
    if file is None:
        receipt = withdraw(workspace, _wish(kind, uses, **asked), **who)
    elif any(asked.values()):
        raise click.UsageError("a file says which, when and why; leave the rest out")
    else:
        receipt = withdraw_file(workspace, file, **who)
    _tell(receipt, "not kept back any more" if taken_back else "kept back", dry_run=who["dry_run"])


def _wish(  # noqa: PLR0913  as many as there are options
    kind: Kind,
    uses: tuple[Use, ...],
    *,
    recordings: tuple[str, ...],
    artists: tuple[str, ...],
    begin: datetime | None,
    end: datetime | None,
    reason: str | None,
) -> Wish:
    if not recordings and not artists:
        raise click.UsageError("name recordings, or --artist ID, or --file FILE")
    if begin is None or not reason:
        raise click.UsageError("say since when and why: --from DAY --reason TEXT")
    if end is not None and end < begin:
        raise click.UsageError(f"--until {end.date()} is before --from {begin.date()}")
    return Wish(
        recordings=recordings,
        artists=artists,
        kind=kind,
        uses=uses,
        reason=reason,
        valid_from=begin.date(),
        valid_to=None if end is None else end.date(),
    )


def _tell(receipt: Receipt, kept: str, *, dry_run: bool) -> None:
    count = receipt.rows["recordings"]
    what = f"{count:,} recording{'' if count == 1 else 's'}"
    if receipt.already:
        narrate(f"{what}: {kept} like that already; nothing changed.")
    elif dry_run:
        narrate(f"{what} would be {kept}; nothing was written.")
    else:
        narrate(f"{what} {kept}. See 'tantieme catalogue show'.")
