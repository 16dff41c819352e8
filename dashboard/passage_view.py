"""Which passage of a track came from where: a picture, and players of both sides of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import charts, components, identity, narrowing, reads
from dashboard.components import plain
from dashboard.passages import Pairing, Passages, Source
from db.queries import TrackRow

CELLS_MAX = 10_000  # drawn at once
NO_PASSAGES = "No passages of this track are here yet; run 'tantieme attribute {}'"
HOW_TO_READ = (
    "The more a cell stands out, the more that passage of the recording (up) helped to produce "
    "that passage of the track (across), beyond what music the model never heard would score. It "
    "describes: it carries no interval, and no money follows from it. Click a cell to hear both."
)


@st.fragment
def show(row: TrackRow) -> None:
    """Draw the section of a track; a click reruns no more than this."""
    st.header("Which passage came from where", anchor=False)
    with components.refusals():
        found = narrowing.passages_of(identity.viewer(), reads.place(), row.id)
        if found is None:
            components.empty(NO_PASSAGES.format(row.id))
            return
        names = {each.id: f"{each.title}, {each.artist}" for each in found.sources.values()}
        labels = components.distinct(names)
        chosen = st.selectbox(
            "Recording", list(labels), format_func=labels.__getitem__, key=f"passages_{row.id}"
        )
        _picture(row, found, found.sources[chosen])
        _strongest(row, found.strongest)


def _picture(row: TrackRow, found: Passages, source: Source) -> None:
    """Draw one recording's passages, and play the picked one beside the track's."""
    cells = cells_of(found, source)
    if not 0 < len(cells) <= CELLS_MAX:
        st.markdown(f":gray[{len(cells):,} passages are too many to draw.]")
        return
    best = max(cells, key=lambda cell: cell.score)
    first = (best.window, best.item)
    drawn = st.altair_chart(
        charts.heat(cells, most=found.most, picked=first),
        key=f"heat_{row.id}_{source.id}",
        on_select="rerun",
        selection_mode=charts.CELL,
        alt=f"{best.track} of the track owes most to {best.recording} of {source.title}",
    )
    st.caption(HOW_TO_READ)
    window, item = picked(drawn, cells) or first
    _pair(
        row,
        Pairing(
            source=source,
            track=found.windows[window],
            recording=source.items[item],
            score=source.scores[window][item],
        ),
    )


def cells_of(found: Passages, source: Source) -> list[charts.Cell]:
    """Hold every window of the track against every passage of a recording."""
    return [
        charts.Cell(
            window=window,
            item=item,
            start=when[0] / 1000,
            end=when[1] / 1000,
            from_start=where[0] / 1000,
            from_end=where[1] / 1000,
            score=source.scores[window][item],
            track=components.stretch(when),
            recording=components.stretch(where),
        )
        for window, when in enumerate(found.windows)
        for item, where in enumerate(source.items)
    ]


def picked(drawn: Mapping[str, Any], cells: Sequence[charts.Cell]) -> tuple[int, int] | None:
    """Return the (window, item) that was clicked; None before a click, or where it is no cell."""
    known = {(cell.window, cell.item) for cell in cells}
    clicked = [
        (each.get("window"), each.get("item"))
        for each in drawn.get("selection", {}).get(charts.CELL, [])
    ]
    return next((cell for cell in clicked if cell in known), None)


def _pair(row: TrackRow, cell: Pairing) -> None:
    """Draw two players that play a passage of the track and the one it came from."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(
            f"**{components.stretch(cell.track)}** of this track "
            f":gray[:small[score {cell.score:.1f}]]"
        )
        components.player(row.audio_sha256, row.title, "generate", cell.track)
    source = cell.source
    with right:
        st.markdown(
            f"**{components.stretch(cell.recording)}** of {plain(source.title)} "
            f":gray[{plain(source.artist)}]"
        )
        components.player(source.audio_sha256, source.title, "catalogue import", cell.recording)


def _strongest(row: TrackRow, strongest: Sequence[Pairing]) -> None:
    if not strongest:
        return
    st.subheader("Strongest passages", anchor=False)
    for each in strongest:
        with st.container(border=True):
            _pair(row, each)
