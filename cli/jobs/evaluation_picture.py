"""An evaluation's picture: bars with their intervals, as SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LABELS, _PLOT, _BESIDE = 300, 440, 120  # pixels across
_LANE, _TOP, _BOTTOM = 26, 44, 34  # pixels down
_BAR, _LINE, _MARK = "#5b9a92", "#26231e", "#b5542a"
_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a picture shows: the rows with these figures, and a line to read them against."""

    title: str
    figures: tuple[str, ...]
    mark: float | None = None
    mark_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A figure, with its interval where it has one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


def draw(picture: Picture, bars: Sequence[Bar]) -> str:
    """Draw bars from top to bottom, in the order given."""
    low, high = _reach(picture, bars)
    scale = _Scale(low, high)
    height = _TOP + _LANE * len(bars) + _BOTTOM
    width = _LABELS + _PLOT + _BESIDE
    parts = [_text(12, 22, picture.title, "start"), *_grid(scale, height)]
    parts += [each for i, bar in enumerate(bars) for each in _bar(bar, i, scale)]
    if picture.mark is not None:
        parts += _marked(picture, scale, height)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" role="img">\n'
        f"<title>{escape(picture.title)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float

    def x(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return _LABELS + _PLOT * (inside - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round numbers, about six."""
        rough = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * count for count in range(first, last + 1)]


def _reach(picture: Picture, bars: Sequence[Bar]) -> tuple[float, float]:
    """Span what is drawn, and nothing; a wide interval is cut at thrice the values' reach."""
    values = [0.0, picture.mark or 0.0, *(bar.value for bar in bars)]
    most = 3 * max(abs(value) for value in values) or 1.0
    ends = [end for bar in bars for end in (bar.low, bar.high) if end is not None]
    low, high = (pick([*values, *ends]) for pick in (min, max))
    return max(low, -most), min(max(high, low + 1e-9), most)


def _bar(bar: Bar, place: int, scale: _Scale) -> list[str]:
    y = _TOP + _LANE * place
    left, right = sorted((scale.x(0.0), scale.x(bar.value)))
    parts = [
        _text(_LABELS - 12, y + 16, bar.label, "end"),
        _box(left, y + 4, right - left),
        _text(_LABELS + _PLOT + 12, y + 16, f"{bar.value:.3g}", "start"),
    ]
    if bar.low is not None and bar.high is not None:
        parts.append(_line((bar.low, bar.high), y + _LANE / 2 - 1, scale))
    return parts


def _box(x: float, y: float, width: float) -> str:
    height = _LANE - 10
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{_BAR}"/>'


def _line(ends: tuple[float, float], y: float, scale: _Scale) -> str:
    low, high = map(scale.x, ends)
    return f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{_LINE}"/>'


def _grid(scale: _Scale, height: int) -> list[str]:
    bottom, parts = height - _BOTTOM, []
    for tick in scale.ticks():
        x = scale.x(tick)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke="#dddddd"/>'
        )
        parts.append(_text(x, bottom + 18, f"{tick:.3g}", "middle"))
    return parts


def _marked(picture: Picture, scale: _Scale, height: int) -> list[str]:
    assert picture.mark is not None
    x = scale.x(picture.mark)
    line = (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{height - _BOTTOM}" '
        f'stroke="{_MARK}" stroke-dasharray="4 3"/>'
    )
    return [line, _text(x, _TOP - 10, picture.mark_label, "middle")]


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="#222222">{escape(words)}</text>'
