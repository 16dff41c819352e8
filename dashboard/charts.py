"""The charts: Altair only, so that all of them look alike. The palette is in `config.toml`.

A float here is a place on the screen; every figure that can be read came from `royalty.money`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

Layers = alt.LayerChart | alt.FacetChart  # what Altair says that layering gives

ROW_PX = 40
AXIS_PX = 60
BAR_PX = 44
HEAT_PX = 300
LEGEND_PX = 70
KINDS = ["attributed", "other", "unattributed"]  # in the order of the palette
CHANGES = ["gain", "loss"]
INK = {"light": "#14120E", "dark": "#E9E6DE"}
MUTED = {"light": "#6B675F", "dark": "#A9A69E"}  # text beside the axes
FADED = {"light": "#A8A296", "dark": "#7D7A73"}
FAINT = {"light": "#CFC8BA", "dark": "#4A504D"}
HEAT = {  # below nothing, nothing, above it
    "light": ["#BF8233", "#F3F0E9", "#1F6B63"],
    "dark": ["#E8B560", "#202423", "#5DB3A6"],
}
CELL = "cell"  # the name that Streamlit reports what was clicked under


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a ranked chart. `shown` and `interval` are its figures as text."""

    label: str
    value: float
    low: float
    high: float
    shown: str
    interval: str
    kind: str = "attributed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """What one payee gets under one rule. `shown` is the amount as text."""

    label: str
    rule: str
    value: float
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A stretch of a track against a stretch of a recording. Times are seconds."""

    window: int
    item: int
    start: float
    end: float
    from_start: float
    from_end: float
    score: float
    track: str
    recording: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An estimate; without an interval its ends are its value."""

    label: str
    value: float
    low: float
    high: float
    shown: str
    interval: str
    kind: str = "attributed"


def ranked(bars: Sequence[Bar], *, axis: str, kinds: Sequence[str] = KINDS) -> Layers:
    """Draw amounts as bars in the order given, each with its interval as a thin line.

    `kinds` of bars take the colours of the palette in turn.
    """
    frame = pd.DataFrame([asdict(bar) for bar in bars])
    tooltip = _said(label="Name", shown=axis, interval="Interval")
    base = alt.Chart(frame).encode(y=_rows(two_lines="\n" in bars[0].label), tooltip=tooltip)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=list(kinds)), legend=None)
    bar = base.mark_bar(height={"band": 0.55}, cornerRadiusEnd=3).encode(
        x=alt.X("value:Q", title=axis, axis=_scale()), color=colour
    )
    line = base.mark_rule(strokeWidth=1.5, color=_ink(INK)).encode(x="low:Q", x2="high:Q")
    ends = [
        base.mark_tick(thickness=1.5, size=9, color=_ink(INK)).encode(x=f"{end}:Q")
        for end in ("low", "high")
    ]
    return alt.layer(bar, line, *ends).properties(height=ROW_PX * len(bars) + AXIS_PX)


def spread(dots: Sequence[Dot], *, rules: tuple[str, str], axis: str) -> Layers:
    """Draw what each payee gets under every rule: two rules as dots of colour, the rest faint.

    A line spans all rules. Rows stand in the order in which payees first come.
    """
    frame = pd.DataFrame([asdict(dot) for dot in dots])
    tooltip = _said(label="Name", rule="Rule", shown=axis)
    x = alt.X("value:Q", title=axis, axis=_scale())
    base = alt.Chart(frame).encode(y=_rows())
    line = base.mark_rule(strokeWidth=3, color=_ink(FAINT)).encode(
        x=alt.X("min(value):Q", title=axis, axis=_scale()), x2="max(value):Q"
    )
    others = base.mark_tick(thickness=2, size=14, color=_ink(FADED)).encode(x=x, tooltip=tooltip)
    # Below, so that rows stand level with those of a chart beside this one.
    legend = alt.Legend(
        title=None,
        orient="bottom",
        direction="vertical",
        symbolSize=110,
        labelLimit=140,
        **_muted(),
    )
    two = (
        base.mark_circle(size=110, opacity=1)
        .encode(
            x=x,
            color=alt.Color("rule:N", scale=alt.Scale(domain=list(rules)), legend=legend),
            tooltip=tooltip,
        )
        .transform_filter(alt.FieldOneOfPredicate(field="rule", oneOf=list(rules)))
    )
    rows = frame["label"].nunique()
    return alt.layer(line, others, two).properties(height=ROW_PX * rows + AXIS_PX + LEGEND_PX)


def estimates(
    points: Sequence[Point], *, axis: str, mark: float | None = None, mark_label: str = ""
) -> Layers:
    """Draw estimates as dots with their intervals, and a dashed line to read them against.

    An interval far wider than the estimates reach is cut at the edge.
    """
    frame = pd.DataFrame([asdict(point) for point in points])
    tooltip = _said(label="Name", shown=axis, interval="Interval")
    scale = alt.Scale(domain=_reach(points, mark), clamp=True, nice=True)
    x = alt.X("value:Q", title=axis, axis=_scale(), scale=scale)
    base = alt.Chart(frame).encode(y=_rows(), tooltip=tooltip)
    line = base.mark_rule(strokeWidth=2, color=_ink(FAINT)).encode(
        x=alt.X("low:Q", title=axis, axis=_scale(), scale=scale), x2="high:Q"
    )
    colour = alt.Color("kind:N", scale=alt.Scale(domain=KINDS), legend=None)
    dots = base.mark_circle(size=110, opacity=1).encode(x=x, color=colour)
    marks = [] if mark is None else _marked(mark, mark_label)
    return alt.layer(line, dots, *marks).properties(height=ROW_PX * len(points) + AXIS_PX)


def monthly(bars: Sequence[Bar], *, axis: str) -> Layers:
    """Draw amounts by month, in the order given: kinds on top of each other.

    The interval is that of the first kind, which stands lowest.
    """
    frame = pd.DataFrame([{**asdict(bar), "order": KINDS.index(bar.kind)} for bar in bars])
    tooltip = _said(label="Month", kind="Money", shown=axis, interval="Interval")
    names = _axis(labelAngle=0, title=None, labelPadding=8)
    base = alt.Chart(frame).encode(
        x=alt.X("label:N", sort=None, axis=names, scale=alt.Scale(type="band")), tooltip=tooltip
    )
    there = [kind for kind in KINDS if kind in set(frame["kind"])]
    legend = alt.Legend(title=None, orient="top", values=there, **_muted())
    colour = alt.Color("kind:N", scale=alt.Scale(domain=KINDS), legend=legend)
    bar = base.mark_bar(size=BAR_PX).encode(
        y=alt.Y("value:Q", title=axis, axis=_scale()), color=colour, order="order:O"
    )
    line = (
        base.mark_rule(strokeWidth=1.5, color=_ink(INK))
        .encode(y="low:Q", y2="high:Q")
        .transform_filter(alt.datum.kind == KINDS[0])
    )
    return alt.layer(bar, line).properties(height=HEAT_PX)


def ink() -> str:
    """Return the colour of text on the page."""
    return _ink(INK)


def heat(cells: Sequence[Cell], *, most: float, picked: tuple[int, int]) -> alt.Chart:
    """Draw scores by the track's time (across) and the recording's (up); a click picks a cell.

    `most` ends the scale either way, and `picked` is the (window, item) marked before any click.
    """
    window, item = picked
    pick = alt.selection_point(
        name=CELL,
        fields=["window", "item"],
        value=[{"window": window, "item": item}],
        toggle=False,
        clear=False,
    )
    colour = alt.Color(
        "score:Q",
        title="Score",
        scale=alt.Scale(domain=[-most, 0, most], range=HEAT[_scheme()]),
        legend=alt.Legend(
            orient="right",
            tickCount=3,
            gradientLength=HEAT_PX // 2,
            **_muted(),
        ),
    )
    tooltip = [
        alt.Tooltip("track:N", title="Track"),
        alt.Tooltip("recording:N", title="Recording"),
        alt.Tooltip("score:Q", title="Score above the placebos", format=".2f"),
    ]
    drawn: alt.Chart = (
        alt.Chart(pd.DataFrame([asdict(cell) for cell in cells]))
        .mark_rect(cursor="pointer", stroke=_ink(INK))
        .encode(
            x=alt.X("start:Q", title="Time in the track", axis=_clock(), scale=_tight()),
            x2="end:Q",
            y=alt.Y("from_start:Q", title="Time in the recording", axis=_clock(), scale=_tight()),
            y2="from_end:Q",
            color=colour,
            strokeWidth=alt.condition(pick, alt.value(2), alt.value(0), empty=False),
            tooltip=tooltip,
        )
        .add_params(pick)
        .properties(height=HEAT_PX)
    )
    return drawn


def _said(**titles: str) -> list[alt.Tooltip]:
    """Say these columns, by these names, of what is pointed at."""
    return [alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()]


def _reach(points: Sequence[Point], mark: float | None) -> list[float]:
    """Span the values, nothing, the mark, and intervals up to thrice as far."""
    values = [0.0, mark or 0.0, *(point.value for point in points)]
    most = 3 * max(map(abs, values)) or 1.0
    ends = [*values, *(end for point in points for end in (point.low, point.high))]
    return [max(min(ends), -most), min(max(ends), most)]


def _marked(mark: float, label: str) -> list[alt.Chart]:
    frame = pd.DataFrame([{"at": mark, "label": label}])
    rule = alt.Chart(frame).mark_rule(strokeDash=[4, 3], color=_ink(INK)).encode(x="at:Q")
    text = (
        alt.Chart(frame)
        .mark_text(align="left", baseline="top", dx=5, color=_ink(INK))
        .encode(x="at:Q", y=alt.value(0), text="label:N")
    )
    return [rule, text]


def _clock() -> alt.Axis:
    """Write seconds as a player does: `1:05`."""
    text = "floor(datum.value / 60) + ':' + format(datum.value % 60, '02')"
    return _axis(labelExpr=text, grid=False, tickCount=8, tickMinStep=1)


def _tight() -> alt.Scale:
    return alt.Scale(zero=False, nice=False)


def _rows(*, two_lines: bool = False) -> alt.Y:
    """One band a row, in the order given; a line break in a name begins its second line."""
    axis = _axis(
        labelExpr=r"split(datum.label, '\n')",
        labelLimit=260,
        labelColor=_ink(INK),
        labelFontSize=13,
        labelLineHeight=15,
        labelOffset=-7 if two_lines else 0,  # else the first line stands where the middle should
        labelPadding=10,
        labelOverlap=False,
        labelFlush=False,
    )
    return alt.Y("label:N", sort=None, title=None, axis=axis, scale=alt.Scale(type="band"))


def _scale() -> alt.Axis:
    return _axis(tickCount=5)


def _axis(**more: Any) -> alt.Axis:  # noqa: ANN401  whatever an axis takes
    return alt.Axis(**{"domain": False, "ticks": False, "labelPadding": 6} | _muted() | more)


def _muted() -> dict[str, Any]:
    return {"labelColor": _ink(MUTED), "titleColor": _ink(MUTED)}


def _ink(colours: dict[str, str]) -> str:
    return colours[_scheme()]


def _scheme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"
