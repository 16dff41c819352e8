"""Which run and index each month was paid by: from the books, and from the indexes still here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.jobs.evidence import is_ours
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE, VersionRow

_PARTS = ("index", "method", "gate", "mapping")  # of a provider that is us, in their order


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthVersion:
    """A month by a rule, and what attributed its tracks."""

    row: VersionRow
    ours: Mapping[str, str] | None  # index, method, gate, mapping; None: the shares were imported
    index_runs: Sequence[str] | None  # that the index is of; None: it is not here any more


def month_versions(workspace: Workspace) -> list[MonthVersion]:
    """List all computed months with the model and the attribution behind them."""
    rows = queries.versions(EVERYONE, workspace.books())
    runs = _runs_of_indexes(workspace) if any(is_ours(row.provider) for row in rows) else {}
    return [_version(row, runs) for row in rows]


def _version(row: VersionRow, runs: Mapping[str, Sequence[str]]) -> MonthVersion:
    if not is_ours(row.provider):
        return MonthVersion(row=row, ours=None, index_runs=None)
    ours = dict(zip(_PARTS, row.provider.split(":")[1:], strict=False))
    # What an index was amended by stands behind a hyphen, and its folder keeps its name.
    folder = ours["index"].partition("-")[0]
    return MonthVersion(row=row, ours=ours, index_runs=runs.get(folder))


def _runs_of_indexes(workspace: Workspace) -> dict[str, Sequence[str]]:
    """Read off each index of the workspace which runs it is of."""
    from attribution.index import read_manifest
    from cli.jobs.index import finished_indexes

    return {
        directory.name: sorted({each["run"] for each in read_manifest(directory)["members"]})
        for directory in finished_indexes(workspace)
    }
