"""Evidence becomes shares: named, versioned mappings, and the one place where floats stop.

A share is an integer in parts per billion. A track's shares and its unattributed part sum to 10**9.
A mapping takes what is known of every work and returns the shares, unattributed part last:

    shares = MAPPINGS["gated"](evidence)          # stored with its name, VERSIONS["gated"]

`gated` is what is paid by; the others stand beside it, to show what choosing it decides
(`royalty.comparison`). None of them sees who owns what, so an owner gains nothing by dividing; all
of them weigh works, and give a work's share to its recordings by positive score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from royalty.shares.evidence import Share, WorkEvidence, freeze
from royalty.shares.gated import GATED_VERSION, gated, gated_shrunk, shrunk
from royalty.shares.published import PUBLISHED, Published, Weighting

__all__ = [
    "GATED_VERSION",
    "MAPPINGS",
    "PUBLISHED",
    "VERSIONS",
    "Published",
    "Share",
    "Weighting",
    "WorkEvidence",
    "freeze",
    "gated",
    "gated_shrunk",
    "shrunk",
]

MAPPINGS: Mapping[str, Callable[[Sequence[WorkEvidence]], list[Share]]] = {
    "gated": gated,
    "gated_shrunk": gated_shrunk,
    **PUBLISHED,
}
VERSIONS: Mapping[str, str] = {name: f"{name}-1" for name in MAPPINGS}
