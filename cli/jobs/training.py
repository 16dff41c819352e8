"""Train a generator on the catalogue: rows from the books, a run in the workspace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from attribution.models.event_transformer import EventTransformerConfig
from attribution.models.training import Run, TrainingOptions, load_run, train
from attribution.music.corpus import rows_of
from attribution.task import Rows, rows_sha256
from cli.jobs.catalogue import load_events
from cli.output import Report
from cli.workspace import Workspace
from db.books.runs import RunFacts, record_run
from db.engine import now, today
from db.queries import EVERYONE, RecordingRow, kept_back, recordings
from royalty.errors import NotFound, NotReady

LEFT_OUT_NAMED = 5  # of the recordings that are left out; there may be thousands


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What `tantieme train` lets one choose."""

    epochs: int = 10
    span: int = 96
    spans_max: int = 6
    width: int = 96
    layers: int = 3
    heads: int = 4
    learning_rate: float = 4e-3
    batch: int = 16
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run before it is trained: the same catalogue and choice have the same id."""

    id: str
    choice: Choice
    rows: Rows
    directory: Path
    placebos: tuple[str, ...]
    left_out: Mapping[str, str]  # recordings that may not be trained on today, and why

    @property
    def finished(self) -> bool:
        """Whether the run is already here."""
        return (self.directory / "card.json").exists()

    @property
    def summary(self) -> str:
        """Say in a few words what the run is trained on."""
        recordings = len(set(self.rows.owners))
        return f"{len(self.rows):,} spans of {recordings} recordings"

    @property
    def omission(self) -> str:
        """Say how many recordings are left out, and why the first of them are; empty if none."""
        if not self.left_out:
            return ""
        named = [f"{name} ({why})" for name, why in list(self.left_out.items())[:LEFT_OUT_NAMED]]
        more = len(self.left_out) - len(named)
        rest = f" and {more:,} more; see 'tantieme catalogue show'" if more else ""
        count = f"{len(self.left_out):,} recording{'' if len(self.left_out) == 1 else 's'}"
        return f"{count} left out, not to be trained on today: {', '.join(named)}{rest}."


def plan(workspace: Workspace, choice: Choice) -> Plan:
    """Work out what a run would train on: what has music and may be trained on today.

    Raises `NotReady` where there is none.
    """
    heard, left_out = _permitted(workspace)
    if not heard:
        raise NotReady(
            "every recording with music is kept back from training; see 'tantieme catalogue show'"
            if left_out
            else "no recording with music is here; run 'tantieme catalogue import DIR' first"
        )
    rows = rows_of(heard, span=choice.span, spans_max=choice.spans_max)
    identity = json.dumps([asdict(choice), rows_sha256(rows)], sort_keys=True)
    id_ = f"r{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    return Plan(
        id=id_,
        choice=choice,
        rows=rows,
        directory=workspace.folder("runs") / id_,
        placebos=tuple(sorted(music(workspace, placebo=True))),
        left_out=left_out,
    )


def train_run(workspace: Workspace, planned: Plan, report: Report) -> Run:
    """Train a planned run, or take up an interrupted one, and record it in the books."""
    choice = planned.choice
    options = TrainingOptions(
        model=EventTransformerConfig(
            width=choice.width, layers=choice.layers, heads=choice.heads, span=choice.span
        ),
        epochs=choice.epochs,
        batch=choice.batch,
        learning_rate=choice.learning_rate,
        seed=choice.seed,
    )
    corpus = Corpus(recordings=sorted(set(planned.rows.owners)), spans_max=choice.spans_max)
    planned.directory.mkdir(parents=True, exist_ok=True)
    (planned.directory / "corpus.json").write_text(json.dumps(corpus, indent=1), encoding="utf-8")
    run = train(planned.rows, options, planned.directory, lambda n, of, _: report(n, of))
    record_run(workspace.books(), _facts(planned, run))
    return run


def music(workspace: Workspace, *, placebo: bool = False) -> dict[str, list[int]]:
    """Return the events of every recording with music, by id."""
    rows = _with_music(workspace, placebo=placebo)
    return {row.recording.id: load_events(workspace, str(row.content_sha256)) for row in rows}


def find_run(workspace: Workspace, run: str | None) -> tuple[str, Run]:
    """Open a run of the workspace: the named one, else the only one there is."""
    folder = workspace.folder("runs")
    finished = sorted(card.parent.name for card in folder.glob("*/card.json"))
    if run is not None and run not in finished:
        raise NotFound(
            f"there is no finished run '{run}'; there are {', '.join(finished) or 'none'}"
        )
    if not finished:
        raise NotReady("no run is here; run 'tantieme train' first")
    if run is None and len(finished) > 1:
        raise NotReady(f"there are several runs; choose one with --run: {', '.join(finished)}")
    chosen = run or finished[0]
    return chosen, load_run(folder / chosen)


class Corpus(TypedDict):
    """What a run was trained on, beside what its card says."""

    recordings: list[str]
    spans_max: int


def corpus_of(run: Run) -> Corpus:
    """Say which recordings a run was trained on, and how many spans of each at most."""
    corpus: Corpus = json.loads((run.directory / "corpus.json").read_text("utf-8"))
    return corpus


def _permitted(workspace: Workspace) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Part what may be trained on today from what may not; of the latter, why."""
    heard = music(workspace)
    barred = kept_back(EVERYONE, workspace.books(), "training", today())
    permitted = {name: events for name, events in heard.items() if name not in barred}
    return permitted, {name: why for name, why in barred.items() if name in heard}


def _with_music(workspace: Workspace, *, placebo: bool) -> list[RecordingRow]:
    found = recordings(EVERYONE, workspace.books(), placebo=placebo)
    return [row for row in found if row.content_sha256 is not None]


def _facts(planned: Plan, run: Run) -> RunFacts:
    card = (planned.directory / "card.json").read_bytes()
    return RunFacts(
        id=planned.id,
        card_sha256=hashlib.sha256(card).hexdigest(),
        created_at_iso=now(),
        parameters=run.card["parameters"],
        recordings=tuple(sorted(set(planned.rows.owners))),
        placebos=planned.placebos,
        summary=planned.summary,
    )
