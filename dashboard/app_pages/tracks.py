"""Tracks answers which generated tracks earned, and how much of each is attributed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import components, identity, reads
from dashboard.months import divided
from db.queries import ROWS_MAX, Earnings, TrackRow, TracksPage, Window
from royalty.errors import NotReady

SIZE = 25  # tracks on a page
MONTH, ALL = "Of the month", "All"
WIDTHS = [5, 2, 2, 2]
EARNED = (
    "**Earned:** what the track's plays brought by the month's rule, whoever gets it. "
    "**Unattributed:** the part of the track that no work cleared against the placebos."
)
OWN = (
    "**Earned:** your own part of what the track brought. **Unattributed:** the part of the track "
    "that no work cleared against the placebos. Plays stand on your statement."
)


def show() -> None:
    """Draw the page for the chosen period, or for all tracks."""
    month, first_of_all = _month(), st.container()
    earned = month if _of_month(month) else None
    search = st.text_input("Find a track by its title or id", key="search", bind="query-params")
    found = _found(earned, Window(search=search or "", limit=0))
    if not found.count:
        _nothing(earned, search)
        return
    with first_of_all:
        about = "Tracks" if earned is None else f"Tracks played, {components.days(earned.period)}"
        components.headline(about, f"{found.count:,}")
    st.caption(EARNED if identity.viewer().sees_all else OWN)
    first = components.pager("tracks", found.count, SIZE) if found.count > SIZE else 0
    _list(_found(earned, Window(search=search or "", offset=first, limit=SIZE)))
    components.download(lambda: _table(earned, search or ""), "tracks", _file(earned))


def _month() -> Earnings | None:
    """Read the month by the rule that closed it; None where nothing divides it yet."""
    try:
        month = divided(components.chosen_period())
    except NotReady:
        return None
    return reads.earnings(identity.viewer(), reads.place(), month.row.period, month.fresh[0])


def _of_month(month: Earnings | None) -> bool:
    """Let people choose between the month's tracks and all of them, where there are two."""
    if month is None:
        return False
    chosen = st.segmented_control(
        "Which tracks", [MONTH, ALL], default=MONTH, key="which", bind="query-params"
    )
    return chosen != ALL


def _found(earned: Earnings | None, window: Window) -> TracksPage:
    payout = None if earned is None else earned.id
    return reads.tracks_page(identity.viewer(), reads.place(), payout, window)


def _nothing(earned: Earnings | None, search: str | None) -> None:
    if search:
        st.markdown(f"No track is called anything like “{components.plain(search)}”.")
    elif earned is not None:
        st.markdown(f"No track earned you anything in {components.month(earned.period)}.")
    else:
        components.empty(
            "no track was generated yet; run 'tantieme train' and 'tantieme generate -n 10', "
            "or 'tantieme demo' for all of it"
        )


def _list(page: TracksPage) -> None:
    head = st.columns(WIDTHS, gap="small")
    for column, name in zip(head, ("Track", "Earned", "Unattributed", "Plays"), strict=True):
        column.caption(name, text_alignment="left" if name == "Track" else "right")
    names = components.distinct({row.id: row.title for row in page.rows})
    with st.container(gap="xxsmall"):
        for row in page.rows:
            _row(names[row.id], row)


def _row(name: str, row: TrackRow) -> None:
    link, *cells = st.columns(WIDTHS, gap="small", vertical_alignment="center")
    with link:
        components.link("track", name, track=row.id)
    for cell, figure in zip(cells, _figures(row), strict=True):
        cell.markdown(figure or ":gray[–]", text_alignment="right")  # noqa: RUF001


def _figures(row: TrackRow) -> tuple[str, str, str]:
    """Write what is known of a track: what it earned, what is unattributed, its plays."""
    return (
        "" if row.earned is None else row.earned.rounded,
        "not yet" if row.unattributed_ppb is None else components.percent(row.unattributed_ppb),
        "" if row.plays is None else f"{row.plays:,}",
    )


def _table(earned: Earnings | None, search: str) -> pd.DataFrame:
    """List the tracks that were found, up to the most that a browser is given."""
    rows = _found(earned, Window(search=search, limit=ROWS_MAX)).rows
    return pd.DataFrame(
        {
            "track": row.id,
            "title": row.title,
            "earned": "" if row.earned is None else row.earned.decimal,
            "currency": "" if row.earned is None else row.earned.currency,
            "unattributed_ppb": "" if row.unattributed_ppb is None else row.unattributed_ppb,
            "plays": "" if row.plays is None else row.plays,
            "run": row.run or "",
        }
        for row in rows
    )


def _file(earned: Earnings | None) -> str:
    return "tracks" if earned is None else f"{earned.period}_{earned.rule}_tracks"


show()
