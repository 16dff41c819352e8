"""A bank made of the demonstration: its generator, its tracks, and retrainings to judge by.

The demonstration's own run is what is explained; queries are the rows of its tracks and of the
recordings it held back as placebos. The retrainings (`DRAWN`, by artist and again by item) take
most of the time, stay in the workspace, and go on where they stopped.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from attribution.evaluation.bank import build
from attribution.evaluation.plan import Drawing, by_group, by_item
from attribution.evaluation.retraining import event_retraining
from attribution.files import write_whole
from attribution.models.training import Run, TrainingOptions
from attribution.music.corpus import rows_of
from attribution.music.midi import encode, read_notes
from attribution.task import Rows
from benchmarks.bank import LEVELS, UnreadableBank
from cli.jobs.index import parts_of
from cli.jobs.training import find_run
from cli.workspace import Workspace
from db.queries import EVERYONE, recordings
from royalty.errors import RoyaltyError

Array = np.ndarray[Any, np.dtype[Any]]
HOME = Path("demo-home")
DRAWN = Drawing(subsets=16, fraction=0.5, seeds=2)
WORKERS = 2
_MODEL = '''"""The demonstration's generator."""

from attribution.models.event_transformer import EventTransformer, EventTransformerConfig


def LM():  # the layout's name
    return EventTransformer(EventTransformerConfig(**CONFIG))


def inp(tokens):
    return tokens  # the model shifts them itself
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What the demonstration left to make a bank of."""

    run: Run
    train: Rows
    query: Rows  # the rows of its tracks, then those of its placebos
    tracks: int  # rows of the query that are from tracks
    artists: tuple[str, ...]  # of each train row


def own_bank(home: Path = HOME) -> Path:
    """Make the bank, or go on making it, and return its directory within the workspace.

    Raises `UnreadableBank` where there is no demonstration.
    """
    workspace = Workspace(home=home)
    try:
        material = _material(workspace)
    except RoyaltyError as missing:
        raise UnreadableBank(f"{missing}; or run 'make demo', or pass --bank DIR") from missing
    directory = workspace.folder("benchmark")
    config = asdict(material.run.config)
    (directory / "model.py").write_text(_MODEL.replace("CONFIG", repr(config)))
    _write(directory / "checkpoints.npz", _checkpoints(material.run))
    _write(directory / "public.npz", _arrays(material) | _truth(material, directory))
    return directory


def _write(path: Path, arrays: dict[str, Array]) -> None:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_whole(path, content.getvalue())


def _material(workspace: Workspace) -> _Material:
    _, run = find_run(workspace, None)
    parts = parts_of(workspace, run)
    tracks = {
        path.stem: encode(read_notes(path)) for path in workspace.folder("tracks").glob("*.mid")
    }
    if not tracks:
        raise UnreadableBank(f"{workspace.home} has no tracks; run 'make demo'")
    generated = rows_of(tracks, span=run.config.span)
    books = workspace.books()
    artist = {row.recording.id: row.artist_name for row in recordings(EVERYONE, books)}
    return _Material(
        run=run,
        train=parts["train"],
        query=_joined(generated, parts["placebo"]) if "placebo" in parts else generated,
        tracks=len(generated),
        artists=tuple(artist[owner] for owner in parts["train"].owners),
    )


def _joined(one: Rows, other: Rows) -> Rows:
    tensors = {name: torch.cat([t, other.tensors[name]]) for name, t in one.tensors.items()}
    return Rows(tensors=tensors, ids=one.ids + other.ids, owners=one.owners + other.owners)


def _checkpoints(run: Run) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for fraction, checkpoint in zip(run.fractions, run.checkpoints, strict=True):
        name = f"demo.ep{round(100 * fraction)}"  # the layout counts epochs; these are hundredths
        found[f"{name}.lr"] = np.array(checkpoint.learning_rate)
        weights = checkpoint.load().state_dict()
        found |= {f"{name}.{key}": tensor.numpy() for key, tensor in weights.items()}
    return found


def _arrays(material: _Material) -> dict[str, Array]:
    pieces, piece = np.unique(np.array(material.train.owners), return_inverse=True)
    names, artist = np.unique(np.array(material.artists), return_inverse=True)
    return {
        "train_tokens": material.train.tensors["tokens"].numpy(),
        "train_mask": material.train.tensors["mask"].numpy(),
        "query_tokens": material.query.tensors["tokens"].numpy(),
        "query_mask": material.query.tensors["mask"].numpy(),
        "query_is_generated": np.arange(len(material.query)) < material.tracks,
        "train_piece": piece,
        "piece_names": pieces,
        "train_artist": artist,
        "artist_names": names,
    }


def _truth(material: _Material, directory: Path) -> dict[str, Array]:
    """Retrain by artist and by item, and write both as the layout has them."""
    kept: dict[str, Any] = dict(material.run.card["options"])
    options = TrainingOptions(**kept | {"model": material.run.config})
    retraining = event_retraining(material.train, material.query, options)
    by_artist, by_row = by_group(material.artists, DRAWN), by_item(len(material.train), DRAWN)
    found: dict[str, Array] = {}
    for level, plan in (("artist", by_artist), ("item", by_row)):
        click.echo(f"Retraining {plan.seeds.size} times by {level}", err=True)
        folder = directory / f"retrained-{level}"
        built = build(plan, retraining, folder, progress=_tell, workers=WORKERS)
        short = LEVELS[level]
        found[f"val_{short}_masks"] = np.packbits(built.masks, axis=1)
        found[f"val_{short}_query_loss"] = -built.outcomes
    return found


def _tell(done: int, total: int) -> None:
    click.echo(f"  {done} of {total}", err=True)
