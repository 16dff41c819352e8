"""A month, had some recordings not been trained on: from evidence, without training again.

Pure. Tracks and their revenue stay as they are; what changes is who is said to have shaped them. A
track's evidence is mapped again without the rows of what is removed, as `gated` maps it: what
others are owed of it grows in proportion, and all is unattributed where nobody else stands out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, fsum

from royalty.division import PPB
from royalty.errors import RoyaltyError
from royalty.money import Money
from royalty.period import Period
from royalty.shares import Share, WorkEvidence, freeze


def shares_without(
    shares: Sequence[Share], works: Sequence[WorkEvidence], removed: Collection[str]
) -> list[Share]:
    """Share a track as `gated` would without some recordings.

    `shares` are the frozen ones, unattributed part last; `works` what is known of each work. In
    units of evidence a frozen share is worth its part of the whole, kept excess + lost excess. What
    is removed loses its part; the unattributed part changes by what the uncleared works lose. For
    evidence of one replicate this is `gated` itself; else it differs by how replicates spread.
    """
    *paid, rest = shares
    whole = Fraction(_whole(works))
    left = [share for share in paid if share.recording not in removed]
    if not any(share.ppb for share in left) or not whole:
        return [*_nothing(left), Share(recording=None, ppb=PPB, low_ppb=PPB, high_ppb=PPB)]
    change = Fraction(max(0.0, _lost(works, removed))) - Fraction(max(0.0, _lost(works, ())))
    weights = {str(share.recording): share.ppb * whole for share in left}
    unattributed = max(Fraction(0), rest.ppb * whole + PPB * change)
    frozen = freeze(weights, unattributed)
    # What one part per billion of the frozen shares is now worth, in parts per billion.
    unit = PPB / (sum(weights.values()) + unattributed)
    found = [
        _within(share.recording, frozen[share.recording], share.low_ppb * whole * unit,
                share.high_ppb * whole * unit)
        for share in left
    ]  # fmt: skip
    ends = ((end * whole + PPB * change) * unit for end in (rest.low_ppb, rest.high_ppb))
    return [*found, _within(None, frozen[None], *ends)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody gets of a month, and would get."""

    id: str
    name: str
    actual: Money
    without: Money

    @property
    def difference(self) -> Money:
        """What would be gained, or lost."""
        return self.without - self.actual


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """A month beside itself, had some recordings not been trained on. Sums are alike, asserted."""

    period: Period
    rule: str
    closed: bool
    removed: tuple[str, ...]  # recordings
    own: Change  # what the removed recordings brought by use of tracks, whoever it went to
    payees: tuple[Change, ...]  # who loses most first
    others: tuple[Change, ...]  # suspense and the platform
    unattributed: Change  # part of the payees' amounts

    def __post_init__(self) -> None:
        off = sum(each.difference.micros for each in (*self.payees, *self.others))
        assert off == 0, f"{off} micros were lost or made"

    @property
    def moved(self) -> Money:
        """What changes hands: all that is gained by those who gain."""
        gains = (each.difference.micros for each in (*self.payees, *self.others))
        return Money(sum(gain for gain in gains if gain > 0), self.unattributed.actual.currency)


def changes(
    actual: Mapping[str, int], without: Mapping[str, int], names: Mapping[str, str], currency: str
) -> tuple[Change, ...]:
    """Put amounts in micros side by side, who loses most first."""
    rows = [
        Change(
            id=each,
            name=names.get(each, each),
            actual=Money(actual.get(each, 0), currency),
            without=Money(without.get(each, 0), currency),
        )
        for each in actual.keys() | without.keys()
    ]
    return tuple(sorted(rows, key=lambda row: (row.difference.micros, row.id)))


def require_others(licensed: Collection[str], removed: Collection[str]) -> None:
    """Raise `RoyaltyError` where nothing licensed would be left to be paid for."""
    if not set(licensed) - set(removed):
        raise RoyaltyError(
            "without these recordings nothing licensed is left, so there is no month to divide; "
            "leave fewer out"
        )


def stated_without(shares: Sequence[Share], removed: Collection[str]) -> list[Share]:
    """Share a track that came with shares and no evidence: what is removed is unattributed."""
    *paid, rest = shares
    gone = [share for share in paid if share.recording in removed]
    return [
        *(share for share in paid if share.recording not in removed),
        Share(
            recording=None,
            ppb=rest.ppb + sum(share.ppb for share in gone),
            low_ppb=rest.low_ppb + sum(share.low_ppb for share in gone),
            high_ppb=min(PPB, rest.high_ppb + sum(share.high_ppb for share in gone)),
        ),
    ]


def _whole(works: Sequence[WorkEvidence]) -> float:
    """Add up what `gated` divides by: kept excess and, above zero, the lost."""
    kept = (max(0.0, work.estimate) for work in works if work.cleared)
    return fsum([*kept, max(0.0, _lost(works, ()))])


def _lost(works: Sequence[WorkEvidence], removed: Collection[str]) -> float:
    """Add up the excess of works that do not clear, without what is removed of them."""
    return fsum(work.estimate * _part(work, removed) for work in works if not work.cleared)


def _part(work: WorkEvidence, removed: Collection[str]) -> float:
    """Return the part of a work that stays, as its share is divided among its recordings."""
    positive = {name: max(0.0, score) for name, score in work.scores.items()}
    if not any(positive.values()):
        positive = dict.fromkeys(work.scores, 1.0)
    stays = fsum(score for name, score in positive.items() if name not in removed)
    return stays / fsum(positive.values()) if positive else 1.0


def _nothing(left: Sequence[Share]) -> list[Share]:
    return [Share(recording=each.recording, ppb=0, low_ppb=0, high_ppb=0) for each in left]


def _within(recording: str | None, ppb: int, low: Fraction, high: Fraction) -> Share:
    """Make a share whose interval holds it and stays within the whole."""
    return Share(
        recording=recording,
        ppb=ppb,
        low_ppb=max(0, min(floor(low), ppb)),
        high_ppb=min(PPB, max(ceil(high), ppb)),
    )
