"""Write frozen shares for others: the file that `tantieme shares import` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attribution.files import write_whole
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.reports.shares import shares_csv


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written, or would be."""

    path: Path
    tracks: int
    shares: int


def export_shares(
    workspace: Workspace,
    output: Path | None,
    *,
    provider: str | None = None,
    tracks: Sequence[str] = (),
    dry_run: bool = False,
) -> Exported:
    """Write the shares that hold now; the same shares give the same bytes. Raises `NotFound`."""
    found = queries.shares_now(
        EVERYONE, workspace.books(), provider=provider, tracks=sorted(set(tracks))
    )
    path = output or workspace.home / "reports" / "shares.csv"
    if not dry_run:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, shares_csv(found.to_pylist()))
    return Exported(path=path, tracks=len(found["track"].unique()), shares=len(found))
