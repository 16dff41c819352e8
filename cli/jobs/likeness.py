"""How alike tracks and recordings are, by n-grams or by the model: never influence, never paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.methods import embeddings, ngrams
from attribution.methods.attribute import device
from attribution.models.event_transformer import event_task
from attribution.music.corpus import rows_of
from attribution.music.midi import encode, read_notes
from attribution.task import Execution, Rows
from cli.jobs.attribution import SIMILAR_SHOWN
from cli.jobs.index import parts_of
from cli.jobs.training import find_run, music
from cli.method_options import NGRAM, SIMILARITY
from cli.output import Report
from cli.workspace import Workspace
from db.queries import EVERYONE, RecordingRow, recordings, tracks

HEADINGS = {
    NGRAM: f"{ngrams.NAME}: {ngrams.LABEL}",
    SIMILARITY: f"Cosine: {embeddings.LABEL}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """How like a track one recording is."""

    artist: str
    title: str
    recording: str  # its id
    likeness: float  # from -1 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What is most like a track, the most alike first."""

    track: str
    title: str
    heading: str
    found: tuple[Resemblance, ...]


def compare(
    workspace: Workspace, run: str | None, ids: Sequence[str], method: str, *, report: Report
) -> list[Likeness]:
    """Compare tracks with recordings by `ngram`, or by a run's `similarity`; writes nothing."""
    folder = workspace.home / "tracks"
    events = {id_: encode(read_notes(folder / f"{id_}.mid")) for id_ in ids}
    if method == NGRAM:
        alike = _by_ngrams(workspace, events, report)
    else:
        alike = _by_embeddings(workspace, run, events, report)
    rows = {row.recording.id: row for row in recordings(EVERYONE, workspace.books())}
    titles = {row.id: row.title for row in tracks(EVERYONE, workspace.books())}
    return [
        Likeness(
            track=id_,
            title=titles[id_],
            heading=HEADINGS[method],
            found=tuple(_resemblance(rows[name], value) for name, value in _highest(alike[id_])),
        )
        for id_ in ids
    ]


def _resemblance(row: RecordingRow, value: float) -> Resemblance:
    return Resemblance(
        artist=row.artist_name,
        title=row.recording.title,
        recording=row.recording.id,
        likeness=round(value, 6),
    )


def _highest(alike: Mapping[str, float]) -> list[tuple[str, float]]:
    ordered = sorted(alike.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:SIMILAR_SHOWN]


def _by_ngrams(
    workspace: Workspace, events: Mapping[str, Sequence[int]], report: Report
) -> dict[str, dict[str, float]]:
    known = ngrams.fit(music(workspace))
    found = {}
    for done, (id_, own) in enumerate(events.items(), start=1):
        found[id_] = {each.recording: each.overlap for each in ngrams.overlaps(known, own)}
        report(done, len(events))
    return found


def _by_embeddings(
    workspace: Workspace, run: str | None, events: Mapping[str, Sequence[int]], report: Report
) -> dict[str, dict[str, float]]:
    """Hold the mean embeddings of tracks against those of the recordings that were trained on."""
    _, trained = find_run(workspace, run)
    train = parts_of(workspace, trained)["train"]
    query = rows_of(events, span=trained.config.span)
    execution = Execution(device=device(), progress=report)
    names, found = [], []
    for rows in (train, query):
        embedded = embeddings.embed(event_task(), trained.checkpoints[-1], rows, execution)
        owners, means = _by_owner(rows, embedded)
        names.append(owners)
        found.append(means)
    values = embeddings.cosines(*found)
    return {
        id_: dict(zip(names[0], map(float, own), strict=True))
        for id_, own in zip(names[1], values, strict=True)
    }


def _by_owner(rows: Rows, embedded: Tensor) -> tuple[list[str], Tensor]:
    """Average over the spans of each recording or track: names, (owner, width)."""
    owners = sorted(set(rows.owners))
    places = [[i for i, owner in enumerate(rows.owners) if owner == name] for name in owners]
    return owners, torch.stack([embedded[own].mean(0) for own in places])
