"""Track answers what shaped one generated track, and how sure that is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import (
    charts,
    components,
    considered,
    contest,
    identity,
    narrowing,
    passage_view,
    reads,
)
from dashboard.components import plain
from db.queries import ShareRow, TrackDetail, TrackRow, Window
from royalty.division import PPB
from royalty.errors import NotFound, NotReady

PERCENT_PPB = PPB // 100
FOUND = Window(limit=500)  # tracks in the picker
PLAYERS = 8  # recordings with a player of their own; the table has the rest
NO_SHARES = "This track has no shares yet; run 'tantieme attribute {}'"
NONE = "No work cleared the placebos. All of this track is unattributed."
NONE_OF_YOURS = "No recording of yours is held to have shaped it."
WITHIN_ONE_RUN = (
    "Intervals are 90 %, within one run: they come from the placebos and from resampling spans, "
    "and leave out what training once more would change."
)
UNEXPLAINED = (
    "No reason was recorded. It is the part of the track that no work cleared against the placebos."
)


def show() -> None:
    """Draw the page for the chosen track."""
    chosen = components.choose("track", "Track", _names())
    detail = reads.track(identity.viewer(), reads.place(), chosen)
    evidence = narrowing.evidence(identity.viewer(), reads.place(), chosen)
    _headline(detail.row)
    if detail.unattributed is None:
        components.empty(NO_SHARES.format(chosen))
        return
    shaped, beside = st.columns([5, 3], gap="large")
    with shaped:
        _shaped(detail.shares, detail.unattributed)
        _otherwise_paid(detail)
        _unattributed(detail.unattributed, evidence)
        _how(detail, evidence)
    with beside:
        _similarity(evidence)
    passage_view.show(detail.row)
    _recordings(detail.row.id, detail.shares)
    considered.show(evidence)
    contest.show(detail)


def _names() -> dict[str, str]:
    """Name the tracks of the picker: those of the month, and the one that the address names."""
    viewer, where = identity.viewer(), reads.place()
    page = reads.tracks_page(viewer, where, _payout(), FOUND)
    names = {row.id: row.title for row in page.rows}
    asked = components.asked("track")
    if asked is not None and asked not in names:
        with contextlib.suppress(NotFound):
            names[asked] = reads.track(viewer, where, asked).row.title
    if not names:
        raise NotReady(
            "no track was generated yet; run 'tantieme train' and 'tantieme generate -n 10', "
            "or 'tantieme demo' for all of it"
        )
    if page.count > len(page.rows):
        st.caption(
            f"{len(page.rows):,} of {page.count:,} tracks are listed; Tracks finds them all."
        )
    return names


def _payout() -> str | None:
    """Name the payout of the chosen month; None, for all tracks, where nobody earned by any."""
    viewer, where = identity.viewer(), reads.place()
    for month in reads.periods(viewer, where):
        if str(month.period) == st.session_state.get("period") and month.computed:
            rule = month.rule or month.computed[0]
            payout = reads.earnings(viewer, where, month.period, rule).id
            found = reads.tracks_page(viewer, where, payout, Window(limit=0))
            return payout if found.count else None
    return None


def _headline(row: TrackRow) -> None:
    where = reads.place()
    made = reads.provenance(where, row.id)
    components.headline("Generated track", row.title)
    facts = {
        "Length": None if row.duration_ms is None else components.clock(row.duration_ms),
        "Plays in the latest month": None if row.plays is None else f"{row.plays:,}",
        "Run": row.run,
        "Seed": row.seed,
        "Prompt": _prompt(made),
        "Track": row.id,
    }
    known = [f":gray[{name}] {value}" for name, value in facts.items() if value is not None]
    st.markdown("  ·  ".join(known))
    components.player(row.audio_sha256, row.title, "generate")


def _prompt(made: Mapping[str, Any]) -> str | None:
    """Say what the model was given to continue; None where the track came from elsewhere."""
    if not made:
        return None
    prompt = made.get("prompt")
    return f"opening of {prompt['recording']}" if prompt else "none"


def _shaped(shares: Sequence[ShareRow], rest: ShareRow) -> None:
    st.header("What shaped it", anchor=False)
    if not shares:
        st.markdown(NONE if identity.viewer().sees_all else NONE_OF_YOURS)
    bars = [*_bars(shares), _bar("Unattributed\nno single work", rest, "unattributed")]
    st.altair_chart(charts.ranked(bars, axis="Share, %"), alt=_takeaway(shares, rest))
    st.caption(WITHIN_ONE_RUN)


def _otherwise_paid(detail: TrackDetail) -> None:
    """Say so where the chosen month, once closed, had paid the track by other shares."""
    viewer, where = identity.viewer(), reads.place()
    for month in reads.periods(viewer, where):
        if str(month.period) == st.session_state.get("period") and month.status == "closed":
            paid = reads.earnings(viewer, where, month.period, month.rule or "")
            like = reads.tracks_page(viewer, where, paid.id, Window(search=detail.row.id))
            played = detail.row.id in {row.id for row in like.rows}
            if played and paid.provider != detail.provider:
                name = components.month(month.period)
                st.info(f"These are not the shares {name} was paid by.")


def _takeaway(shares: Sequence[ShareRow], rest: ShareRow) -> str:
    unknown = components.percent(rest.ppb)
    if not shares:
        return f"{unknown} of this track is unattributed"
    first = shares[0]
    return (
        f"{first.title} by {first.artist_name} comes first with {components.percent(first.ppb)}; "
        f"{unknown} is unattributed"
    )


def _bars(shares: Sequence[ShareRow]) -> list[charts.Bar]:
    names = components.distinct(
        {share.recording: f"{share.title}\n{share.artist_name}" for share in shares}
    )
    drawn = shares[:PLAYERS]
    return [_bar(names[share.recording], share, "attributed") for share in drawn]


def _bar(label: str, share: ShareRow, kind: str) -> charts.Bar:
    return charts.Bar(
        label=label,
        value=share.ppb / PERCENT_PPB,
        low=share.low_ppb / PERCENT_PPB,
        high=share.high_ppb / PERCENT_PPB,
        shown=components.percent(share.ppb),
        interval=components.percent_range(share.low_ppb, share.high_ppb),
        kind=kind,
    )


def _unattributed(rest: ShareRow, evidence: dict[str, Any] | None) -> None:
    st.subheader(f"{components.percent(rest.ppb)} unattributed", anchor=False)
    st.markdown(
        f":gray[Interval {components.percent_range(rest.low_ppb, rest.high_ppb)}, within one run.] "
        f"{(evidence or {}).get('why_unattributed') or UNEXPLAINED}"
    )


def _similarity(evidence: dict[str, Any] | None) -> None:
    """Show what merely sounds alike, apart from what shaped the track."""
    with st.container(border=True):
        st.subheader("Similarity, not influence", anchor=False)
        st.caption(
            "How many runs of notes are the same. A recording can sound alike and have shaped "
            "nothing: nobody is paid by this list."
        )
        alike = (evidence or {}).get("similarity", [])[:PLAYERS]
        if not alike:
            st.markdown(":gray[No similarity was recorded for this track.]")
            return
        st.table(
            pd.DataFrame(
                {
                    "Recording": f"{plain(row['title'])} :gray[{plain(row['artist'])}]",
                    "Overlap": f"{row['overlap']:.3f}",
                }
                for row in alike
            ),
            border="horizontal",
            hide_index=True,
            alt="Recordings by overlap of notes with this track: similarity, not influence",
        )


def _how(detail: TrackDetail, evidence: dict[str, Any] | None) -> None:
    st.subheader("How this was found", anchor=False)
    known = evidence or {}
    facts = {
        "Method": known.get("method"),
        "Mapping": known.get("mapping"),
        "Shares from": detail.provider,
        "Index": known.get("index"),
        "Run": known.get("run"),
    }
    st.table(
        {name: f"`{value}`" for name, value in facts.items() if value},
        border="horizontal",
    )
    st.code(reads.place().command(f"attribute {detail.row.id}"), language=None, wrap_lines=True)


def _recordings(track: str, shares: Sequence[ShareRow]) -> None:
    """Draw each recording with its share and a player, and the rest as a table."""
    if not shares:
        return
    st.header("Listen to them", anchor=False)
    for rank, share in enumerate(shares[:PLAYERS], start=1):
        _recording(rank, share)
    if len(shares) > PLAYERS:
        with st.expander(f"All {len(shares)} recordings"):
            st.dataframe(_share_table(shares), hide_index=True, alt="Every recording's share")
    components.download(lambda: _share_table(shares), "shares", f"{track}_shares")


def _recording(rank: int, share: ShareRow) -> None:
    with st.container(border=True):
        name, part, player = st.columns([5, 3, 5], vertical_alignment="center")
        name.markdown(
            f"**{rank}. {plain(share.title)}**  \n{plain(share.artist_name)}  \n"
            f":gray[:small[{plain(share.work)}]]"
        )
        part.markdown(
            f"**{components.percent(share.ppb)}**  \n"
            f":gray[:small[{components.percent_range(share.low_ppb, share.high_ppb)}, "
            "within one run]]"
        )
        with player:
            components.player(
                share.audio_sha256, f"{share.title}, {share.artist_name}", "catalogue import"
            )


def _share_table(shares: Sequence[ShareRow]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Recording": share.title,
            "Artist": share.artist_name,
            "Work": share.work,
            "Share": components.percent(share.ppb),
            "Interval": components.percent_range(share.low_ppb, share.high_ppb),
            "share_ppb": share.ppb,
        }
        for share in shares
    )


show()
