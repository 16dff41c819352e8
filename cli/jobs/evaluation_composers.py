"""Coverage from end to end: music by composers who do not exist, trained on, attributed, paid.

What each composer gave to a track is known twice: by training again without the composer, and by
the passages that the track was written from. Everything between music and shares is what payouts
go through: index, scores, evidence, the mapping `gated`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from attribution.evaluation.bank import build
from attribution.evaluation.composers import Composed, Composing, compose
from attribution.evaluation.coverage import Coverage, actual_shares, covered
from attribution.evaluation.estimate import Array, Mask
from attribution.evaluation.groups import Groups, grouped
from attribution.evaluation.informativeness import effects
from attribution.evaluation.plan import without_each_group
from attribution.evaluation.queries import over_owners
from attribution.evaluation.retraining import event_retraining
from attribution.evidence import Evidence, EvidenceOptions, gather, scored
from attribution.files import json_bytes
from attribution.index import in_window
from attribution.indexing import build as index_build
from attribution.methods import bilinear
from attribution.methods.recipes import RECIPES
from attribution.models.event_transformer import EventTransformerConfig, event_task
from attribution.models.training import Run, TrainingOptions, load_run, train
from attribution.task import Execution, Rows
from cli.jobs.evidence import PAYING
from cli.output import Report
from cli.workspace import Workspace
from royalty.division import PPB
from royalty.shares import MAPPINGS, Share, WorkEvidence

_PLACEBOS = EvidenceOptions().placebos_min
_SPANS = 64  # query rows scored at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """How much music is made up, and how a model is trained on it."""

    composing: Composing = field(
        default_factory=lambda: Composing(
            composers=8, recordings=6, placebos=_PLACEBOS, tracks=24, notes=96
        )
    )
    model: EventTransformerConfig = field(
        default_factory=lambda: EventTransformerConfig(width=48, layers=2, heads=2, span=96)
    )
    epochs: int = 20
    seeds: int = 3  # of training again
    runs: int = 1  # attributed together; from three on, intervals know what chance in training does


def composition(*, runs: int = 1, small: bool = False) -> Composition:
    """Choose how much music is made up: a third of it for a quick look."""
    if not small:
        return Composition(runs=runs)
    few = Composing(composers=4, recordings=4, placebos=_PLACEBOS, tracks=8, notes=64)
    return Composition(composing=few, epochs=8, seeds=2, runs=runs)


def cover_composers(workspace: Workspace, options: Composition, report: Report) -> list[Coverage]:
    """Say how often intervals of shares hold what composers truly gave.

    Twice: against leaving out, and against the mixture that was written. What was trained is kept
    in `evaluation/`, so interrupted work goes on.
    """
    music = compose(options.composing)
    training = TrainingOptions(model=options.model, epochs=options.epochs, threads=1)
    directory = _directory(workspace, options)
    bank = build(
        without_each_group(music.composers, seeds=options.seeds),
        event_retraining(music.train, music.query, training),
        directory / "bank",
        progress=report,
    )
    owners = grouped(music.query.owners)
    runs = [_trained(music.train, training, directory, seed) for seed in range(options.runs)]
    judged = _attributed(music, runs, directory / "index", owners)
    caused = actual_shares(effects(over_owners(bank, owners)))
    written = np.stack([music.mixtures[owners.place == i].mean(0) for i in range(len(owners))])
    return [
        _coverage("composers, against leaving out", judged, caused, written),
        _coverage("composers, against what was written", judged, written, written),
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Attributed:
    """Shares of all tracks, (track, composer), composers in the order of their names."""

    shares: Array
    low: Array
    high: Array
    cleared: Mask


def _attributed(
    music: Composed, runs: Sequence[Run], directory: Path, owners: Groups
) -> _Attributed:
    """Attribute every track as payouts do, composers being the works."""
    recipe, task = RECIPES[PAYING], event_task()
    checkpoints = [
        run.checkpoints[place] for run in runs for place in in_window(run.fractions, recipe.window)
    ]
    assert music.placebo is not None
    parts = {"train": music.train, "placebo": music.placebo}
    index = index_build(task, checkpoints, parts, directory, recipe.index)
    scoring = replace(recipe.scoring, execution=Execution(batch=_SPANS))
    fitted = bilinear.fit(index, task, checkpoints, scoring)
    found = bilinear.scores(fitted, music.query)
    seen = [run for run, _ in found.replicates]
    held = [owner.partition("/")[0] for owner in music.placebo.owners]
    tracks = [owners.place == track for track in range(len(owners))]
    gathered = [
        gather(
            scored(found.train[:, own], music.composers, runs=seen),
            scored(found.placebo[:, own], held, runs=seen),
        )
        for own in tracks
    ]
    return _Attributed(
        shares=np.stack([_column(each, "ppb") for each in gathered]),
        low=np.stack([_column(each, "low_ppb") for each in gathered]),
        high=np.stack([_column(each, "high_ppb") for each in gathered]),
        cleared=np.array([[work.cleared for work in each.works] for each in gathered]),
    )


def _column(evidence: Evidence, key: str) -> Array:
    """Return one number of each work's share, as a part of the track."""
    found: dict[str, Share] = {
        str(share.recording): share for share in MAPPINGS["gated"](_works(evidence))
    }
    return np.array(
        [getattr(found[w.work], key) / PPB if w.work in found else 0.0 for w in evidence.works]
    )


def _works(evidence: Evidence) -> list[WorkEvidence]:
    return [
        WorkEvidence(
            work=each.work,
            mean=each.mean,
            cleared=each.cleared,
            replicates=[float(value) for value in evidence.replicates[:, place]],
            scores=each.recordings,
        )
        for place, each in enumerate(evidence.works)
    ]


def _coverage(world: str, judged: _Attributed, truth: Array, written: Array) -> Coverage:
    """Hold shares against a truth; composers of no passage of a track are its noise."""
    known = ~np.isnan(truth)
    held = (judged.low <= truth) & (truth <= judged.high)
    real = written > 0
    counted = judged.cleared & known
    return Coverage(
        world=world,
        stated=EvidenceOptions().level,
        shares=covered([row[chosen] for row, chosen in zip(held, counted, strict=True)]),
        effects=covered([np.zeros(0, dtype=bool)]),  # scores have no unit to hold effects in
        found=covered([row[own] for row, own in zip(judged.cleared, real, strict=True)]),
        noise_cleared=float((judged.cleared & ~real).sum(1).mean()),
        noise_paid=float(np.where(real, 0.0, judged.shares).sum(1).mean()),
        unattributed=float(1 - judged.shares.sum(1).mean()),
        worlds=1,
    )


def _trained(rows: Rows, options: TrainingOptions, directory: Path, seed: int) -> Run:
    folder = directory / f"run-{seed}"
    if (folder / "card.json").exists():
        return load_run(folder)
    return train(rows, replace(options, seed=1000 + seed), folder)


def _directory(workspace: Workspace, options: Composition) -> Path:
    identity = hashlib.sha256(json_bytes(asdict(options))).hexdigest()
    return workspace.folder("evaluation") / f"composers-{identity[:8]}"
