"""`tantieme usage show` and `withdraw`, and the same of revenue: what came in, and what counts."""

from __future__ import annotations

from typing import Any

import click

from cli.output import (
    PeriodType,
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    print_json,
    print_table,
)
from cli.withdrawing import read_reason
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE, CameRow
from royalty.period import Period

ID = 12  # characters of a snapshot's hash that name it


def show(kind: str) -> click.Command:
    """Make the command that lists what came in of a kind."""

    @click.command("show", help=_SHOW.format(kind=kind))
    @click.argument("period", type=PeriodType(), required=False)
    @as_json
    @pass_workspace
    def command(workspace: Workspace, period: Period | None, json_: bool) -> None:
        rows = queries.came(EVERYONE, workspace.books(), kind, period)
        if json_:
            print_json({"schema": 1, kind: [_document(row) for row in rows]})
        elif rows:
            print_table(
                "", ["id", "month", ">rows", "file", "state"], [_cells(row) for row in rows]
            )
        else:
            narrate(f"No {kind} came in{f' for {period}' if period else ' yet'}.")

    return command


def withdraw(kind: str) -> click.Command:
    """Make the command that withdraws what came in of a kind."""

    @click.command("withdraw", help=_WITHDRAW.format(kind=kind))
    @click.argument("id_", metavar="ID")
    @click.option("--reason", callback=read_reason, required=True, metavar="TEXT", help="Why.")
    @as_name
    @dry_run
    @pass_workspace
    def command(workspace: Workspace, id_: str, reason: str, name: str, dry_run: bool) -> None:
        from db.books.inputs import withdraw_input

        if not reason:
            raise click.UsageError("say why: --reason TEXT")
        books = workspace.books()
        row = withdraw_input(books, kind, id_, reason=reason, name=name, dry_run=dry_run)
        done = "would be withdrawn; nothing was written" if dry_run else "are withdrawn"
        narrate(f"{kind}: {row.rows:,} rows of {row.period} from {row.source} {done}.")

    return command


def _cells(row: CameRow) -> tuple[str, ...]:
    late = "late, " if row.late else ""
    return row.snapshot[:ID], str(row.period), f"{row.rows:,}", row.source, f"{late}{_state(row)}"


def _state(row: CameRow) -> str:
    if row.withdrawn is not None:
        return f"withdrawn: {row.withdrawn}"
    if row.late:
        return "adjusted" if row.used else "not adjusted"
    return "closed" if row.used else "open"


def _document(row: CameRow) -> dict[str, Any]:
    facts = {"id": row.snapshot, "period": str(row.period), "rows": row.rows, "file": row.source}
    state = {"late": row.late, "used": row.used, "withdrawn": row.withdrawn}
    return facts | state


_SHOW = """List the {kind} that came in, file by file, of all months or of one.

\b
Example:  tantieme {kind} show 2026-10
"""
_WITHDRAW = """Withdraw {kind} of a month that is open, or that came late and adjusted nothing yet.

ID is what the import printed, or the beginning of it. What is withdrawn stays in the books and
counts no more; previews have to be computed anew. The same file may be imported again.

\b
Example:  tantieme {kind} withdraw 3f2a91c04be7 --reason "the file was of another app"
"""
