"""What is evaluated: a run, its queries, its retrainings, and what methods score for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from attribution.evaluation.bank import Bank, build
from attribution.evaluation.estimate import Array
from attribution.evaluation.groups import Groups, grouped
from attribution.evaluation.plan import BankPlan
from attribution.evaluation.queries import over_owners, scores_over_owners
from attribution.evaluation.retraining import event_retraining
from attribution.methods import bilinear, embeddings, ngrams
from attribution.methods.attribute import device
from attribution.methods.recipes import RECIPES
from attribution.models.event_transformer import event_task
from attribution.models.training import Run, TrainingOptions
from attribution.music.corpus import rows_of
from attribution.music.midi import encode, read_notes
from attribution.task import Execution, Rows, rows_sha256
from cli.jobs.index import build_index, fit_index, parts_of
from cli.jobs.recipes import Wanted
from cli.jobs.training import find_run
from cli.method_options import ALIKE, NGRAM, SIMILARITY
from cli.output import Report
from cli.workspace import Workspace
from db.queries import EVERYONE, recordings, tracks
from royalty.errors import NotFound, NotReady

METHODS = (*RECIPES, *ALIKE)
By = Literal["item", "artist"]  # what subsets are drawn of
Kind = Literal["generated", "held-out"]
Scored = Mapping[str, Array]  # by method: (owner, train)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """A run, and the queries that its scores are judged on: its own tracks, and placebos."""

    run: str
    trained: Run
    train: Rows
    artists: tuple[str, ...]  # of each train row
    artist_names: Mapping[str, str]
    query: Rows  # spans
    tracks: frozenset[str]  # those owners of `query` that the run generated
    seconds: float  # what training on everything took

    @property
    def identity(self) -> dict[str, str]:
        """Name what is judged, and by what, for documents."""
        trained = self.trained.checkpoints[-1].sha256
        return {"checkpoint": trained, "query": rows_sha256(self.query)}

    @property
    def owners(self) -> Groups:
        """Say which spans belong together; scores and outcomes are of owners, in this order."""
        return grouped(self.query.owners)

    def places(self, kind: Kind) -> list[int]:
        """Find the owners that were generated, or held out."""
        names = self.owners.names
        return [i for i, name in enumerate(names) if (name in self.tracks) == (kind == "generated")]

    def with_queries(self, places: Sequence[int]) -> Subject:
        """Keep these owners of queries alone."""
        chosen = self.owners.rows(places)
        return replace(self, query=self.query.take(np.flatnonzero(chosen).tolist()))


def subject_of(workspace: Workspace, run: str | None) -> Subject:
    """Open a run to be evaluated. Raises `NotReady` where there is nothing to judge it by."""
    name, trained = find_run(workspace, run)
    parts = parts_of(workspace, trained)
    rows = {row.recording.id: row for row in recordings(EVERYONE, workspace.books())}
    made = _tracks(workspace, name, trained.config.span)
    query = _joined([part for part in (made, parts.get("placebo")) if part is not None])
    if not len(query):
        raise NotReady(
            f"there is nothing to judge run {name} by; run 'tantieme generate', or train with "
            "placebos"
        )
    artists = tuple(rows[owner].recording.artist for owner in parts["train"].owners)
    return Subject(
        run=name,
        trained=trained,
        train=parts["train"],
        artists=artists,
        artist_names={row.recording.artist: row.artist_name for row in rows.values()},
        query=query,
        tracks=frozenset(made.owners),
        seconds=json.loads((trained.directory / "measured.json").read_text())["wall_seconds"],
    )


def retrain(
    workspace: Workspace, subject: Subject, plan: BankPlan, *, workers: int, report: Report
) -> Bank:
    """Build or take up the bank of a plan; outcomes are of the owners of queries."""
    retraining = event_retraining(subject.train, subject.query, recipe_of(subject.trained))
    identity = json.dumps([retraining.subject, plan.as_document()], sort_keys=True)
    name = f"bank-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    directory = workspace.folder("evaluation") / name
    bank = build(plan, retraining, directory, progress=report, workers=workers)
    return over_owners(bank, subject.owners)


def foreseen_minutes(subject: Subject, plan: BankPlan) -> float:
    """Foresee what a plan costs on one worker, from what training on everything took."""
    rows = plan.masks.sum(1, dtype=np.float64) @ np.full(len(plan.masks), plan.seeds.shape[1])
    return float(rows) / len(subject.train) * subject.seconds / 60


def recipe_of(trained: Run) -> TrainingOptions:
    """Return the options that a run was trained by."""
    options = dict(trained.card["options"])
    fractions = tuple(options.pop("fractions"))
    return TrainingOptions(model=trained.config, fractions=fractions, **options)


def check_methods(names: Sequence[str]) -> tuple[str, ...]:
    """Return the methods named. Raises `NotFound` for one that there is not."""
    for name in names:
        if name not in METHODS:
            raise NotFound(f"there is no method '{name}'; there are {', '.join(METHODS)}")
    return tuple(dict.fromkeys(names))


def score(
    workspace: Workspace, subject: Subject, method: str, query: Rows, report: Report
) -> Array:
    """Score every train row for every row of `query`: (span, train). Positive = it helped.

    The index of a method is built where it is not here yet. Replicates are averaged. What was
    removed from the index counts as 0.
    """
    if method == NGRAM:
        return ngram_scores(subject.train, query)
    if method == SIMILARITY:
        return embedding_scores(subject, query, report)
    wanted = Wanted(runs=(subject.run,), method=method)
    indexed = build_index(workspace, wanted, report=report)
    fitted = fit_index(workspace, indexed, Execution(device=device(), progress=report))
    return _placed(averaged(fitted, query), indexed.index.ids["train"], subject.train.ids)


def _placed(found: Array, ids: Sequence[str], all_ids: Sequence[str]) -> Array:
    """Give every train row its column again; those that the index does not show score 0."""
    place = {id_: i for i, id_ in enumerate(all_ids)}
    placed = np.zeros((len(found), len(all_ids)))
    placed[:, [place[id_] for id_ in ids]] = found
    return placed


def score_owners(workspace: Workspace, subject: Subject, method: str, report: Report) -> Array:
    """Score every train row for every query of a subject, its spans added up: (owner, train)."""
    found = score(workspace, subject, method, subject.query, report)
    return scores_over_owners(found, subject.owners)


def averaged(fitted: bilinear.Fitted, query: Rows) -> Array:
    """Score every train row for every row of `query`, mean over replicates: (query, train)."""
    prepared = bilinear.prepare(fitted, query)
    blocks = [block.mean(0).cpu().numpy() for block in bilinear.score(fitted, prepared)]
    return np.concatenate(blocks, axis=1).astype(np.float64)


def ngram_scores(train: Rows, query: Rows) -> Array:
    """Compare rows by n-gram overlap, which knows nothing of the model: (query, train)."""
    known = ngrams.fit({name: _events(train, i) for i, name in enumerate(train.ids)})
    place = {name: i for i, name in enumerate(train.ids)}
    found = np.zeros((len(query), len(train)))
    for row in range(len(query)):
        for each in ngrams.overlaps(known, _events(query, row)):
            found[row, place[each.recording]] = each.overlap
    return found


def embedding_scores(subject: Subject, query: Rows, report: Report) -> Array:
    """Compare rows by what the finished model makes of them, its mean hidden state: (query, train).

    That knows the model, but not what training on a row did to it.
    """
    checkpoint = subject.trained.checkpoints[-1]
    execution = Execution(device=device(), progress=report)
    train, own = (
        embeddings.embed(event_task(), checkpoint, rows, execution)
        for rows in (subject.train, query)
    )
    return np.asarray(embeddings.cosines(train, own), np.float64)


def _events(rows: Rows, place: int) -> list[int]:
    tokens: list[int] = rows.tensors["tokens"][place][rows.tensors["mask"][place]].tolist()
    return tokens


def _tracks(workspace: Workspace, run: str, span: int) -> Rows:
    """Cut the tracks that the run generated into spans."""
    own = [row.id for row in tracks(EVERYONE, workspace.books()) if row.run == run]
    folder = workspace.home / "tracks"
    return rows_of({id_: encode(read_notes(folder / f"{id_}.mid")) for id_ in own}, span=span)


def _joined(parts: Sequence[Rows]) -> Rows:
    return Rows(
        tensors={
            name: torch.cat([part.tensors[name] for part in parts]) for name in parts[0].tensors
        },
        ids=tuple(id_ for part in parts for id_ in part.ids),
        owners=tuple(owner for part in parts for owner in part.owners),
    )
