"""Listeners who played one track most: for auditors only, and under pseudonyms."""

from __future__ import annotations

import streamlit as st

from dashboard import components, identity, reads, tables
from db.queries import Listener
from royalty.period import Period
from royalty.reports.table import Column, Table

COLUMNS = (
    Column(name="listener", title="Listener", kind="id"),
    Column(name="track", title="Track", kind="id"),
    Column(name="track_plays", title="Plays of it", kind="count"),
    Column(name="part", title="Part of its plays", kind="percent"),
    Column(name="plays", title="Plays in all", kind="count"),
    Column(name="of_month", title="Of the month", kind="percent"),
    Column(name="tracks", title="Tracks", kind="count"),
    Column(name="paid", title="Paid"),
)
EXPLAINED = (
    "By the track that each played most. A reason to look, and never proof: whoever loves a track "
    "looks the same. Names are pseudonyms, the same in every month of this workspace."
)


def fold(period: Period) -> None:
    """Draw the listeners once somebody unfolds them; to those who may not see them, say so."""
    if not identity.viewer().listeners:
        st.caption("Who listened is shown to auditors only.")
        return
    folded = st.expander(
        "Listeners who played one track most",
        key="who",
        on_change="rerun",
        bind="query-params",
    )
    if folded.open:
        with folded, components.refusals():
            _draw(period)


def _draw(period: Period) -> None:
    found = reads.heaviest(identity.viewer(), reads.place(), period)
    if not found:
        st.markdown("Nobody played anything.")
        return
    first = f"The one who comes first played one track {found[0].track_plays:,} times"
    part = components.percent(found[0].track_plays, found[0].of_track_plays)
    alone = sum(each.tracks == 1 for each in found)
    st.markdown(
        f"{first}, {part} of its plays, and paid {_paid(found[0])}. **{alone}** of these "
        f"{len(found)} played nothing else."
    )
    st.caption(EXPLAINED)
    tables.show(_table(period, found), alt=f"{first}, {part} of its plays")


def _table(period: Period, found: list[Listener]) -> Table:
    return Table(
        name="listeners",
        title="Listeners",
        columns=COLUMNS,
        rows=tuple(
            (
                each.pseudonym,
                each.track,
                each.track_plays,
                each.track_plays / each.of_track_plays,
                each.plays,
                each.plays / each.of_plays,
                each.tracks,
                _paid(each),
            )
            for each in found
        ),
        period=period,
    )


def _paid(each: Listener) -> str:
    return ", ".join(paid.rounded for paid in each.fees) or "nothing"
