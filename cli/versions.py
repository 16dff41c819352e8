"""`tantieme model months`: which months used which run and index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.output import as_json, narrate, pass_workspace, print_json, print_table
from cli.workspace import Workspace

if TYPE_CHECKING:
    from cli.jobs.versions import MonthVersion

_ELSEWHERE = "made elsewhere"


@click.command()
@as_json
@pass_workspace
def months(workspace: Workspace, json_: bool) -> None:
    """Show by which run and index each month was paid.

    A closed month is shown by the rule that closed it, an open one by each that it is previewed by.
    What a month was paid by stays: 'tantieme audit PERIOD reproduce' comes to the same amounts
    under an index that is long gone, since the shares themselves are kept.

    \b
    Example:  tantieme model months
    """
    from cli.jobs.versions import month_versions

    found = month_versions(workspace)
    if json_:
        print_json({"schema": 1, "months": [_document(each) for each in found]})
    elif found:
        columns = ["month", "rule", "shares", "method", "runs of the index", "tracks by run"]
        print_table("", columns, [_cells(each) for each in found])
    else:
        narrate("No month is computed yet; run 'tantieme payouts PERIOD'.")


def _cells(each: MonthVersion) -> tuple[str, ...]:
    row = each.row
    month = f"{row.period}" if row.status == "closed" else f"{row.period} (open)"
    tracks = ", ".join(f"{count} {run or _ELSEWHERE}" for run, count in sorted(row.tracks.items()))
    if each.ours is None:
        return month, row.rule, f"imported from {row.provider}", "", "", tracks
    method = "/".join((each.ours["method"], each.ours["gate"], each.ours["mapping"]))
    runs = "not here any more" if each.index_runs is None else ", ".join(each.index_runs)
    return month, row.rule, f"index {each.ours['index']}", method, runs, tracks


def _document(each: MonthVersion) -> dict[str, object]:
    row = each.row
    return {
        "period": str(row.period),
        "status": row.status,
        "rule": row.rule,
        "provider": row.provider,
        "imported": each.ours is None,
        "attribution": None if each.ours is None else dict(each.ours),
        "index_runs": None if each.index_runs is None else list(each.index_runs),
        "tracks": [{"run": run or None, "count": row.tracks[run]} for run in sorted(row.tracks)],
    }
