"""Recordings answers where a recording was used, month by month, and what that earned."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import charts, components, identity, reads, wording
from dashboard.components import plain
from db.queries import PeriodRow, RecordingRow, Shaped, Used, Window
from royalty.errors import NotFound, NotReady
from royalty.period import Period

FOUND = Window(limit=200)  # recordings in the picker; a search finds the others
MONTHS = 12
TRACKS = 1_000  # in the table; the download has them all
USES = {"training": "Training", "output": "Pay for output"}
DEFINITIONS = (
    "**Attributed:** what the recording was shown to have earned, in the tracks it shaped. "
    "**Unattributed:** its equal part of what no recording could be shown to have earned. "
    "Intervals are 90 %, within one training run."
)


def show() -> None:
    """Draw the page for the chosen recording and period."""
    row = _chosen()
    months = _months(row.recording.id)
    period = _period()
    now = next((used for used in months if used.period == period), None)
    _headline(row, period, months)
    _facts(row)
    _standing(row, period)
    components.player(
        row.audio_sha256, f"{row.recording.title}, {row.artist_name}", "catalogue import"
    )
    _over_time(row, months)
    _shaped(row, now)


def _chosen() -> RecordingRow:
    """Pick a recording among those that a search finds. Raises `NotReady` where there is none."""
    viewer, where = identity.viewer(), reads.place()
    search = st.text_input("Find a recording by title, artist or ISRC", key="recording_search")
    page = reads.recordings_page(viewer, where, Window(search=search or "", limit=FOUND.limit))
    rows = {row.recording.id: row for row in page.rows}
    if not search:
        rows = _asked() | rows
    if not rows:
        raise NotReady(_nothing(search))
    if page.count > len(page.rows):
        st.caption(f"The first {len(page.rows):,} of {page.count:,}; search to find the others.")
    names = {key: f"{row.recording.title}, {row.artist_name}" for key, row in rows.items()}
    return rows[components.choose("recording", "Recording", names)]


def _asked() -> dict[str, RecordingRow]:
    """Read the recording that the address names or, where it names none, the most earning one.

    The list may be too short for it.
    """
    name = components.asked("recording") or _most_earning()
    if name is None:
        return {}
    try:
        row = reads.recording(identity.viewer(), reads.place(), name)
    except NotFound:
        return {}
    return {name: row}


def _most_earning() -> str | None:
    """Name the recording that earned most in the chosen month; None where that is not known."""
    viewer, where, period = identity.viewer(), reads.place(), _period()
    for row in reads.periods(viewer, where):
        if row.period == period and row.computed:
            found = reads.earnings(viewer, where, row.period, _rule(row)).recordings
            return found[0].id if found else None
    return None


def _nothing(search: str | None) -> str:
    if search:
        return f"no recording that you may see is called anything like “{plain(search)}”"
    if not identity.viewer().sees_all:
        return "no recording is listed in which you have an interest"
    return "no recording was imported yet; run 'tantieme catalogue import FOLDER'"


def _period() -> Period | None:
    name = st.session_state.get("period")
    return None if name is None else Period.parse(name)


def _months(recording: str) -> list[Used]:
    """Read the latest months that were divided, the earliest first."""
    viewer, where = identity.viewer(), reads.place()
    known = [row for row in reads.periods(viewer, where) if row.computed][:MONTHS]
    return [
        reads.used(viewer, where, recording, reads.earnings(viewer, where, row.period, rule).id)
        for row in reversed(known)
        for rule in [_rule(row)]
    ]


def _rule(row: PeriodRow) -> str:
    """Take the rule that closed a month or, while it is open, pro rata where there is that."""
    return row.rule or ("pro_rata" if "pro_rata" in row.computed else row.computed[0])


def _headline(row: RecordingRow, period: Period | None, months: Sequence[Used]) -> None:
    """One number first: what it earned in the month, beside the month before."""
    by_month = {used.period: used for used in months}
    now = by_month.get(period) if period else None
    title = row.recording.title
    if now is None or period is None:
        components.headline("Recording", title)
        return
    whose = "" if identity.viewer().sees_all else ", your part"
    components.headline(
        f"“{title}” earned{whose}, {components.days(period)}", (now.amount + now.other).rounded
    )
    before = by_month.get(period.before(1))
    then = "" if before is None else f" In {components.month(before.period)} it was "
    then += "" if before is None else f"{(before.amount + before.other).rounded}."
    tracks = "1 track" if now.count == 1 else f"{now.count:,} tracks"
    st.markdown(
        f"{now.amount.rounded} by {tracks} that it shaped "
        f"(interval {components.money_range(now.low, now.high)}), {now.other.rounded} in equal "
        f"parts; divided by **{wording.rule_name(now.rule).lower()}**.{then}"
    )


def _facts(row: RecordingRow) -> None:
    facts = {
        "Title": plain(row.recording.title),
        "Artist": plain(row.artist_name),
        "Work": plain(row.recording.work),
        "ISRC": row.recording.isrc,
        "Length": None if row.duration_ms is None else components.clock(row.duration_ms),
        "Recording": plain(row.recording.id),
    }
    st.markdown("  ·  ".join(f":gray[{name}] {value}" for name, value in facts.items() if value))


def _standing(row: RecordingRow, period: Period | None) -> None:
    """Say what the recording may be put to at the end of the month, and why not."""
    if period is None:
        return
    viewer, where, day = identity.viewer(), reads.place(), period.last_day
    standing = reads.not_to_be_used(viewer, where, row.recording.id, day)
    said = [
        f":green-badge[:material/check: {USES[use]}: allowed]"
        if why is None
        else f":orange-badge[:material/block: {USES[use]}: not allowed] {plain(why)}"
        for use, why in standing.items()
    ]
    st.markdown(f"{'  '.join(said)}  :gray[:small[on {day.isoformat()}, by what is known now]]")


def _over_time(row: RecordingRow, months: Sequence[Used]) -> None:
    st.header("Month by month", anchor=False)
    if not months:
        components.empty(
            "no month was divided yet; run 'tantieme payouts PERIOD --compare', "
            "or 'tantieme demo' for all of it"
        )
        return
    bars = [bar for used in months for bar in _bars(used)]
    most = max(months, key=lambda used: (used.amount + used.other).micros)
    st.altair_chart(
        charts.monthly(bars, axis=most.amount.currency),
        alt=f"{row.recording.title} earned most in {components.month(most.period)}, "
        f"{(most.amount + most.other).rounded}",
    )
    st.caption(DEFINITIONS)
    table = _by_month(months)
    with st.expander("The same as a table"):
        components.table(table, alt="What the recording earned by month")
    components.download(lambda: table, "months", f"{row.recording.id}_months")


def _bars(used: Used) -> list[charts.Bar]:
    name = str(used.period)
    return [
        charts.Bar(
            label=name,
            value=components.place(used.amount),
            low=components.place(used.low),
            high=components.place(used.high),
            shown=used.amount.rounded,
            interval=components.money_range(used.low, used.high),
        ),
        charts.Bar(
            label=name,
            value=components.place(used.other),
            low=components.place(used.other),
            high=components.place(used.other),
            shown=used.other.rounded,
            interval="none: in equal parts",
            kind="unattributed",
        ),
    ]


def _by_month(months: Sequence[Used]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Month": str(used.period),
            "Attributed": used.amount.decimal,
            "Low": used.low.decimal,
            "High": used.high.decimal,
            "Unattributed": used.other.decimal,
            "Currency": used.amount.currency,
            "Tracks": f"{used.count:,}",
            "Plays": "" if used.plays is None else f"{used.plays:,}",
            "Rule": wording.rule_name(used.rule),
        }
        for used in months
    )


def _shaped(row: RecordingRow, used: Used | None) -> None:
    if used is None:
        return
    st.header(f"Tracks it shaped in {components.month(used.period)}", anchor=False)
    if not used.tracks:
        st.markdown("None that was played: no played track's shares name this recording.")
        return
    st.caption(
        "Largest money first. Share: what part of the track is held to come from this recording, "
        "with its 90 % interval within one run."
    )
    with st.container(gap="xxsmall"):
        for track in used.tracks[:10]:
            _track(track)
    if used.count > len(used.tracks[:10]):
        some = min(used.count, TRACKS)
        with st.expander(f"The first {some:,} of {used.count:,} tracks"):
            components.table(_table(used.tracks[:TRACKS]), alt="Tracks that it shaped")
    name = f"{used.period}_{row.recording.id}_tracks"
    components.download(lambda: _table(used.tracks), "tracks", name)


def _track(track: Shaped) -> None:
    name, share, amount, plays = st.columns([4, 4, 2, 2], vertical_alignment="center")
    with name:
        components.link("track", track.title, track=track.track)
    share.markdown(
        f"**{components.percent(track.share_ppb)}** "
        f":gray[:small[{components.percent_range(track.low_ppb, track.high_ppb)}]]"
    )
    amount.markdown(track.amount.rounded, text_alignment="right")
    if track.plays is not None:
        plays.caption(f"{track.plays:,} plays", text_alignment="right")


def _table(tracks: Sequence[Shaped]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Track": track.title,
            "Id": track.track,
            "Share": components.percent(track.share_ppb),
            "Interval": components.percent_range(track.low_ppb, track.high_ppb),
            "Amount": track.amount.decimal,
            "Plays": "" if track.plays is None else f"{track.plays:,}",
            "share_ppb": track.share_ppb,
        }
        for track in tracks
    )


show()
