"""What becomes of the indexes when a recording may no longer be used, or may again."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from attribution.amending import append, bring_back, drift, options_of, taken_down
from attribution.index import Index, IndexOptions, Manifest, open_index, read_manifest, read_names
from attribution.methods.attribute import device
from attribution.models.event_transformer import event_task
from attribution.task import Execution, Rows, rows_sha256
from cli.jobs.index import (
    DONE,
    Planned,
    finished_indexes,
    name_of,
    plan_index,
)
from cli.jobs.recipes import Wanted
from cli.jobs.removed import keep_removed, removed_recordings, without
from cli.output import Report
from cli.workspace import Workspace
from royalty.errors import NotFound, NotReady, RoyaltyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """What an amendment did to one index, or would do."""

    id: str  # as it is named afterwards; as before, where nothing was written
    before: str
    rows: int  # hidden, shown again, or appended
    taken_down: int  # train rows in all
    drift: float
    rebuild: bool  # whether the drift calls for it


def remove_recordings(
    workspace: Workspace, names: Sequence[str], *, dry_run: bool = False
) -> list[Amended]:
    """Take recordings down in every index of the workspace, and in those built later.

    Raises `NotReady` where no index is, `NotFound` for a recording that none holds, and
    `RoyaltyError` for a placebo, and where an index would be left without a row.
    """
    indexes = _opened(workspace)
    _check_known(indexes, names)
    _check_no_placebo(indexes, names)
    removed = removed_recordings(workspace) | set(names)
    for index in indexes:
        if set(index.owners["train"]) <= removed:
            raise RoyaltyError(
                f"no recording would be left in index {name_of(index)}; delete its folder instead"
            )
    after = indexes
    if not dry_run:
        keep_removed(workspace, removed)
        after = [without(index, removed) for index in indexes]
    return [
        _amended(new, name_of(old), _rows_of(old, names, hidden=False))
        for old, new in zip(indexes, after, strict=True)
    ]


def add_recordings(
    workspace: Workspace, names: Sequence[str], *, dry_run: bool = False
) -> list[Amended]:
    """Show recordings that were removed again, in every index of the workspace.

    Raises `NotReady` where no index is, and `NotFound` for a recording that none holds.
    """
    indexes = _opened(workspace)
    _check_known(indexes, names)
    after = indexes
    if not dry_run:
        keep_removed(workspace, removed_recordings(workspace) - set(names))
        after = [_shown(index, names) for index in indexes]
    return [
        _amended(new, name_of(old), _rows_of(old, names, hidden=True))
        for old, new in zip(indexes, after, strict=True)
    ]


def _shown(index: Index, names: Iterable[str]) -> Index:
    back = taken_down(index) & set(names)
    return bring_back(index.directory, back) if back else index


def add_placebos(workspace: Workspace, wanted: Wanted, report: Report) -> Amended:
    """Make the index that knows the catalogue's placebos from one that lacks some of them.

    The rows of the index that is here are copied, those of the new placebos computed: as curvature
    is of what was trained on, they equal a rebuild's. Raises `NotReady` where no such index is.
    """
    planned = plan_index(workspace, wanted)
    if (planned.directory / DONE).exists():
        index = open_index(planned.directory)
        return _amended(index, name_of(index), 0)
    found = [path for path in finished_indexes(workspace) if _lacks_placebos(path, planned)]
    if not found:
        raise NotReady(
            "no index is here that lacks nothing but placebos; run 'tantieme index build', which "
            "takes in all of them"
        )
    before = max(found, key=lambda path: len(_placebos(path)))
    more = _lacking(planned.parts["placebo"], _placebos(before))
    index = _grown(planned, before, more, report)
    index = without(index, removed_recordings(workspace))
    return _amended(index, name_of(open_index(before)), len(more))


def _grown(planned: Planned, before: Path, more: Rows, report: Report) -> Index:
    """Append beside the index that is here, then give the copy its name: whole or not at all."""
    draft = planned.directory.with_suffix(".part")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(before, draft, ignore=shutil.ignore_patterns(DONE))
    execution = Execution(device=device(), progress=report)
    append(event_task(), planned.checkpoints, {"placebo": more}, draft, execution)
    (draft / DONE).touch()
    shutil.rmtree(planned.directory, ignore_errors=True)  # what a build left half-way
    draft.rename(planned.directory)
    return open_index(planned.directory)


def _lacking(placebo: Rows, known: frozenset[str]) -> Rows:
    return placebo.take([i for i, id_ in enumerate(placebo.ids) if id_ not in known])


def _lacks_placebos(directory: Path, planned: Planned) -> bool:
    """Tell whether an index is of the same checkpoints, train rows and options, with fewer null."""
    manifest = read_manifest(directory)
    wanted = set(planned.parts["placebo"].ids) if "placebo" in planned.parts else set()
    return (
        [c.sha256 for c in planned.checkpoints] == _checkpoints(manifest)
        and manifest["parts"]["train"]["sha256"] == rows_sha256(planned.parts["train"])
        and _same_options(manifest, planned.recipe.index)
        and _placebos(directory) < wanted
    )


def _checkpoints(manifest: Manifest) -> list[str]:
    return list(dict.fromkeys(member["sha256"] for member in manifest["members"]))


def _same_options(manifest: Manifest, options: IndexOptions) -> bool:
    execution = Execution()
    return options_of(manifest, execution) == replace(options, execution=execution)


def _placebos(directory: Path) -> frozenset[str]:
    names = read_names(directory, read_manifest(directory))
    return frozenset(names.get("placebo", {"ids": []})["ids"])


def _opened(workspace: Workspace) -> list[Index]:
    directories = finished_indexes(workspace)
    if not directories:
        raise NotReady("no index is here; run 'tantieme index build' first")
    return [open_index(directory) for directory in directories]


def _check_known(indexes: Sequence[Index], names: Sequence[str]) -> None:
    known = {owner for index in indexes for owner in _owners(index)}
    for name in names:
        if name not in known:
            raise NotFound(
                f"no index holds '{name}', for no indexed run was trained on it; check the id "
                "('tantieme catalogue show'), or build the index of a run that was"
            )


def _check_no_placebo(indexes: Sequence[Index], names: Sequence[str]) -> None:
    """Refuse to choose among placebos: whoever could, would choose how many works stand out."""
    written = [read_names(index.directory, index.manifest) for index in indexes]
    trained = {owner for named in written for owner in named["train"]["owners"]}
    for name in names:
        if name not in trained:
            raise RoyaltyError(
                f"'{name}' is a placebo: no run was trained on it and it earns nothing, but every "
                "share is held against it, and would change without it; leave it out of the names"
            )


def _owners(index: Index) -> Iterable[str]:
    """Name the owner of every row that was ever written, in every part."""
    names = read_names(index.directory, index.manifest)
    return (owner for named in names.values() for owner in named["owners"])


def _rows_of(index: Index, names: Iterable[str], *, hidden: bool) -> int:
    """Count the rows of these recordings that are shown, or that are hidden."""
    wanted, shown = set(names), [owner for owners in index.owners.values() for owner in owners]
    visible = sum(owner in wanted for owner in shown)
    return sum(owner in wanted for owner in _owners(index)) - visible if hidden else visible


def _amended(index: Index, before: str, rows: int) -> Amended:
    moved = drift(index)
    return Amended(
        id=name_of(index),
        before=before,
        rows=rows,
        taken_down=moved.taken_down,
        drift=round(moved.curvature, 3),
        rebuild=moved.calls_for_rebuild,
    )
