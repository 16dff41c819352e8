"""The charts: Altair only, so that all of them look alike. The palette is in `config.toml`.

A float here is a place on the screen; every figure that can be read came from `royalty.money`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import altair as alt
import pandas as pd
import streamlit as st

Layers = alt.LayerChart | alt.FacetChart  # what Altair says that layering gives

ROW_PX = 40
AXIS_PX = 60
LEGEND_PX = 30
KINDS = ["attributed", "user_centric", "unattributed"]  # in the order of the palette
INK = {"light": "#26231E", "dark": "#E9E6DE"}
FAINT = {"light": "#CFC8BA", "dark": "#4A504D"}


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
class Pair:
    """One row of the comparison of two rules."""

    label: str
    first: float
    second: float
    first_shown: str
    second_shown: str
    difference: str


def ranked(bars: Sequence[Bar], *, axis: str) -> Layers:
    """Draw amounts as bars in the order given, each with its interval as a thin line."""
    frame = pd.DataFrame([asdict(bar) for bar in bars])
    tooltip = [
        alt.Tooltip("label:N", title="Name"),
        alt.Tooltip("shown:N", title=axis),
        alt.Tooltip("interval:N", title="Interval"),
    ]
    base = alt.Chart(frame).encode(y=_rows(two_lines="\n" in bars[0].label), tooltip=tooltip)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=KINDS), legend=None)
    bar = base.mark_bar(height={"band": 0.55}, cornerRadiusEnd=3).encode(
        x=alt.X("value:Q", title=axis, axis=_scale()), color=colour
    )
    line = base.mark_rule(strokeWidth=1.5, color=_ink(INK)).encode(x="low:Q", x2="high:Q")
    ends = [
        base.mark_tick(thickness=1.5, size=9, color=_ink(INK)).encode(x=f"{end}:Q")
        for end in ("low", "high")
    ]
    return alt.layer(bar, line, *ends).properties(height=ROW_PX * len(bars) + AXIS_PX)


def compared(pairs: Sequence[Pair], *, rules: tuple[str, str], axis: str) -> Layers:
    """Draw what each payee earns under two rules as two dots joined by a line."""
    frame = pd.DataFrame([asdict(pair) for pair in pairs])
    tooltip = [
        alt.Tooltip("label:N", title="Name"),
        alt.Tooltip("first_shown:N", title=rules[0]),
        alt.Tooltip("second_shown:N", title=rules[1]),
        alt.Tooltip("difference:N", title="Difference"),
    ]
    base = alt.Chart(frame).encode(y=_rows(), tooltip=tooltip)
    line = base.mark_rule(strokeWidth=3, color=_ink(FAINT)).encode(
        x=alt.X("first:Q", title=axis, axis=_scale()), x2="second:Q"
    )
    legend = alt.Legend(title=None, orient="top", symbolSize=110)
    dots = [
        base.mark_circle(size=110, opacity=1)
        .encode(
            x=f"{field}:Q",
            color=alt.Color(
                "rule:N",
                scale=alt.Scale(domain=list(rules)),
                legend=legend,
            ),
        )
        .transform_calculate(rule=f"'{rule}'")
        for field, rule in zip(("first", "second"), rules, strict=True)
    ]
    return alt.layer(line, *dots).properties(height=ROW_PX * len(pairs) + AXIS_PX + LEGEND_PX)


def _rows(*, two_lines: bool = False) -> alt.Y:
    """One band a row, in the order given; a line break in a name begins its second line."""
    axis = alt.Axis(
        labelExpr=r"split(datum.label, '\n')",
        labelLimit=260,
        labelColor=_ink(INK),
        labelFontSize=13,
        labelLineHeight=15,
        labelOffset=-7 if two_lines else 0,  # else the first line stands where the middle should
        labelPadding=10,
        labelOverlap=False,
        labelFlush=False,
        ticks=False,
        domain=False,
    )
    return alt.Y("label:N", sort=None, title=None, axis=axis, scale=alt.Scale(type="band"))


def _scale() -> alt.Axis:
    return alt.Axis(tickCount=5, domain=False, ticks=False, labelPadding=6)


def _ink(colours: dict[str, str]) -> str:
    return colours["dark" if st.context.theme.type == "dark" else "light"]
