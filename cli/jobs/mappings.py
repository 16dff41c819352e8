"""Pay what is known of tracks by every mapping: what choosing one decides.

Nothing is scored again and nothing is written: the shares by `gated` are the frozen ones, and the
published mappings need of a track only what its evidence file says of each work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.jobs.evidence import read_evidence
from cli.workspace import Workspace
from db.queries import EVERYONE, recordings, tracks
from royalty.comparison import Mapped, Paid, compare_mappings, pay_by_each
from royalty.errors import NotReady
from royalty.shares import Share, WorkEvidence, shrunk


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMappings:
    """What each mapping would pay for the same tracks, by recording and by artist."""

    weights: Mapping[str, int]  # of each track
    by_plays: bool  # weighed by plays in the latest payout; else all alike
    paid: Sequence[Paid]  # in the order of the mappings, `gated` first
    recordings: Mapping[str, Mapped]  # by mapping, without those that refused
    artists: Mapping[str, Mapped]
    names: Mapping[str, str]  # of the artists

    @property
    def largest_first(self) -> list[str]:
        """The artists, who gets most by `gated` first."""
        parts = self.artists["gated"].parts
        return sorted(parts, key=lambda artist: (-parts[artist], artist))


def compare_tracks(workspace: Workspace, ids: Sequence[str]) -> ComparedMappings:
    """Read the evidence of attributed tracks and pay it by every mapping."""
    books = workspace.books()
    documents = {id_: read_evidence(workspace.home / "evidence" / f"{id_}.json") for id_ in ids}
    plays = {row.id: row.plays or 0 for row in tracks(EVERYONE, books) if row.id in documents}
    weights = plays if any(plays.values()) else dict.fromkeys(documents, 1)
    frozen = {id_: _frozen(document) for id_, document in documents.items()}
    paid = pay_by_each(
        {id_: works_in(document) for id_, document in documents.items()},
        weights,
        {
            "gated": frozen,
            "gated_shrunk": {id_: shrunk(shares) for id_, shares in frozen.items()},
        },
    )
    rows = recordings(EVERYONE, books)
    artists = {row.recording.id: row.recording.artist for row in rows}
    return ComparedMappings(
        weights=weights,
        by_plays=any(plays.values()),
        paid=paid,
        recordings=compare_mappings(paid),
        artists=compare_mappings(paid, artists),
        names={row.recording.artist: row.artist_name for row in rows},
    )


def works_in(document: Mapping[str, Any]) -> list[WorkEvidence]:
    """Read what evidence says of each work: its excess is the only replicate. Raises `NotReady`."""
    if any(not isinstance(each["recordings"], dict) for each in document["works"]):
        raise NotReady(
            f"the evidence of {document['track']} does not say what each recording scored; delete "
            f"evidence/{document['track']}.json and attribute the track again"
        )
    return [
        WorkEvidence(
            work=each["work"],
            cleared=each["cleared"],
            replicates=[each["mean"]],
            scores=each["recordings"],
        )
        for each in document["works"]
    ]


def _frozen(document: Mapping[str, Any]) -> list[Share]:
    rows = [*document["recordings"], {"id": None, **document["unattributed"]}]
    return [
        Share(
            recording=row["id"],
            ppb=row["share_ppb"],
            low_ppb=row["low_ppb"],
            high_ppb=row["high_ppb"],
        )
        for row in rows
    ]
