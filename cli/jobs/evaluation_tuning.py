"""Tuning the paying method on queries that are never reported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from attribution.evaluation.bank import Bank
from attribution.evaluation.estimate import Array
from attribution.evaluation.queries import scores_over_owners
from attribution.evaluation.report import Evaluation
from attribution.evaluation.tune import (
    Halves,
    Setting,
    Tuning,
    halved,
    setting_of,
    tune,
    with_setting,
)
from attribution.files import json_bytes
from attribution.index import in_window
from attribution.indexing import build
from attribution.methods import bilinear
from attribution.methods.attribute import device
from attribution.methods.recipes import Recipe
from attribution.models.event_transformer import event_task
from attribution.task import Execution, rows_sha256
from cli.jobs.evaluation import Subject, averaged
from cli.jobs.evaluation_files import Judged
from cli.jobs.evaluation_picture import Picture
from cli.jobs.evaluation_wording import interval
from cli.output import Report
from cli.workspace import Workspace


def halves_of(subject: Subject) -> Halves:
    """Tune on every other query held out; report on the others, and on the run's tracks."""
    tuning, reporting = halved(subject.places("held-out"))
    named = {"held-out": reporting, "generated": subject.places("generated")}
    return Halves(tuning=tuning, reporting={k: places for k, places in named.items() if places})


def scorer(
    workspace: Workspace, subject: Subject, recipe: Recipe, report: Report
) -> Callable[[Setting], Array]:
    """Return what scores all queries of a subject at a setting, indexing where it has to.

    Indexes are kept in `evaluation/`, so that tuning which was interrupted goes on.
    """

    def scored(setting: Setting) -> Array:
        chosen = with_setting(recipe, setting)
        window = in_window(subject.trained.fractions, chosen.window)
        checkpoints = [subject.trained.checkpoints[place] for place in window]
        execution = Execution(device=device(), progress=report)
        options = replace(chosen.index, execution=execution)
        parts = {"train": subject.train}
        directory = _directory(workspace, subject, chosen)
        index = build(event_task(), checkpoints, parts, directory, options)
        scoring = replace(chosen.scoring, execution=execution)
        fitted = bilinear.fit(index, event_task(), checkpoints, scoring)
        return scores_over_owners(averaged(fitted, subject.query), subject.owners)

    return scored


def judge_tuning(
    subject: Subject,
    recipe: Recipe,
    score: Callable[[Setting], Array],
    settings: tuple[Setting, ...],
    banks: Mapping[str, Bank],
) -> Judged:
    """Tune, and say what the choice gained where nothing was chosen."""
    found = tune(score, settings, setting_of(recipe), banks, halves_of(subject))
    return Judged(
        kind="tune",
        run=subject.run,
        about={
            "method": recipe.name,
            "settings": json_bytes([asdict(setting) for setting in settings]).decode(),
            **{f"bank_{name}": bank.sha256 for name, bank in banks.items()},
            **subject.identity,
        },
        evaluations={
            recipe.name: Evaluation(about={}, lds=found.reported, differences=found.gained)
        },
        sentences=_sentences(found),
        picture=Picture(
            title="LDS of the chosen setting, on queries not tuned on", figures=("LDS",)
        ),
        extra={
            "trials": found.trials,
            "before": found.before,
            "chosen": found.chosen,
        },
    )


def _sentences(found: Tuning) -> tuple[str, ...]:
    kept = found.chosen == found.before
    verb = "stays best" if kept else "is best"
    said = [f"{shown(found.chosen)} {verb} of {len(found.trials)} settings, on the tuning half."]
    if kept:
        return tuple(said)
    for level, gained in found.gained.items():
        sure = gained.estimate.low > 0 or gained.estimate.high < 0
        doubt = "" if sure else ", which is no more than chance could do"
        said.append(f"{level}, not tuned on: it gains {interval(gained.estimate)} LDS{doubt}.")
    said.append(f"Nothing was changed: method in use stays at {shown(found.before)}.")
    return tuple(said)


def shown(setting: Setting) -> str:
    """Write a setting as the options that set it."""
    return f"--damping {setting.damping:g} --kept {setting.kept} --ridge {setting.ridge:g}"


def _directory(workspace: Workspace, subject: Subject, recipe: Recipe) -> Path:
    """Place the index of a recipe: ridges share one, for they change nothing in it."""
    options = {key: value for key, value in asdict(recipe.index).items() if key != "execution"}
    checkpoints = [each.sha256 for each in subject.trained.checkpoints]
    window = list(recipe.window)
    identity = json_bytes([options, checkpoints, window, rows_sha256(subject.train)])
    name = f"index-{hashlib.sha256(identity).hexdigest()[:8]}"
    return workspace.folder("evaluation") / name
