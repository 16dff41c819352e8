"""What commands print: data to stdout, narration and progress to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from getpass import getuser
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cli.workspace import Workspace
from royalty.period import Period

Command = TypeVar("Command", bound=Callable[..., Any])
Report = Callable[[int, int], None]  # (done, of how many)

FAILED = 5  # the exit code of an audit or a verification that failed
SECONDS_UNTIL_PROGRESS = 2
SECONDS_BETWEEN_LINES = 10

as_json = click.option("--json", "json_", is_flag=True, help="Print a JSON document instead.")
dry_run = click.option("--dry-run", is_flag=True, help="Check and report; write nothing.")
pass_workspace = click.make_pass_decorator(Workspace)


def _login() -> str:
    """Name who is logged in, where the machine knows a name."""
    with suppress(KeyError, OSError):
        return getuser()
    return "unknown"


def _require_name(_ctx: click.Context, _param: click.Parameter, name: str) -> str:
    if not name.strip():
        raise click.UsageError("--as takes a name, and a blank one is nobody's")
    return name


as_name = click.option(
    "--as",
    "name",
    metavar="NAME",
    callback=_require_name,
    envvar="TANTIEME_AS",
    default=_login,
    show_default="your login name",
    help="Who does this; the books keep the name as given.",
)


class PeriodType(click.ParamType[Period]):
    """A month such as 2026-10."""

    name = "period"

    def convert(
        self,
        value: str | Period,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Period:
        """Read the month, or say what one looks like."""
        try:
            return value if isinstance(value, Period) else Period.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


period_argument = click.argument("period", type=PeriodType())


def narrate(message: str = "") -> None:
    """Say what is going on, on stderr."""
    click.echo(message, err=True)


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def print_faults(ctx: click.Context, faults: Sequence[str], sound: str, *, json_: bool) -> None:
    """Print what a verification found, and end with 5 where it found anything."""
    if json_:
        print_json({"schema": 1, "holds": not faults, "faults": list(faults)})
    else:
        for line in faults or [sound]:
            click.echo(line)
    if faults:
        ctx.exit(FAILED)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout; columns whose heading starts with `>` are aligned right."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    if title:
        click.echo(f"{title}\n")
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if right else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def percent(part: float) -> str:
    """Write a part of one as people read it: `12.3 %`."""
    return f"{part:.1%}".replace("%", " %")


@contextmanager
def progress(label: str) -> Iterator[Report]:
    """Show how far a long job is and how much time is left.

    A bar where stderr is a terminal; elsewhere a line now and then.
    """
    shown = _bar if sys.stderr.isatty() else _lines
    with shown(label) as report:
        yield report


@contextmanager
def _bar(label: str) -> Iterator[Report]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _lines(label: str) -> Iterator[Report]:
    """Say nothing of what is done at once, and a line now and then of what is not."""
    started = spoken = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal spoken
        now = time.monotonic()
        pause = SECONDS_BETWEEN_LINES if spoken > started else SECONDS_UNTIL_PROGRESS
        foreseeable = done * 20 >= total or now - started >= SECONDS_BETWEEN_LINES
        if 0 < done < total and foreseeable and now - spoken >= pause:
            spoken = now
            left = (now - started) * (total - done) / done
            narrate(f"{label}: {done:,} of {total:,}, about {left:.0f} s left")

    yield report
    took = time.monotonic() - started
    if took >= SECONDS_UNTIL_PROGRESS:
        narrate(f"{label}: done in {took:.0f} s")
