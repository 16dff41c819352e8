"""Panels of points as SVG, written by hand: the same heights against several costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

COLOURS = ("#1b6ca8", "#b5542a", "#e0a27f", "#3b8a4d", "#7a4fa3", "#8a7a1d")
PANEL, GAP, LEFT, HEIGHT, TOP, BOTTOM = 280, 34, 62, 300, 76, 54  # pixels
_LEAST = 0.1  # of a logarithmic axis: what costs nothing is drawn there


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one configuration reached, and what it cost on each axis."""

    says: str  # shown where the pointer rests
    kind: int  # place among the kinds: decides the colour
    square: bool  # else a circle
    height: float
    costs: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything that is written."""

    kinds: tuple[str, ...]
    shapes: tuple[str, str]  # circle, square
    axes: tuple[str, ...]  # one a panel
    height: str


def scatter(points: Sequence[Point], words: Words) -> str:
    """Draw one panel a cost, side by side; costs on a logarithmic scale."""
    heights = [point.height for point in points]
    scale = _Scale(floor(min(heights) * 10) / 10, ceil(max(heights) * 10) / 10)
    width = LEFT + len(words.axes) * (PANEL + GAP)
    parts = [_legend(words), *_heights(scale, width)]
    parts += [_panel(points, place, words, scale) for place in range(len(words.axes))]
    body, height = "\n".join(parts), TOP + HEIGHT + BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" role="img">\n'
        f"<title>{escape(words.height)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float

    def part(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def y(self, value: float) -> float:
        return TOP + HEIGHT * (1 - self.part(value))


def _heights(scale: _Scale, width: int) -> list[str]:
    parts = []
    for tenth in range(round(scale.low * 10), round(scale.high * 10) + 1):
        y = scale.y(tenth / 10)
        parts.append(_line((LEFT, y), (width - GAP, y)))
        parts.append(_text(LEFT - 8, y + 4, f"{tenth / 10:.1f}", "end"))
    return parts


def _panel(points: Sequence[Point], place: int, words: Words, scale: _Scale) -> str:
    costs = [log10(max(point.costs[place], _LEAST)) for point in points]
    across = _Scale(floor(min(costs)), max(ceil(max(costs)), floor(min(costs)) + 1))
    start = LEFT + place * (PANEL + GAP)
    parts = [_text(start + PANEL / 2, TOP + HEIGHT + 42, words.axes[place], "middle")]
    for power in range(int(across.low), int(across.high) + 1):
        x = start + PANEL * across.part(power)
        parts.append(_line((x, TOP), (x, TOP + HEIGHT)))
        parts.append(_text(x, TOP + HEIGHT + 18, f"{10.0**power:g}", "middle"))
    for point, cost in zip(points, costs, strict=True):
        parts.append(_mark(point, start + PANEL * across.part(cost), scale.y(point.height)))
    return "\n".join(parts)


def _mark(point: Point, x: float, y: float) -> str:
    look = f'fill="{COLOURS[point.kind % len(COLOURS)]}" fill-opacity="0.8"'
    says = f"<title>{escape(point.says)}</title>"
    if point.square:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" {look}>{says}</rect>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {look}>{says}</circle>'


def _legend(words: Words) -> str:
    parts = [_text(LEFT, 22, f"{words.height}; ● {words.shapes[0]}, ■ {words.shapes[1]}", "start")]
    for place, kind in enumerate(words.kinds):
        x = LEFT + 150 * place
        parts.append(f'<circle cx="{x + 4}" cy="44" r="4.5" fill="{COLOURS[place]}"/>')
        parts.append(_text(x + 14, 48, kind, "start"))
    return "\n".join(parts)


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="#222222">{escape(words)}</text>'
