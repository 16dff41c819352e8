"""The gradient index of a run: the same spans that it was trained on, and the placebos'."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from attribution.amending import drift
from attribution.index import Index, IndexOptions, in_window, open_index, verify
from attribution.indexing import build
from attribution.methods.recipes import RECIPES, Recipe
from attribution.models.event_transformer import event_task
from attribution.models.training import Run
from attribution.music.corpus import rows_of
from attribution.task import Checkpoint, Execution, Rows, rows_sha256
from cli.jobs.training import corpus_of, find_run, music
from cli.output import Report
from cli.workspace import Workspace
from royalty.errors import NotReady

DONE = "done"  # beside the manifest, once every shard is written


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """An index with the run that it is of."""

    id: str
    run: str
    trained: Run
    checkpoints: tuple[Checkpoint, ...]
    index: Index
    recipe: Recipe
    already: bool


def device() -> str:
    """Name the device that there is."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def build_index(
    workspace: Workspace, run: str | None, *, method: str = "default", report: Report
) -> Indexed:
    """Build the index of a run, take up an interrupted build, or find that it is here.

    Raises `NotReady` when the catalogue no longer holds what the run was trained on.
    """
    name, trained = find_run(workspace, run)
    parts = parts_of(workspace, trained)
    recipe = RECIPES[method]
    window = in_window(trained.fractions, recipe.window)
    checkpoints = tuple(trained.checkpoints[i] for i in window)
    execution = Execution(device=device(), progress=report)
    options = replace(recipe.index, execution=execution)
    id_ = _index_id(checkpoints, parts, options)
    directory = workspace.folder("index") / id_
    already = (directory / DONE).exists()
    index = build(event_task(), checkpoints, parts, directory, options)
    (directory / DONE).touch()
    return Indexed(
        id=id_,
        run=name,
        trained=trained,
        checkpoints=checkpoints,
        index=index,
        recipe=recipe,
        already=already,
    )


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
            "id": directory.name,
            "rows": len(index.ids["train"]),
            "placebo_rows": len(index.ids.get("placebo", ())),
            "members": len(index.members),
            "width": index.width,
            "taken_down": (moved := drift(index)).taken_down,
            "drift": round(moved.curvature, 3),
            "rebuild": moved.calls_for_rebuild,
            "megabytes": round(sum(f.stat().st_size for f in directory.rglob("*.npy")) / 1e6, 1),
        }
        for directory in _finished(workspace)
        for index in [open_index(directory)]
    ]


def verify_indexes(workspace: Workspace) -> list[str]:
    """Hash every shard of every index again; say what is not as it was written."""
    return [fault for directory in _finished(workspace) for fault in verify(directory)]


def _finished(workspace: Workspace) -> list[Path]:
    return sorted(path.parent for path in workspace.folder("index").glob(f"*/{DONE}"))
