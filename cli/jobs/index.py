"""The gradient index of a run, or of several: the spans that were trained on, and the placebos'."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from attribution.amending import drift, options_of, taken_down
from attribution.errors import AttributionError, ForeignIndex
from attribution.files import json_bytes
from attribution.index import (
    SCHEMA,
    Index,
    IndexOptions,
    alive_rows,
    in_window,
    open_index,
    read_manifest,
    verify,
)
from attribution.indexing import build
from attribution.methods import bilinear
from attribution.methods.attribute import device
from attribution.methods.recipes import RECIPES, Recipe, output_terms
from attribution.models.event_transformer import event_task
from attribution.models.training import Run
from attribution.music.corpus import rows_of
from attribution.task import Checkpoint, Execution, Rows, rows_sha256
from cli.jobs.recipes import Wanted, recipe_of
from cli.jobs.removed import removed_recordings, without
from cli.jobs.training import corpus_of, find_run, music
from cli.output import Report
from cli.workspace import Workspace
from royalty.errors import NotReady, RoyaltyError

DONE = "done"  # beside the manifest, once every shard is written
OLDER = "older, not readable: delete its folder, and run 'tantieme index build'"
_ONLY = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """An index with the run that it is of; with several runs, the first stands for all."""

    id: str
    run: str
    runs: tuple[str, ...]
    trained: Run
    checkpoints: tuple[Checkpoint, ...]
    index: Index
    recipe: Recipe
    already: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An index before it is built: what it is made of, and where it lies."""

    directory: Path
    runs: Mapping[str, Run]
    recipe: Recipe
    checkpoints: tuple[Checkpoint, ...]
    parts: Mapping[str, Rows]

    @property
    def first(self) -> Run:
        """The run that stands for all; they were trained on the same."""
        return next(iter(self.runs.values()))


def build_index(workspace: Workspace, wanted: Wanted = _ONLY, *, report: Report) -> Indexed:
    """Build the index that is wanted, take up an interrupted build, or find that it is here.

    What was removed from the workspace's indexes is taken down in this one too. Raises `NotReady`
    when the catalogue no longer holds what the run was trained on, and as `plan_index` does.
    """
    planned = plan_index(workspace, wanted)
    directory = planned.directory
    already = (directory / DONE).exists()
    if already and read_manifest(directory)["appended"]:
        index = open_index(directory)
    else:
        options = replace(
            planned.recipe.index, execution=Execution(device=device(), progress=report)
        )
        index = build(event_task(), planned.checkpoints, planned.parts, directory, options)
    index = without(index, removed_recordings(workspace))
    (directory / DONE).touch()
    return Indexed(
        id=name_of(index),
        run=next(iter(planned.runs)),
        runs=tuple(planned.runs),
        trained=planned.first,
        checkpoints=planned.checkpoints,
        index=index,
        recipe=planned.recipe,
        already=already,
    )


def mend_index(planned: Planned) -> list[str]:
    """Make a finished index that is harmed one to be built again; say what is wrong with it.

    `build_index` then makes what is missing. Where it could not tell, since rows were appended or
    the manifest or a tombstone is harmed, the whole folder goes.
    """
    directory = planned.directory
    if not (directory / DONE).exists():
        return []
    faults = verify(directory)
    if faults:
        (directory / DONE).unlink()
        if not _goes_on(directory):
            (directory / "manifest.json").unlink(missing_ok=True)  # first: without it, no index
            shutil.rmtree(directory)
    return faults


def _goes_on(directory: Path) -> bool:
    """Tell whether a build can take an index over and make only what is missing."""
    try:
        manifest = read_manifest(directory)
        for part in manifest["tombstones"]:
            alive_rows(directory, manifest, part)
    except AttributionError:
        return False
    return not manifest["appended"]


def plan_index(workspace: Workspace, wanted: Wanted) -> Planned:
    """Say what the index that is wanted is made of, and where it lies or will lie.

    Raises `RoyaltyError` where several runs were not trained on the same, or differ in size.
    """
    runs = _find_runs(workspace, wanted.runs)
    parts = parts_of(workspace, next(iter(runs.values())))
    recipe = recipe_of(wanted)
    checkpoints = _checkpoints(runs.values(), recipe)
    return Planned(
        directory=workspace.folder("index") / _index_id(checkpoints, parts, recipe.index),
        runs=runs,
        recipe=recipe,
        checkpoints=checkpoints,
        parts=parts,
    )


def _checkpoints(runs: Iterable[Run], recipe: Recipe) -> tuple[Checkpoint, ...]:
    return tuple(
        trained.checkpoints[place]
        for trained in runs
        for place in in_window(trained.fractions, recipe.window)
    )


def fit_index(workspace: Workspace, indexed: Indexed, execution: Execution) -> bilinear.Fitted:
    """Make the index's method ready to score, with TRAK's output term where it has one."""
    task, recipe, index = event_task(), indexed.recipe, indexed.index
    parts = parts_of(workspace, indexed.trained) if recipe.output_term else {}
    shown = {part: rows_in(index, part, rows) for part, rows in parts.items()}
    return bilinear.fit(
        index,
        task,
        indexed.checkpoints,
        replace(recipe.scoring, execution=execution),
        output_terms=output_terms(recipe, task, indexed.checkpoints, shown, execution),
    )


def _find_runs(workspace: Workspace, names: Sequence[str]) -> dict[str, Run]:
    """Open the runs of an index, in order of their ids."""
    wanted: list[str | None] = [*sorted(names)] or [None]
    found = dict(find_run(workspace, name) for name in wanted)
    (first, of), *others = found.items()
    for name, trained in others:
        for key, what in (("corpus_sha256", "music"), ("parameters", "number of parameters")):
            if trained.card[key] != of.card[key]:
                raise RoyaltyError(
                    f"run {name} has another {what} than run {first}; the runs of one index are "
                    "trainings of the same music and model with different seeds"
                )
    return found


def name_of(index: Index) -> str:
    """Name an index by what is in it: as built, or, once amended, by what was amended too.

    Placebos appended by `cli.jobs.amending` are in the folder's name, as if it had been built so.
    """
    tombstones, appended = index.manifest["tombstones"], index.manifest["appended"]
    more = [each["parts"]["train"] for each in appended if "train" in each["parts"]]
    if not tombstones and not more:
        return index.directory.name
    amended = json_bytes([tombstones, more])
    return f"{index.directory.name}-{hashlib.sha256(amended).hexdigest()[:8]}"


def rows_in(index: Index, part: str, rows: Rows) -> Rows:
    """Put rows into the order in which the index shows them, without what was taken down."""
    place = {id_: i for i, id_ in enumerate(rows.ids)}
    return rows.take([place[id_] for id_ in index.ids.get(part, ())])


def parts_of(workspace: Workspace, trained: Run) -> dict[str, Rows]:
    """Cut the run's recordings, and the placebos it never saw, into the rows it was trained on."""
    corpus = corpus_of(trained)
    wanted = set(corpus["recordings"])
    heard = {name: events for name, events in music(workspace).items() if name in wanted}
    span, spans_max = trained.config.span, corpus["spans_max"]
    train = rows_of(heard, span=span, spans_max=spans_max)
    if rows_sha256(train) != trained.card["corpus_sha256"]:
        raise NotReady(
            "the catalogue's music is no longer what the run was trained on; import the same "
            "folder again, or train a new run"
        )
    placebo = rows_of(music(workspace, placebo=True), span=span, spans_max=spans_max)
    return {"train": train, "placebo": placebo} if len(placebo) else {"train": train}


def _index_id(
    checkpoints: tuple[Checkpoint, ...], parts: Mapping[str, Rows], options: IndexOptions
) -> str:
    identity = {
        "schema": SCHEMA,
        "checkpoints": [checkpoint.sha256 for checkpoint in checkpoints],
        "parts": {part: rows_sha256(rows) for part, rows in parts.items()},
        **{key: value for key, value in asdict(options).items() if key != "execution"},
    }
    text = json.dumps(identity, sort_keys=True)
    return f"i{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def describe_indexes(workspace: Workspace) -> list[dict[str, Any]]:
    """Say of every finished index in the workspace what it holds and how large it is."""
    return [
        {
            "id": name_of(index),
            "methods": _methods_of(workspace, index),
            "runs": sorted({member.run for member in index.members}),
            "rows": len(index.ids["train"]),
            "placebo_rows": len(index.ids.get("placebo", ())),
            "members": len(index.members),
            "width": index.width,
            "removed": sorted(taken_down(index)),
            "taken_down": (moved := drift(index)).taken_down,
            "drift": round(moved.curvature, 3),
            "rebuild": moved.calls_for_rebuild,
            "megabytes": round(sum(f.stat().st_size for f in directory.rglob("*.npy")) / 1e6, 1),
        }
        for directory in finished_indexes(workspace)
        for index in [open_index(directory)]
    ]


def _methods_of(workspace: Workspace, index: Index) -> list[str]:
    """Name the methods that score by such an index; none where settings or runs are unknown."""
    try:
        runs = [find_run(workspace, run)[1] for run in {m.run for m in index.members}]
    except (RoyaltyError, ValueError):  # no such run is here, or its card is harmed
        return []
    options, seen = options_of(index.manifest, Execution()), {m.sha256 for m in index.members}
    return [
        recipe.name
        for recipe in RECIPES.values()
        if replace(recipe.index, execution=options.execution) == options
        and {checkpoint.sha256 for checkpoint in _checkpoints(runs, recipe)} == seen
    ]


def verify_indexes(workspace: Workspace) -> list[str]:
    """Hash every shard of every index again; say what is not as it was written, or is older."""
    older = [f"index {path.name} is {OLDER}" for path in older_indexes(workspace)]
    return older + [fault for path in finished_indexes(workspace) for fault in verify(path)]


def finished_indexes(workspace: Workspace) -> list[Path]:
    """List the folders of the indexes that are whole, without those of another version."""
    return [path for path in _finished(workspace) if not _is_older(path)]


def older_indexes(workspace: Workspace) -> list[Path]:
    """List the folders of finished indexes that another version wrote, which none here reads."""
    return [path for path in _finished(workspace) if _is_older(path)]


def _finished(workspace: Workspace) -> list[Path]:
    return sorted(path.parent for path in workspace.folder("index").glob(f"*/{DONE}"))


def _is_older(directory: Path) -> bool:
    try:
        read_manifest(directory)
    except AttributionError as fault:
        return isinstance(fault, ForeignIndex)  # others are for `verify` to name
    return False
