"""Evidence becomes shares: named, versioned mappings, and the one place where floats stop.

A share is an integer in parts per billion. A track's shares and its unattributed part sum to 10**9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, fsum, isfinite, lcm
from statistics import quantiles

from royalty.division import PPB, divide

GATED_VERSION = "gated-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of one track owed to one recording, with a 90 % interval, in parts per billion."""

    recording: str | None  # None: the unattributed part
    ppb: int
    low_ppb: int
    high_ppb: int

    def __post_init__(self) -> None:
        assert 0 <= self.low_ppb <= self.ppb <= self.high_ppb <= PPB, f"{self} is out of order"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEvidence:
    """What the placebo null and the replicates say of one work's part in one track."""

    work: str
    cleared: bool  # it stands out from works that were never trained on
    replicates: Sequence[float]  # score above the placebos', in as many replicates as all others
    scores: Mapping[str, float]  # recording → summed score


def freeze(
    weights: Mapping[str, float | Fraction], unattributed: float | Fraction
) -> dict[str | None, int]:
    """Turn weights into parts per billion that sum to 10**9: here floats stop.

    Largest remainder over exact fractions, ids in order and the unattributed part (None) last, so
    equal weights give equal shares on every machine. Weights need not sum to 1. Raises `ValueError`
    for a weight that is negative or not finite, `NothingToDivideAmong` when all are zero.
    """
    ordered: list[tuple[str | None, float | Fraction]] = [*sorted(weights.items())]
    ordered.append((None, unattributed))
    for name, weight in ordered:
        if not isfinite(weight) or weight < 0:
            raise ValueError(f"the weight of {name or 'the unattributed part'} is {weight}")
    exact = [Fraction(weight) for _, weight in ordered]
    parts = divide(PPB, _whole(exact))
    return {name: ppb for (name, _), ppb in zip(ordered, parts, strict=True)}


def gated(evidence: Sequence[WorkEvidence]) -> list[Share]:
    """Share a track among the works whose evidence clears the placebos, by their excess.

    On each replicate, share(w) = max(0, excess(w)) / (sum of cleared excess + max(0, sum of
    uncleared excess)); the rest is unattributed, all of it when nothing clears. The share is the
    mean over the replicates, so what is unsure is not given away in full; its interval is from
    their 5 % to their 95 % quantile, widened to hold the mean.
    A work's share goes to its recordings by positive summed score, equally if none is positive, so
    cutting a work into more recordings changes nothing for the work.
    """
    works = sorted(evidence, key=lambda each: each.work)
    *columns, rest = _drawn(works)
    means = {work.work: _mean(column) for work, column in zip(works, columns, strict=True)}
    frozen = freeze(means, _mean(rest))
    shares = []
    for work, column in zip(works, columns, strict=True):
        if any(column):  # nothing that did not clear has a part in any replicate
            shares += _by_recording(work, _share(frozen[work.work], column))
    shares.sort(key=lambda share: share.recording or "")
    return [*shares, _share(frozen[None], rest)]


MAPPINGS: Mapping[str, Callable[[Sequence[WorkEvidence]], list[Share]]] = {"gated": gated}


def _formula(excess: Sequence[float], works: Sequence[WorkEvidence]) -> tuple[list[float], float]:
    """Compute each work's share and the unattributed part, for one vector of excess."""
    kept = [max(0.0, value) * work.cleared for value, work in zip(excess, works, strict=True)]
    # fsum rounds once, so the order of works and the machine make no difference.
    lost = fsum(value for value, work in zip(excess, works, strict=True) if not work.cleared)
    whole = fsum([*kept, max(0.0, lost)])
    if not any(kept):
        return [0.0] * len(kept), 1.0
    return [value / whole for value in kept], max(0.0, lost) / whole


def _drawn(works: Sequence[WorkEvidence]) -> list[tuple[float, ...]]:
    """Apply the formula to every replicate: a column for each work, then the unattributed part."""
    replicates = zip(*(work.replicates for work in works), strict=True)
    drawn = [[*shares, rest] for shares, rest in (_formula(each, works) for each in replicates)]
    if not drawn:
        raise ValueError("evidence without replicates says nothing; give at least one")
    return list(zip(*drawn, strict=True))


def _mean(column: Sequence[float]) -> float:
    return fsum(column) / len(column)


def _share(ppb: int, column: Sequence[float]) -> Share:
    low, high = _ends(column)
    return _widened(None, ppb, floor(low * PPB), ceil(high * PPB))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    cuts = quantiles(values, n=20, method="inclusive")
    return cuts[0], cuts[-1]


def _by_recording(work: WorkEvidence, share: Share) -> list[Share]:
    """Divide a work's share and its interval among its recordings, exactly."""
    recordings = sorted(work.scores)
    positive = [Fraction(max(0.0, work.scores[each])) for each in recordings]
    weights = positive if any(positive) else [Fraction(1)] * len(recordings)
    parts = divide(share.ppb, _whole(weights))
    whole = sum(weights)
    return [
        _widened(
            each, ppb, floor(share.low_ppb * part / whole), ceil(share.high_ppb * part / whole)
        )
        for each, ppb, part in zip(recordings, parts, weights, strict=True)
    ]


def _widened(recording: str | None, ppb: int, low: int, high: int) -> Share:
    """Make a share whose interval holds it and stays within the whole."""
    return Share(
        recording=recording,
        ppb=ppb,
        low_ppb=max(0, min(low, ppb)),
        high_ppb=min(PPB, max(high, ppb)),
    )


def _whole(fractions: Sequence[Fraction]) -> list[int]:
    """Express the same proportions in whole numbers."""
    scale = lcm(*(each.denominator for each in fractions))
    return [int(each * scale) for each in fractions]
