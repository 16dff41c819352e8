"""The mapping that is paid by: only what stands out from the placebos, in proportion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import fsum

from royalty.division import PPB
from royalty.shares.evidence import Share, WorkEvidence, assembled, drawn, in_order, mean

GATED_VERSION = "gated-1"


def gated(evidence: Sequence[WorkEvidence]) -> list[Share]:
    """Share a track among the works whose evidence clears the placebos, by their excess.

    On each replicate, share(w) = max(0, excess(w)) / (sum of cleared excess + max(0, sum of
    uncleared excess)); the rest is unattributed, all of it when nothing clears. The share is the
    mean over the replicates, so what is unsure is not given away in full; its interval is from
    their 5 % to their 95 % quantile, widened to hold the mean.
    A work's share goes to its recordings by positive summed score, equally if none is positive, so
    cutting a work into more recordings changes nothing for the work.
    """
    works = in_order(evidence)
    columns = drawn(works, _formula)
    return assembled(works, [mean(column) for column in columns], columns)


def gated_shrunk(evidence: Sequence[WorkEvidence]) -> list[Share]:
    """Share a track as `gated` does, but pay each work only the low end of its interval."""
    return shrunk(gated(evidence))


def shrunk(shares: Sequence[Share]) -> list[Share]:
    """Let each share fall to the low end of its interval; what it loses is unattributed."""
    *paid, rest = shares
    left = PPB - sum(share.low_ppb for share in paid)
    return [
        *(replace(share, ppb=share.low_ppb) for share in paid),
        replace(rest, ppb=left, low_ppb=min(rest.low_ppb, left), high_ppb=max(rest.high_ppb, left)),
    ]


def _formula(excess: Sequence[float], works: Sequence[WorkEvidence]) -> list[float]:
    """Compute each work's share and the unattributed part, for one vector of excess."""
    kept = [max(0.0, value) * work.cleared for value, work in zip(excess, works, strict=True)]
    # fsum rounds once, so the order of works and the machine make no difference.
    lost = fsum(value for value, work in zip(excess, works, strict=True) if not work.cleared)
    if not any(kept):
        return [*kept, 1.0]
    rest = max(0.0, lost)
    whole = fsum([*kept, rest])
    return [*(value / whole for value in kept), rest / whole]
