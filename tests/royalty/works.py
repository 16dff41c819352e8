"""Invented evidence: works for the mappings to share a track among."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from royalty.shares import Share, WorkEvidence


def work(id_: str, excess: float, *, cleared: bool = True, **other: object) -> WorkEvidence:
    """A work of one recording with one replicate."""
    values = {"replicates": [excess], "scores": {f"{id_}/1": 1.0}} | other
    return WorkEvidence(work=id_, cleared=cleared, **values)


def by_recording(shares: Iterable[Share]) -> dict[str | None, int]:
    return {each.recording: each.ppb for each in shares}


def by_work(shares: Iterable[Share]) -> dict[str, int]:
    """What each work got, of those that got something; recordings are called WORK/NUMBER."""
    sums: dict[str, int] = {}
    for each in shares:
        key = (each.recording or "").split("/")[0]
        sums[key] = sums.get(key, 0) + each.ppb
    return {key: ppb for key, ppb in sums.items() if ppb}


@st.composite
def evidences(draw: st.DrawFn, lowest: float = -5) -> list[WorkEvidence]:
    replicates = draw(st.integers(1, 25))
    numbers = st.floats(lowest, 5)
    return [
        WorkEvidence(
            work=f"w{n}",
            cleared=draw(st.booleans()),
            replicates=draw(st.lists(numbers, min_size=replicates, max_size=replicates)),
            scores={f"w{n}/{i}": draw(st.floats(-5, 5)) for i in range(draw(st.integers(1, 3)))},
        )
        for n in range(draw(st.integers(1, 5)))
    ]
