"""The command `tantieme`: finds the workspace, runs one command, says how it ended.

Commands stand in one file a group and are imported only when they are called, so that the
money commands start without torch.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path

import click

from cli.workspace import Workspace
from royalty.errors import BadInput, RoyaltyError

# PyTorch's threads otherwise spin while they wait, and starve each other on a machine that does
# anything else beside. Read when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

COMMANDS = {
    "demo": "cli.demo:demo",
    "init": "cli.setup:init",
    "doctor": "cli.setup:doctor",
    "catalogue": "cli.catalogue:catalogue",
    "train": "cli.training:train",
    "generate": "cli.training:generate",
    "model": "cli.model:model",
    "index": "cli.index:index",
    "attribute": "cli.attribution:attribute",
    "evaluate": "cli.evaluate:evaluate",
    "shares": "cli.intake:shares",
    "usage": "cli.intake:usage",
    "revenue": "cli.intake:revenue",
    "fx": "cli.fx:fx",
    "payouts": "cli.payouts:payouts",
    "approve": "cli.approval:approve",
    "close": "cli.payouts:close",
    "hold": "cli.holds:hold",
    "release": "cli.holds:release",
    "dispute": "cli.disputes:dispute",
    "suspense": "cli.suspense:suspense",
    "adjust": "cli.adjusting:adjust",
    "reverse": "cli.adjusting:reverse",
    "pay": "cli.payments:pay",
    "payment": "cli.payments:payment",
    "statement": "cli.reports:statement",
    "export": "cli.reports:export",
    "trail": "cli.reports:trail",
    "audit": "cli.audits:audit",
    "verify": "cli.verifying:verify",
    "dashboard": "cli.dashboard:dashboard",
}
DONE, BUG, REFUSED, BAD_INPUT, INTERRUPTED = 0, 1, 3, 4, 130  # 2 is click's, 5 is `ctx.exit(5)`


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the commands in the order of the work."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TANTIEME_HOME",
    default=Path("tantieme-home"),
    show_default=True,
    help="The workspace: everything this command reads and writes.",
)
@click.option(
    "--database",
    envvar="TANTIEME_DATABASE_URL",
    default=None,
    help="The ledger's database.  [default: sqlite:///HOME/ledger.db]",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="tantieme")
@click.pass_context
def tantieme(ctx: click.Context, home: Path, database: str | None, debug: bool) -> None:
    """Work out which recordings shaped each generated track, and pay the people behind them.

    Exit codes: 0 done, 1 our bug, 2 usage, 3 refused by a rule, 4 bad input,
    5 audit or verification failed, 130 interrupted.
    """
    ctx.obj = Workspace(home=home, database=database)
    ctx.meta["debug"] = debug


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    try:
        return tantieme.main(arguments, standalone_mode=False) or DONE
    except click.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as misuse:
        misuse.show()
        return misuse.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence turns every error into a sentence
        if debug:
            traceback.print_exc()
        return _explain(error)


def _explain(error: Exception) -> int:
    if isinstance(error, BadInput):
        count = len(error.problems)
        click.echo(f"Error: {count} fault{'s' * (count != 1)}; nothing was changed.", err=True)
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        return BAD_INPUT
    if isinstance(error, RoyaltyError) or _is_refusal_of_the_engine(error):
        click.echo(f"Error: {error}", err=True)
        return REFUSED
    if shortage := _shortage(error):
        click.echo(f"Error: {shortage}", err=True)
        return REFUSED
    click.echo(
        f"Error: {type(error).__name__}: {error}\n"
        "This is a fault of ours; run it again with --debug before the command to see where.",
        err=True,
    )
    return BUG


def _shortage(error: Exception) -> str:
    """Say what DuckDB ran out of, if that is it, without importing DuckDB to find out."""
    engines = sys.modules.get("db.engines")
    return "" if engines is None else str(engines.shortage(error))


def _is_refusal_of_the_engine(error: Exception) -> bool:
    """Tell the engine's refusals without importing the engine, which would import torch."""
    errors = sys.modules.get("attribution.errors")
    return errors is not None and isinstance(error, errors.AttributionError)


if __name__ == "__main__":
    sys.exit(main())
