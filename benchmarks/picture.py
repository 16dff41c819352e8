"""A dot plot as SVG, written by hand: one lane a method, one dot a figure, a line its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor

COLOURS = ("#1b6ca8", "#7fb2d6", "#b5542a", "#e0a27f")  # dark and light, blue and rust
LABELS, PLOT, BESIDE = 400, 440, 150  # pixels across
LANE, TOP, BOTTOM = 34, 40, 56  # pixels down


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A figure, with its interval where it has one."""

    kind: int  # place among the kinds: decides the colour
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A row of the picture."""

    label: str
    dots: tuple[Dot, ...]
    beside: str = ""  # written at the right


def dot_plot(lanes: Sequence[Lane], kinds: Sequence[str], axis: str) -> str:
    """Draw lanes from top to bottom; the scale spans all that is drawn, in tenths."""
    scale = _Scale.of([value for lane in lanes for dot in lane.dots for value in _reach(dot)])
    height = TOP + LANE * len(lanes) + BOTTOM
    parts = [_legend(kinds), _axis(scale, height, axis)]
    parts += [_lane(lane, TOP + LANE * i + LANE // 2, scale) for i, lane in enumerate(lanes)]
    body = "\n".join(parts)
    width = LABELS + PLOT + BESIDE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" role="img">\n'
        f"<title>{escape(axis)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> _Scale:
        tenths = [value * 10 for value in (0.0, 0.1, *values)]
        return cls(floor(min(tenths)) / 10, ceil(max(tenths)) / 10)

    def x(self, value: float) -> float:
        return LABELS + PLOT * (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        return [tick / 10 for tick in range(round(self.low * 10), round(self.high * 10) + 1)]


def _reach(dot: Dot) -> list[float]:
    return [value for value in (dot.value, dot.low, dot.high) if value is not None]


def _lane(lane: Lane, y: int, scale: _Scale) -> str:
    parts = [_text(LABELS - 14, y + 4, lane.label, "end")]
    parts += [_text(LABELS + PLOT + 14, y + 4, lane.beside, "start")]
    for dot in lane.dots:
        parts += _mark(dot, y + 4 * dot.kind - 6, scale)
    return "\n".join(parts)


def _mark(dot: Dot, y: int, scale: _Scale) -> list[str]:
    reach, colour = _reach(dot), COLOURS[dot.kind % len(COLOURS)]
    line = (
        f'<line x1="{scale.x(min(reach)):.1f}" x2="{scale.x(max(reach)):.1f}" y1="{y}" y2="{y}" '
        f'stroke="{colour}" stroke-opacity="0.45" stroke-width="2"/>'
    )
    return [line, f'<circle cx="{scale.x(dot.value):.1f}" cy="{y}" r="4" fill="{colour}"/>']


def _axis(scale: _Scale, height: int, label: str) -> str:
    bottom = height - BOTTOM
    parts = []
    for tick in scale.ticks():
        x = scale.x(tick)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" stroke="#dddddd"/>')
        parts.append(_text(x, bottom + 18, f"{tick:.1f}", "middle"))
    parts.append(_text(LABELS + PLOT / 2, bottom + 40, label, "middle"))
    return "\n".join(parts)


def _legend(kinds: Sequence[str]) -> str:
    parts = []
    for place, kind in enumerate(kinds):
        x = LABELS + place * 145 - 145
        colour = COLOURS[place % len(COLOURS)]
        parts.append(f'<circle cx="{x}" cy="20" r="4" fill="{colour}"/>')
        parts.append(_text(x + 9, 24, kind, "start"))
    return "\n".join(parts)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="#222222">{escape(words)}</text>'
