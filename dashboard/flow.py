"""The flow picture: money as bands that run from column to column, as wide as it is much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import altair as alt
import pandas as pd

from dashboard import charts

HEIGHT_PX = 560
GAP_PX = 18  # between two boxes of a column: names stand on one line each
STEPS = 24  # straight pieces of one band
BOX = 0.02  # of the way from one column to the next
REACH = 0.55  # what the names of the last column need beyond it
LONGEST = 30  # letters of a name that are drawn; whoever points at it reads all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where money is: a name in a column. `shown` is the amount as text."""

    id: str
    name: str
    shown: str
    column: int
    kind: str = "attributed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Money on its way from one box to another. `value` is how much, as a place on the screen."""

    source: str
    target: str
    value: float
    shown: str
    kind: str = "attributed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A box or one end of a band from `top` to `bottom`, in pixels from above."""

    top: float
    bottom: float

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.top + self.bottom) / 2


def picture(boxes: Sequence[Box], bands: Sequence[Band]) -> charts.Layers:
    """Draw bands between boxes, each column in the order given."""
    places = placed(boxes, bands)
    by_id = {box.id: box for box in boxes}
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, _last(boxes) + REACH], nice=False))
    y = alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[HEIGHT_PX, 0], nice=False))
    colour = alt.Color("kind:N", scale=alt.Scale(domain=charts.KINDS), legend=None)
    tooltip = [alt.Tooltip("name:N", title="Money"), alt.Tooltip("shown:N", title="Amount")]
    flowing = (
        alt.Chart(pd.DataFrame(_curves(by_id, bands, places)))
        .mark_area(opacity=0.38)
        .encode(x=x, y=y, y2="bottom:Q", color=colour, detail="band:N", tooltip=tooltip)
    )
    standing = alt.Chart(pd.DataFrame([_drawn(box, places[box.id]) for box in boxes]))
    solid = standing.mark_rect(opacity=1).encode(
        x=x, x2="end:Q", y=y, y2="bottom:Q", color=colour, tooltip=tooltip
    )
    names = standing.mark_text(align="left", dx=6, fontSize=12).encode(
        x=alt.X("end:Q", axis=None),
        y=alt.Y("middle:Q", axis=None),
        text="label:N",
        color=alt.value(charts.ink()),
    )
    return alt.layer(flowing, solid, names).properties(height=HEIGHT_PX)


def placed(boxes: Sequence[Box], bands: Sequence[Band]) -> dict[str, Placed]:
    """Stack the boxes of each column, in one scale for all columns, each column in the middle."""
    heights = _heights(bands)
    columns = [
        [box.id for box in boxes if box.column == column] for column in range(_last(boxes) + 1)
    ]
    most = max(sum(heights[each] for each in column) for column in columns)
    gaps = GAP_PX * (max(map(len, columns)) - 1)
    scale = (HEIGHT_PX - gaps) / most if most else 0.0
    found = {}
    for column in columns:
        length = sum(heights[each] for each in column) * scale + GAP_PX * (len(column) - 1)
        top = (HEIGHT_PX - length) / 2
        for each in column:
            found[each] = Placed(top=top, bottom=top + heights[each] * scale)
            top = found[each].bottom + GAP_PX
    return found


def ends(
    boxes: Sequence[Box], bands: Sequence[Band], places: Mapping[str, Placed]
) -> list[tuple[Placed, Placed]]:
    """Say where each band leaves its source and reaches its target: side by side, without gaps.

    They stand in the order of the boxes at the other end, so that few of them cross.
    """
    order, heights = {box.id: rank for rank, box in enumerate(boxes)}, _heights(bands)
    found: dict[tuple[int, str], Placed] = {}
    for side, other in (("source", "target"), ("target", "source")):
        used: defaultdict[str, float] = defaultdict(float)
        for number in sorted(range(len(bands)), key=lambda n: order[getattr(bands[n], other)]):
            at = getattr(bands[number], side)
            place, whole = places[at], heights[at]
            scale = (place.bottom - place.top) / whole if whole else 0.0
            top = place.top + used[at] * scale
            used[at] += bands[number].value
            found[number, side] = Placed(top=top, bottom=top + bands[number].value * scale)
    return [(found[n, "source"], found[n, "target"]) for n in range(len(bands))]


def _heights(bands: Sequence[Band]) -> dict[str, float]:
    """Say how much each box holds: what comes in or, where that is more, what goes out."""
    into: defaultdict[str, float] = defaultdict(float)
    out: defaultdict[str, float] = defaultdict(float)
    for band in bands:
        out[band.source] += band.value
        into[band.target] += band.value
    return {each: max(into[each], out[each]) for each in [*into, *out]}


def _curves(
    by_id: Mapping[str, Box], bands: Sequence[Band], places: Mapping[str, Placed]
) -> list[dict[str, object]]:
    """Bend each band from its source to its target, level at both ends."""
    rows = []
    both = ends([*by_id.values()], bands, places)
    for number, (band, (start, end)) in enumerate(zip(bands, both, strict=True)):
        source, target = by_id[band.source], by_id[band.target]
        left, right = source.column + BOX, target.column
        for step in range(STEPS + 1):
            along = step / STEPS
            bent = along * along * (3 - 2 * along)
            rows.append(
                {
                    "band": number,
                    "x": left + (right - left) * along,
                    "top": start.top + (end.top - start.top) * bent,
                    "bottom": start.bottom + (end.bottom - start.bottom) * bent,
                    "kind": band.kind,
                    "name": f"{source.name} → {target.name}",
                    "shown": band.shown,
                }
            )
    return rows


def _drawn(box: Box, place: Placed) -> dict[str, object]:
    return {
        **asdict(box),
        "x": box.column,
        "end": box.column + BOX,
        "top": place.top,
        "bottom": max(place.bottom, place.top + 1),
        "middle": place.middle,
        "label": f"{_short(box.name)}   {box.shown}",
    }


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"


def _last(boxes: Sequence[Box]) -> int:
    return max(box.column for box in boxes)
