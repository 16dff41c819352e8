"""Attribute tracks: scores → evidence → shares, kept as files and handed to the books.

The one place where tensors become shares.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attribution.evidence import GATE, Evidence, Scored, explain_unattributed, gather, scored
from attribution.methods import bilinear, ngrams
from attribution.methods.attribute import device
from attribution.music.corpus import rows_of
from attribution.music.midi import UnreadableMusic, duration_ms, encode, read_notes
from attribution.task import Execution
from cli.jobs.catalogue import render_all
from cli.jobs.evidence import (
    PAYING,
    evidence_path,
    keep_evidence,
    read_evidence,
    record_shares,
)
from cli.jobs.index import Indexed, fit_index
from cli.jobs.passages import keep_passages, kept_passages
from cli.jobs.training import music
from cli.output import Report
from cli.workspace import Workspace
from db.books.tracks import TrackFacts, record_tracks
from db.engine import now
from db.queries import EVERYONE, RecordingRow, parties, recordings, tracks
from royalty.errors import BadInput, NotFound, Problem
from royalty.shares import GATED_VERSION, MAPPINGS, Share, WorkEvidence

SIMILAR_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a track, with its interval: an artist's or a recording's."""

    id: str
    name: str
    share_ppb: int
    low_ppb: int
    high_ppb: int
    artist: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """What shaped one track, as every surface shows it."""

    track: str
    title: str
    run: str
    runs: tuple[str, ...]  # of the index; `run` is the first
    index: str
    method: str
    mapping: str
    artists: tuple[Part, ...]  # largest first
    recordings: tuple[Part, ...]
    unattributed: Part
    similarity: tuple[dict[str, Any], ...]
    why: str
    label: str

    @property
    def unattributed_ppb(self) -> int:
        """The part that nobody could be named for."""
        return self.unattributed.share_ppb


def find_tracks(workspace: Workspace, names: Sequence[str], *, everything: bool) -> list[str]:
    """Find tracks by id, or take in MIDI files as tracks of elsewhere; return their ids."""
    known = {row.id for row in tracks(EVERYONE, workspace.books())}
    if everything:
        return sorted(known)
    return [name if name in known else _take_in(workspace, Path(name), known) for name in names]


def _take_in(workspace: Workspace, path: Path, known: Collection[str]) -> str:
    """Copy a MIDI file of elsewhere into the workspace; its content gives it its id."""
    if not path.is_file():
        raise NotFound(
            f"'{path}' is neither a track of this workspace nor a file; "
            "tracks are named when 'tantieme generate' makes them"
        )
    try:
        events = encode(read_notes(path))
    except UnreadableMusic as fault:
        raise BadInput([Problem(str(path), None, None, str(fault))]) from None
    content = path.read_bytes()
    id_ = f"t{hashlib.sha256(content).hexdigest()[:8]}"
    if id_ in known:
        return id_
    kept = workspace.folder("tracks") / f"{id_}.mid"
    kept.write_bytes(content)
    audio = render_all(workspace, {id_: events}, lambda _done, _total: None)
    facts = TrackFacts(
        id=id_,
        title=path.stem,
        run=None,
        seed=None,
        duration_ms=duration_ms(events),
        midi=f"tracks/{id_}.mid",
        audio_sha256=audio.get(id_),
        created_at=now(),
    )
    record_tracks(workspace.books(), [facts])
    return id_


def attribute_tracks(
    workspace: Workspace, indexed: Indexed, ids: Sequence[str], *, report: Report
) -> list[Attributed]:
    """Attribute tracks by a run's index; what was attributed before by it is read back.

    Only what the paying method found goes to the books; other methods' evidence is kept beside it.
    Each track's evidence and passages are written as soon as they are found, so interrupted work
    resumes.
    """
    missing = [id_ for id_ in ids if not _is_done(workspace, indexed, id_)]
    if missing:
        _attribute(workspace, indexed, missing, report)
    found = [_kept(workspace, indexed, id_) for id_ in ids]
    assert all(found)
    if indexed.recipe.name == PAYING:
        record_shares(workspace, [each for each in found if each])
    titles = {row.id: row.title for row in tracks(EVERYONE, workspace.books())}
    return [_from_document(each, titles[each["track"]]) for each in found if each]


def _is_done(workspace: Workspace, indexed: Indexed, track: str) -> bool:
    if _kept(workspace, indexed, track) is None:
        return False
    return indexed.recipe.name != PAYING or kept_passages(workspace, track) is not None


def _attribute(workspace: Workspace, indexed: Indexed, ids: Sequence[str], report: Report) -> None:
    """Score one track at a time, and write what was found before the next one is scored.

    Never several at once: in floating point a track's scores would depend on its neighbours, and
    its shares are frozen. Where only the passages are missing, the evidence stays as it is.
    """
    fitted = fit_index(workspace, indexed, Execution(device=device()))
    catalogue = _Catalogue.of(workspace)
    alike = ngrams.fit(catalogue.heard)
    for done, id_ in enumerate(ids, start=1):
        events = encode(read_notes(workspace.home / "tracks" / f"{id_}.mid"))
        query = rows_of({id_: events}, span=indexed.trained.config.span)
        prepared = bilinear.prepare(fitted, query)
        document = _kept(workspace, indexed, id_)
        if document is None:
            evidence = _evidence(indexed, fitted, prepared, catalogue)
            similar = ngrams.overlaps(alike, events)[:SIMILAR_SHOWN]
            document = _document(indexed, id_, evidence, catalogue, similar)
            keep_evidence(workspace, document, indexed.recipe.name)
        if indexed.recipe.name == PAYING:
            keep_passages(workspace, indexed, fitted, prepared, document)
        report(done, len(ids))


def _evidence(
    indexed: Indexed, fitted: bilinear.Fitted, prepared: bilinear.Prepared, catalogue: _Catalogue
) -> Evidence:
    """Hold a track's scores against the placebos'."""
    train, placebo = (
        np.concatenate([b.cpu().numpy() for b in bilinear.score(fitted, prepared, part)], axis=2)
        for part in ("train", "placebo")
    )
    owners, runs = indexed.index.owners, [run for run, _ in fitted.replicates]
    return gather(
        catalogue.scored(train, owners["train"], runs),
        catalogue.scored(placebo, owners.get("placebo", ()), runs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Catalogue:
    """What attribution needs to know of the recordings."""

    rows: Mapping[str, RecordingRow]  # placebos too
    artists: Mapping[str, str]  # id → name
    heard: Mapping[str, Sequence[int]]  # events of the recordings that may be paid

    @classmethod
    def of(cls, workspace: Workspace) -> _Catalogue:
        books = workspace.books()
        rows = [
            *recordings(EVERYONE, books),
            *recordings(EVERYONE, books, placebo=True),
        ]
        return cls(
            rows={row.recording.id: row for row in rows},
            artists={party.id: party.name for party in parties(EVERYONE, books)},
            heard=music(workspace),
        )

    def scored(
        self, values: np.ndarray[Any, Any], owners: Sequence[str], runs: Sequence[str]
    ) -> Scored:
        work_of = {owner: self.rows[owner].recording.work for owner in owners}
        return scored(values, owners, work_of, runs=runs)

    def name(self, artist: str) -> str:
        return self.artists.get(artist, artist)


def _shares(evidence: Evidence) -> list[Share]:
    works = [
        WorkEvidence(
            work=each.work,
            mean=each.mean,
            cleared=each.cleared,
            replicates=[float(value) for value in evidence.replicates[:, place]],
            scores=each.recordings,
        )
        for place, each in enumerate(evidence.works)
    ]
    return MAPPINGS["gated"](works)


def _document(
    indexed: Indexed,
    track: str,
    evidence: Evidence,
    catalogue: _Catalogue,
    similar: Sequence[ngrams.Overlap],
) -> dict[str, Any]:
    """Write down what was found for a track: shares, what they rest on, and what stood beside."""
    shares = _shares(evidence)
    paid = [share for share in shares if share.recording is not None]
    (rest,) = (share for share in shares if share.recording is None)
    return {
        "schema": 1,
        "track": track,
        "method": indexed.recipe.version,
        "mapping": GATED_VERSION,
        "artists": _by_artist(paid, catalogue),
        "recordings": [_recording(share, catalogue) for share in _largest_first(paid)],
        "unattributed_ppb": rest.ppb,
        "unattributed": {
            "share_ppb": rest.ppb,
            "low_ppb": rest.low_ppb,
            "high_ppb": rest.high_ppb,
        },
        "why_unattributed": explain_unattributed(evidence),
        "similarity": [_similar(each, catalogue) for each in similar if each.overlap > 0],
        "run": indexed.run,
        "runs": list(indexed.runs),
        "index": indexed.id,
        "index_sha256": indexed.index.sha256,
        "checkpoints": [checkpoint.sha256 for checkpoint in indexed.checkpoints],
        "gate": evidence.gate,
        "interval": f"{evidence.options.level:.0%}, {evidence.label}",
        "options": asdict(evidence.options),
        "null": asdict(evidence.null),
        "works": [
            {
                "work": each.work,
                "recordings": dict(each.recordings),
                "items": each.items,
                "mean": each.mean,
                "low": each.low,
                "high": each.high,
                "p": each.p,
                "cleared": each.cleared,
            }
            for each in evidence.works
        ],
    }


def _largest_first(shares: Iterable[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: (-share.ppb, share.recording or ""))


def _recording(share: Share, catalogue: _Catalogue) -> dict[str, Any]:
    recording = catalogue.rows[str(share.recording)].recording
    return {
        "id": recording.id,
        "name": recording.title,
        "artist": catalogue.name(recording.artist),
        "share_ppb": share.ppb,
        "low_ppb": share.low_ppb,
        "high_ppb": share.high_ppb,
    }


def _by_artist(shares: Iterable[Share], catalogue: _Catalogue) -> list[dict[str, Any]]:
    """Add up an artist's recordings, ends of intervals too: within one run errors go together."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for share in shares:
        artist = catalogue.rows[str(share.recording)].recording.artist
        for place, ppb in enumerate((share.ppb, share.low_ppb, share.high_ppb)):
            sums[artist][place] += ppb
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    return [
        {
            "id": artist,
            "name": catalogue.name(artist),
            "share_ppb": ppb,
            "low_ppb": low,
            "high_ppb": min(high, 10**9),
        }
        for artist, (ppb, low, high) in ordered
    ]


def _similar(found: ngrams.Overlap, catalogue: _Catalogue) -> dict[str, Any]:
    recording = catalogue.rows[found.recording].recording
    return {
        "recording": recording.id,
        "title": recording.title,
        "artist": catalogue.name(recording.artist),
        "overlap": round(found.overlap, 6),
    }


def _kept(workspace: Workspace, indexed: Indexed, track: str) -> dict[str, Any] | None:
    """Read a track's evidence back, if it was found by this index, with what it shows now.

    An index is named by its content: once recordings were removed from it, it has another name.
    """
    path = evidence_path(workspace, track, indexed.recipe.name)
    if not path.exists():
        return None
    document = read_evidence(path)
    made_with = tuple(document[key] for key in ("index", "method", "gate", "mapping"))
    wanted = (indexed.id, indexed.recipe.version, GATE, GATED_VERSION)
    return document if made_with == wanted else None


def _from_document(document: Mapping[str, Any], title: str) -> Attributed:
    return Attributed(
        track=document["track"],
        title=title,
        run=document["run"],
        runs=tuple(document["runs"]),
        index=document["index"],
        method=document["method"],
        mapping=document["mapping"],
        artists=tuple(Part(**each) for each in document["artists"]),
        recordings=tuple(Part(**each) for each in document["recordings"]),
        unattributed=Part(id="", name="unattributed", **document["unattributed"]),
        similarity=tuple(document["similarity"]),
        why=document["why_unattributed"],
        label=document["interval"],
    )
