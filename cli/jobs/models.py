"""Take in checkpoints that were trained elsewhere, as a run of the workspace."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from attribution.files import file_sha256
from attribution.models.imported import Wanted, faults_of, take_in
from attribution.models.training import load_run
from attribution.music.corpus import rows_of
from attribution.task import Rows, rows_sha256
from cli.jobs.training import Corpus, music
from cli.workspace import Workspace
from db.books.runs import RunFacts, record_run
from db.engine import now
from royalty.errors import BadInput, NotReady, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How the music was cut into what the model was trained on."""

    span: int = 96
    spans_max: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What is, or would be, taken in. The same checkpoints, code and music have the same id."""

    id: str
    directory: Path
    wanted: Wanted
    cut: Cut
    rows: Rows
    already: bool

    @property
    def summary(self) -> str:
        """Say in a few words what the run is of."""
        recordings = len(set(self.rows.owners))
        return (
            f"{len(self.wanted.sources)} imported checkpoints, "
            f"{len(self.rows):,} spans of {recordings} recordings"
        )


def plan_import(workspace: Workspace, wanted: Wanted, cut: Cut) -> Import:
    """Check everything that is to be taken in.

    Raises `BadInput` with every fault, `NotReady` where the catalogue has no music.
    """
    heard = music(workspace)
    if not heard:
        raise NotReady("no recording with music is here; run 'tantieme catalogue import DIR' first")
    faults = faults_of(wanted)
    if faults:
        raise BadInput([Problem(source, None, None, message) for source, message in faults])
    rows = rows_of(heard, span=cut.span, spans_max=cut.spans_max)
    id_ = _run_id(wanted, rows)
    directory = workspace.folder("runs") / id_
    already = (directory / "card.json").exists()
    return Import(id=id_, directory=directory, wanted=wanted, cut=cut, rows=rows, already=already)


def import_run(workspace: Workspace, planned: Import) -> None:
    """Copy checkpoints and code into the workspace, and record the run in the books."""
    recordings = sorted(set(planned.rows.owners))
    corpus = Corpus(recordings=recordings, spans_max=planned.cut.spans_max)
    planned.directory.mkdir(parents=True, exist_ok=True)
    path = planned.directory / "corpus.json"
    path.write_text(json.dumps(corpus, indent=1), encoding="utf-8")
    if planned.already:
        run = load_run(planned.directory)
    else:
        run = take_in(planned.wanted, planned.rows, planned.directory)
    facts = RunFacts(
        id=planned.id,
        card_sha256=file_sha256(planned.directory / "card.json"),
        created_at_iso=now(),
        parameters=run.card["parameters"],
        recordings=recordings,
        placebos=tuple(sorted(music(workspace, placebo=True))),
        summary=planned.summary,
    )
    record_run(workspace.books(), facts)


def _run_id(wanted: Wanted, rows: Rows) -> str:
    sources = [sorted(_files(source)) for source in wanted.sources]
    code, _, function = wanted.code.rpartition(":")
    named = [file_sha256(Path(code)) if code.endswith(".py") else code, function]
    identity = json.dumps([sources, named, wanted.places, rows_sha256(rows)])
    return f"r{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _files(source: Path) -> list[str]:
    files = [file for file in source.iterdir() if file.is_file()] if source.is_dir() else [source]
    return [file_sha256(file) for file in files]
