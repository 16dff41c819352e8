"""What every mapping starts from and ends in: evidence per work, and frozen shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, fsum, isfinite, lcm
from statistics import quantiles

from royalty.division import PPB, divide


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
    mean: float | None = None  # the score above the placebos'; None: the mean of the replicates

    @property
    def estimate(self) -> float:
        """The score above the placebos', as near as it is known."""
        return mean(self.replicates) if self.mean is None else self.mean


# From a score above the placebos' for each work: the weight of each, and of the unattributed part.
Formula = Callable[[Sequence[float], Sequence[WorkEvidence]], Sequence[float]]


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


def in_order(evidence: Sequence[WorkEvidence]) -> list[WorkEvidence]:
    """Put works in order of their ids, so that no result depends on how they came."""
    return sorted(evidence, key=lambda each: each.work)


def drawn(works: Sequence[WorkEvidence], formula: Formula) -> list[tuple[float, ...]]:
    """Apply a formula to every replicate: a column for each work, the unattributed part last."""
    replicates = zip(*(work.replicates for work in works), strict=True)
    rows = [formula(each, works) for each in replicates]
    if not rows:
        raise ValueError("evidence without replicates says nothing; give at least one")
    return list(zip(*rows, strict=True))


def assembled(
    works: Sequence[WorkEvidence], weights: Sequence[float], columns: Sequence[Sequence[float]]
) -> list[Share]:
    """Freeze weights and give each work's share to its recordings, the unattributed part last.

    `weights` and `columns` (the same in every replicate) are of the works and of the unattributed
    part. An interval runs from the 5 % to the 95 % quantile of its column, widened to hold the
    share. A work that has no part in any replicate has no row.
    """
    *parts, rest = weights
    names = [work.work for work in works]
    frozen = freeze(dict(zip(names, parts, strict=True)), rest)
    shares = []
    for work, column in zip(works, columns, strict=False):
        if frozen[work.work] or any(column):
            shares += _by_recording(work, _share(frozen[work.work], column))
    shares.sort(key=lambda share: share.recording or "")
    return [*shares, _share(frozen[None], columns[-1])]


def mean(column: Sequence[float]) -> float:
    """Average, rounding once, so that order and machine make no difference."""
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
