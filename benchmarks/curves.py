"""Curves as SVG, written by hand: panels of points over rows, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

PANEL, HEIGHT, GAP = 300, 200, 90  # pixels
LEFT, TOP = 60, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A method's points, (rows, value); one without points is left out."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]


def curves(panels: Sequence[tuple[str, Sequence[Curve]]], across: int = 2) -> str:
    """Draw panels, a title and its curves each, side by side and below; all share the rows."""
    rows = [point[0] for _, drawn in panels for curve in drawn for point in curve.points]
    span = _decades(rows)
    body = [
        _panel(
            LEFT + place % across * (PANEL + GAP),
            TOP + place // across * (HEIGHT + GAP),
            panel,
            span,
        )
        for place, panel in enumerate(panels)
    ]
    width = LEFT + across * (PANEL + GAP)
    height = TOP + math.ceil(len(panels) / across) * (HEIGHT + GAP)
    legend = _legend([curve for curve in panels[0][1] if curve.points])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" fill="#222222" role="img">\n'
        "<title>Seconds and memory over rows</title>\n"
        '<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join([legend, *body])
        + "\n</svg>\n"
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Return the powers of ten that hold all values, two at least."""
    logs = [math.log10(max(value, 1e-3)) for value in values] or [0.0]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return low, max(high, low + 1)


def _panel(left: int, top: int, panel: tuple[str, Sequence[Curve]], span: tuple[int, int]) -> str:
    title, drawn = panel
    low, high = _decades([point[1] for curve in drawn for point in curve.points])

    def x(rows: float) -> float:
        return left + PANEL * (math.log10(rows) - span[0]) / (span[1] - span[0])

    def y(value: float) -> float:
        return top + HEIGHT * (high - math.log10(max(value, 1e-3))) / (high - low)

    parts = [f'<text x="{left}" y="{top - 8}">{escape(title)}</text>']
    for tick in range(low, high + 1):
        at = y(10.0**tick)
        parts.append(
            f'<line x1="{left}" x2="{left + PANEL}" y1="{at:.0f}" y2="{at:.0f}" stroke="#dddddd"/>'
        )
        parts.append(
            f'<text x="{left - 6}" y="{at + 4:.0f}" text-anchor="end">{10.0**tick:g}</text>'
        )
    for tick in range(span[0], span[1] + 1):
        place = f'x="{x(10.0**tick):.0f}" y="{top + HEIGHT + 18}" text-anchor="middle"'
        parts.append(f"<text {place}>{10**tick:,}</text>")
    for curve in drawn:
        dots = [(x(rows), y(value)) for rows, value in curve.points]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in dots)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{curve.colour}"/>')
        parts += [
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{curve.colour}"/>' for a, b in dots
        ]
    return "\n".join(parts)


def _legend(drawn: Sequence[Curve]) -> str:
    return "\n".join(
        f'<circle cx="{LEFT + 110 * place}" cy="20" r="4" fill="{curve.colour}"/>'
        f'<text x="{LEFT + 110 * place + 10}" y="24">{escape(curve.name)}</text>'
        for place, curve in enumerate(drawn)
    )
