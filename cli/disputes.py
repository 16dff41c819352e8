"""`tantieme dispute`: hold a contested amount, and score the track again, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.holds import amount_option, made_json, reason_option, said_of
from cli.jobs.holding import Asked, Filed, why_not
from cli.jobs.holding import dispute as file_dispute
from cli.output import (
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    print_json,
    print_table,
    progress,
)
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.jobs.disputing import Rescored
    from royalty.disputes import Beside, ByExact, Found
    from royalty.shares import Share


@click.command()
@click.argument("what", metavar="ID")
@click.option("--payee", metavar="PAYEE", default=None, help="Whose part of it, of a TRACK.")
@amount_option
@reason_option
@click.option("--no-rescore", is_flag=True, help="File it only; do not score the track again.")
@as_name
@dry_run
@as_json
@pass_workspace
def dispute(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    what: str,
    payee: str | None,
    micros: int | None,
    reason: str,
    no_rescore: bool,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    """Contest what shaped a track: hold the amount, and score the track again, exactly.

    ID is a statement line of a track (2026-10/ann/1), or a track with --payee: what that payee
    earned by it in the latest month it earned in. First the amount goes to suspense.disputed. Then
    exact EK-FAC scores the track; both answers are kept and shown side by side. If that is
    interrupted, the same command goes on. --amount 0 disputes what was paid already.

    \b
    Example:  tantieme dispute 2026-10/bach/1 --reason "my recording is not in it"
              tantieme dispute t1a2b3c4d --payee bach --reason "my part is larger"
    """
    asked = Asked(id=what, payee=payee, reason=reason, name=name, micros=micros)
    filed = file_dispute(workspace, asked, dry_run=dry_run)
    narrate(said_of(filed.made, "disputed", dry_run=dry_run))
    found, why = None, why_not(filed)
    if why:
        narrate(f"Filed, and not scored again: {why}.")
    elif not (no_rescore or dry_run):
        found = _rescored(workspace, filed)
    if json_:
        made = made_json(filed.made, dry_run=dry_run)
        print_json({"schema": 1, **made, **_dispute_json(filed, found, why)})
    elif found:
        _print_rescored(workspace, filed, found)


def _rescored(workspace: Workspace, filed: Filed) -> Rescored:
    from cli.jobs.disputing import rescore

    with progress("Scoring exactly") as report:
        return rescore(workspace, filed, report)


def _print_rescored(workspace: Workspace, filed: Filed, found: Rescored) -> None:
    named = _titles(workspace)
    click.echo(
        f"{filed.track}, by what was paid ({found.paid.method}) and exactly "
        f"({found.exact.method}); 90 % intervals\n"
    )
    rows = [
        (*named.get(row.recording, (row.recording, "")), *_cells(row.paid), *_cells(row.exact))
        for row in found.rows
    ]
    rest = (*_cells(found.paid.unattributed), *_cells(found.exact.unattributed))
    print_table(
        "",
        ["recording", "artist", ">paid by", ">interval", ">exactly", ">interval"],
        [*rows, ("unattributed", "", *rest)],
    )
    click.echo()
    if found.lines:
        print_table(
            "What the lines would come to by the exact shares, in proportion:",
            ["line", ">paid by", ">exactly", ">interval"],
            [
                (each.line, str(each.net), str(each.exact), f"{each.low} to {each.high}")
                for each in found.lines
            ],
        )
        click.echo()
    narrate(
        f"Both answers are kept. End it with 'tantieme release {filed.made.id} --reason TEXT': "
        "--dismissed, or --upheld to make the exact shares hold."
    )


def _titles(workspace: Workspace) -> dict[str, tuple[str, str]]:
    rows = queries.recordings(EVERYONE, workspace.books())
    return {row.recording.id: (row.recording.title, row.artist_name) for row in rows}


def _cells(share: Share) -> tuple[str, str]:
    low, high = (f"{ppb / 10**7:.1f}" for ppb in (share.low_ppb, share.high_ppb))
    return f"{share.ppb / 10**7:.1f} %", f"{low} to {high} %"


def _dispute_json(filed: Filed, found: Rescored | None, why: str) -> dict[str, Any]:
    return {
        "subject": filed.owed.subject,
        "payee": filed.owed.payee,
        "track": filed.track,
        "rescored": found is not None,
        "why_not": why or None,
        "methods": _methods(found),
        "recordings": [_beside(row) for row in found.rows] if found else [],
        "unattributed": _unattributed(found),
        "lines": [_restated(each) for each in found.lines] if found else [],
    }


def _methods(found: Rescored | None) -> Mapping[str, Any] | None:
    if found is None:
        return None
    return {name: _method(each) for name, each in (("paid", found.paid), ("exact", found.exact))}


def _method(found: Found) -> dict[str, str]:
    return {"method": found.method, "mapping": found.mapping, "index": found.index}


def _unattributed(found: Rescored | None) -> Mapping[str, Any] | None:
    if found is None:
        return None
    return {
        "paid": _share(found.paid.unattributed),
        "exact": _share(found.exact.unattributed),
    }


def _beside(row: Beside) -> dict[str, Any]:
    return {
        "id": row.recording,
        "disputed": row.disputed,
        "paid": _share(row.paid),
        "exact": _share(row.exact),
    }


def _share(share: Share) -> dict[str, int]:
    return {"share_ppb": share.ppb, "low_ppb": share.low_ppb, "high_ppb": share.high_ppb}


def _restated(each: ByExact) -> dict[str, Any]:
    return {
        "line": each.line,
        "net": each.net.json,
        "exact": each.exact.json,
        "low": each.low.json,
        "high": each.high.json,
    }
