"""What the choice of a mapping decides: the same evidence, paid by each of them, side by side.

What is compared is what would be paid: the shares, times what each track weighs, and the
unattributed part as terms divide it unless they say otherwise, equally among all works and then
among a work's recordings. Statistics, not money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from royalty.concentration import Concentration, concentration, total_variation
from royalty.division import PPB
from royalty.errors import RoyaltyError
from royalty.shares import MAPPINGS, VERSIONS, Share, WorkEvidence

FIRST = "gated"  # what the others are compared with
Tracks = Mapping[str, Sequence[WorkEvidence]]  # by id of the track
Parts = Mapping[str, Fraction]  # id of a recording or of its owner → part of everything; sums to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What a mapping pays over all tracks, as parts of everything there is to pay."""

    mapping: str
    version: str
    unattributed: Fraction  # of which nobody could be named; divided equally, and in `recordings`
    recordings: Parts
    refused: str = ""  # why it pays nothing here; then there are no parts

    def by(self, owners: Mapping[str, str]) -> Parts:
        """Add up the parts of each owner's recordings, owners in order of their ids."""
        sums: defaultdict[str, Fraction] = defaultdict(Fraction)
        for recording, part in self.recordings.items():
            sums[owners[recording]] += part
        return dict(sorted(sums.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """How a mapping divides everything, and how much of it `gated` would give to others."""

    parts: Parts
    concentration: Concentration
    moved: float  # total variation distance from what `gated` gives


def pay_by(
    mapping: str, shares: Mapping[str, Sequence[Share]], weights: Mapping[str, int], tracks: Tracks
) -> Paid:
    """Add up what each recording gets of all tracks, for shares by track under one mapping.

    Raises `ValueError` where no track weighs anything.
    """
    whole = sum(weights[track] for track in shares)
    if whole <= 0:
        raise ValueError("no track weighs anything, so there is nothing to divide")
    sums: defaultdict[str | None, int] = defaultdict(int)
    for track, found in shares.items():
        for share in found:
            sums[share.recording] += share.ppb * weights[track]
    unattributed = Fraction(sums.pop(None, 0), whole * PPB)
    equally = _equally(tracks.values())
    return Paid(
        mapping=mapping,
        version=VERSIONS[mapping],
        unattributed=unattributed,
        recordings={
            recording: Fraction(sums[recording], whole * PPB) + unattributed * part
            for recording, part in equally.items()
        },
    )


def pay_by_each(
    tracks: Tracks,
    weights: Mapping[str, int],
    known: Mapping[str, Mapping[str, Sequence[Share]]] | None = None,
) -> list[Paid]:
    """Pay the same evidence by every mapping. A mapping that refuses it says why in its result.

    `known` has shares by mapping and track that need not be worked out again, such as frozen ones.
    """
    known = known or {}
    found = []
    for name, mapping in MAPPINGS.items():
        try:
            shares = known.get(name) or {track: mapping(each) for track, each in tracks.items()}
        except RoyaltyError as refusal:
            found.append(_refused(name, str(refusal)))
        else:
            found.append(pay_by(name, shares, weights, tracks))
    return found


def compare_mappings(
    paid: Iterable[Paid], owners: Mapping[str, str] | None = None
) -> dict[str, Mapped]:
    """Measure what each mapping pays and how far that is from `gated`, by recording or by owner.

    `owners` gives each recording's; without it recordings stand for themselves. Mappings that
    refused are left out.
    """
    parts = {
        each.mapping: each.by(owners) if owners else each.recordings
        for each in paid
        if not each.refused
    }
    return {
        name: Mapped(
            parts=each,
            concentration=concentration([*each.values()]),
            moved=total_variation(parts[FIRST], each),
        )
        for name, each in parts.items()
    }


def _refused(name: str, why: str) -> Paid:
    return Paid(
        mapping=name, version=VERSIONS[name], unattributed=Fraction(0), recordings={}, refused=why
    )


def _equally(tracks: Iterable[Sequence[WorkEvidence]]) -> dict[str, Fraction]:
    """Give every work the same part, and within a work every recording; recordings in order."""
    works: defaultdict[str, set[str]] = defaultdict(set)
    for evidence in tracks:
        for each in evidence:
            works[each.work].update(each.scores)
    parts = {
        recording: Fraction(1, len(works) * len(recordings))
        for recordings in works.values()
        for recording in recordings
    }
    return dict(sorted(parts.items()))
