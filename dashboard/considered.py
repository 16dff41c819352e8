"""What did not shape a track: works that were held against the placebos and did not clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import components, identity, reads

SHOWN = 10  # in the list; the download has all
HOW_TO_READ = (
    "Every work that the model was trained on was scored for this track, and so were works that "
    "it was never trained on: the placebos. A work is paid only where it stands out from these. "
    "*Score*: above the placebos' average. *Chance*: how often a placebo would score as high. "
    "Among many works some score high by luck: each must stand out by more than its chance says."
)


def show(evidence: Mapping[str, Any] | None) -> None:
    """Draw the section of a track; nothing where no evidence of it is here."""
    if evidence is None:
        return
    named = _titles(evidence.get("works", ()))
    works = [work for work in not_cleared(evidence) if work["work"] in named]
    if not works:
        return
    st.header("What did not shape it", anchor=False)
    st.markdown(
        f"{len(works):,} of {_whose()}{len(named):,} works were examined and did not clear; "
        f"{len(named) - len(works):,} did. The closest of them:"
    )
    rows = [_row(work, named) for work in works[:SHOWN]]
    components.table(pd.DataFrame(rows), alt=_takeaway(works, named))
    st.caption(HOW_TO_READ)
    track = str(evidence["track"])
    components.download(lambda: _table(works), "all of them", f"{track}_not_cleared")


def _whose() -> str:
    return "" if identity.viewer().sees_all else "your "


def not_cleared(evidence: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the works that did not clear, those closest to it first."""
    works = [work for work in evidence.get("works", ()) if not work["cleared"]]
    return sorted(works, key=lambda work: (work["p"], -work["mean"], work["work"]))


def _takeaway(works: Sequence[Mapping[str, Any]], named: Mapping[str, str]) -> str:
    first = works[0]
    return (
        f"{named[first['work']]} came closest of the works that did not clear: a placebo scores as "
        f"high {_chance(first['p'])} of the time"
    )


def _row(work: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, str]:
    return {
        "Work": named[work["work"]],
        "Score": f"{work['mean']:.1f}",
        "Interval": f"{work['low']:.1f} to {work['high']:.1f}",
        "Chance": _chance(work["p"]),
    }


def _table(works: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    names = ("work", "mean", "low", "high", "p", "items")
    return pd.DataFrame([{name: work[name] for name in names} for work in works])


def _chance(p: float) -> str:
    return "< 0.1 %" if p < 0.001 else f"{100 * p:.1f} %"  # noqa: PLR2004


def _titles(works: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Name the works that the viewer may see, each by its first recording."""
    first = {work["work"]: min(work["recordings"], default="") for work in works}
    titles = reads.titles(identity.viewer(), reads.place(), tuple(first.values()))
    return {work: titles[recording] for work, recording in first.items() if recording in titles}
