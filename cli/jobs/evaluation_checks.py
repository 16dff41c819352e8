"""Evaluations that train nothing again: planted copies, sanity, coverage in made-up worlds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import torch

from attribution.errors import BadRows
from attribution.evaluation.coverage import Coverage, coverage
from attribution.evaluation.estimate import Array
from attribution.evaluation.planted import Planted, Retrieval, plant, retrieval
from attribution.evaluation.queries import scores_over_owners
from attribution.evaluation.report import Evaluation, verdicts
from attribution.evaluation.sanity import collapse, randomised
from attribution.evaluation.simulation import DEPARTURES
from attribution.evidence import EvidenceOptions
from attribution.methods.attribute import attribute
from attribution.methods.recipes import RECIPES
from attribution.models.event_transformer import EventTransformer, event_task
from attribution.models.in_memory import checkpoint_of
from attribution.task import Rows
from cli.jobs.evaluation import Scored, Subject, score, score_owners
from cli.jobs.evaluation_files import Judged
from cli.jobs.evaluation_picture import Picture
from cli.jobs.evaluation_wording import interval
from cli.jobs.evidence import PAYING
from cli.output import Report
from cli.workspace import Workspace

COPIES: Mapping[str, int] = {"exact": 0, "a fourth up": 5, "a fourth down": -5}  # semitones
TARGET = (0.80, 0.97)  # of 90 % intervals that hold the truth


def planted_rows(train: Rows, count: int) -> dict[str, Planted]:
    """Plant about so many copies of each kind, of rows evenly spaced; by kind."""
    places = np.unique(np.linspace(0, len(train) - 1, count).astype(int)).tolist()
    return {
        kind: plant(train, _movable(train, places, semitones), semitones)
        for kind, semitones in COPIES.items()
        if _movable(train, places, semitones)
    }


def judge_planted(
    subject: Subject, copies: Mapping[str, Planted], scored: Mapping[str, Scored]
) -> Judged:
    """Say how often copies find their originals; `scored` by method, then by kind of copy."""
    evaluations = {
        method: Evaluation(
            about={"method": method},
            planted={kind: retrieval(own[kind], copies[kind].truth) for kind in copies},
        )
        for method, own in scored.items()
    }
    counts = {kind: str(len(each.query)) for kind, each in copies.items()}
    return Judged(
        kind="planted",
        run=subject.run,
        about={**counts, "methods": " ".join(scored), "paying": PAYING, **subject.identity},
        evaluations=evaluations,
        sentences=tuple(_found(m, each.planted) for m, each in evaluations.items()),
        picture=Picture(title="Copies whose original ranks first", figures=("recall@1",)),
    )


def judge_sanity(
    workspace: Workspace, subject: Subject, method: str, queries: int, report: Report
) -> Judged:
    """Score by a model that has learnt nothing, and look for favourites that all queries share.

    At most so many queries are scored: the run's tracks, then what was held out.
    """
    places = [*subject.places("generated"), *subject.places("held-out")][:queries]
    chosen = subject.with_queries(places)
    trained = score_owners(workspace, chosen, method, report)
    untrained = scores_over_owners(_untrained(chosen, method), chosen.owners)
    evaluation = Evaluation(
        about={"method": method},
        randomised=randomised(trained, untrained),
        collapse=collapse(trained),
    )
    return Judged(
        kind="sanity",
        run=subject.run,
        about={"method": method, "queries": str(len(places)), **subject.identity},
        evaluations={method: evaluation},
        sentences=tuple(each.sentence for each in verdicts(evaluation)),
        picture=Picture(
            title="Sanity: near 0 is sound",
            figures=(
                "correlation with random weights",
                "variance in one direction",
                "overlap of 10 best",
                "most frequent row",
            ),
        ),
    )


def simulated_coverage(worlds: int, report: Report) -> list[Coverage]:
    """Count, in worlds made up as assumed and otherwise, how many intervals hold the truth."""
    found = []
    for done, (name, simulation) in enumerate(DEPARTURES.items()):
        report(done, len(DEPARTURES))
        options = EvidenceOptions(replicates=400)
        found.append(coverage(simulation, name, worlds=worlds, options=options))
    return found


def judge_coverage(found: Sequence[Coverage], about: Mapping[str, str]) -> Judged:
    """Put the coverages of all worlds together."""
    return Judged(
        kind="coverage",
        run="",
        about=about,
        evaluations={"": Evaluation(about={}, coverage=tuple(found))},
        sentences=tuple(map(_covered, found)),
        picture=Picture(
            title="How many 90 % intervals of shares hold the truth",
            figures=("shares covered",),
            mark=0.90,
            mark_label="stated",
        ),
    )


def _movable(train: Rows, places: Sequence[int], semitones: int) -> list[int]:
    """Find the rows that can be moved by so much."""
    found = []
    for place in places:
        with suppress(BadRows):
            plant(train, [place], semitones)
            found.append(place)
    return found


def score_planted(
    workspace: Workspace,
    subject: Subject,
    copies: Mapping[str, Planted],
    method: str,
    report: Report,
) -> Scored:
    """Score copies of each kind by a method: by kind, (copy, train)."""
    return {
        kind: score(workspace, subject, method, each.query, report) for kind, each in copies.items()
    }


def _untrained(subject: Subject, method: str) -> Array:
    """Score by the same method at weights drawn anew, one draw for each checkpoint of the index."""
    recipe = RECIPES[method]
    models = []
    for seed in range(len(recipe.window)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            models.append(checkpoint_of(EventTransformer(subject.trained.config), f"random-{seed}"))
    scores = attribute(event_task(), models, subject.train, subject.query, recipe)
    return np.asarray(scores.train.mean(0), np.float64)


def _found(method: str, planted: Mapping[str, Retrieval]) -> str:
    parts = [
        f"{kind}, {interval(each.recall[1])} of {each.queries}" for kind, each in planted.items()
    ]
    return f"{method} puts the original of a copy first: {'; '.join(parts)}."


def _covered(found: Coverage) -> str:
    low, high = TARGET
    held = found.shares.value
    verdict = "within" if low <= held <= high else "outside"
    return (
        f"{found.world}: {interval(found.shares)} of the intervals stated at {found.stated:.0%} "
        f"hold the true share, {verdict} {low:.0%} to {high:.0%}."
    )
