"""A picture of where a payee's earnings came from: bars with their intervals, largest first.

What a track's shares brought is dark, the sum of the smaller ones paler, what was divided equally
palest: they differ in grey as in colour, and each bar has its words and its amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from royalty.money import Money, total
from royalty.reports.paper import FADED, GREY, INK, SAND, TEAL, Paper
from royalty.statement import Line, Statement

TOP = 5  # bars that have a name; more nobody reads
_STEP, _BAR = 10.2, 2.4  # mm: from bar to bar, and a bar's height
_GAP, _FIGURES = 8.0, 36.0  # mm: between the panels, and beside a bar
_FILL = {"named": TEAL, "others": SAND, "equal": GREY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What some lines came to, with its interval."""

    label: str
    net: Money
    low: Money
    high: Money
    kind: Literal["named", "others", "equal"] = "named"


def by_recording(statement: Statement, top: int = TOP) -> tuple[Bar, ...]:
    """Sum what was earned by recording: the largest, the others, and what was divided equally."""
    return _ranked(statement, lambda line: line.recording or "", _recording(statement), top)


def by_track(statement: Statement, top: int = TOP) -> tuple[Bar, ...]:
    """Sum what was earned by the track that was played; equal parts come from no track."""
    return _ranked(statement, lambda line: line.track, _track, top)


def draw(paper: Paper, statement: Statement) -> None:
    """Draw both panels side by side where the paper is, and go below them."""
    panels = [("by recording: what shaped the tracks", by_recording(statement))]
    if any(line.basis == "modelled" for line in statement.lines):
        panels.append(("by track: what was played", by_track(statement)))
    width = (paper.epw - _GAP) / 2
    most = max(bar.high.micros for _, bars in panels for bar in bars)
    top = paper.y
    for place, (title, bars) in enumerate(panels):
        left = paper.l_margin + place * (width + _GAP)
        paper.place((left, top + 3, width), title, 8, FADED)
        for row, bar in enumerate(bars):
            _draw(paper, bar, (left, top + 5 + row * _STEP, width), most)
    paper.set_y(top + 5 + max(len(bars) for _, bars in panels) * _STEP)


def _draw(paper: Paper, bar: Bar, where: tuple[float, float, float], most: int) -> None:
    """Draw one bar under its name, its interval under it, its figures beside it."""
    left, top, width = where
    room = width - _FIGURES
    low, net, high = (
        left + room * max(0, amount.micros) / max(1, most)
        for amount in (bar.low, bar.net, bar.high)
    )
    paper.place((left, top + 3.4, width), bar.label, 7.5)
    paper.right(left + width, top + 6.4, str(bar.net), 7.5)
    paper.right(left + width, top + 9.2, f"{bar.low.rounded} to {bar.high.rounded}", 6.5, FADED)
    paper.set_fill_color(*_FILL[bar.kind])
    paper.rect(left, top + 4.4, max(net - left, 0.2), _BAR, style="F")
    _whisker(paper, (low, high), top + 4.4 + _BAR + 1.3)


def _whisker(paper: Paper, ends: tuple[float, float], y: float) -> None:
    low, high = ends
    paper.set_draw_color(*INK)
    paper.set_line_width(0.2)
    paper.line(low, y, high, y)
    for end in ends:
        paper.line(end, y - 0.6, end, y + 0.6)


def _ranked(
    statement: Statement, key: Callable[[Line], str], name: Callable[[Line], str], top: int
) -> tuple[Bar, ...]:
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for line in statement.lines:
        if line.basis == "modelled":
            groups[key(line)].append(line)
    ranked = sorted(groups.values(), key=lambda lines: (-_net(lines), key(lines[0])))
    bars = [_bar(name(lines[0]), lines) for lines in ranked[:top]]
    rest = [line for lines in ranked[top:] for line in lines]
    equal = [line for line in statement.lines if line.basis == "terms"]
    if rest:
        bars.append(_bar(f"{len(ranked) - top:,} more, together", rest, "others"))
    if equal:
        bars.append(_bar("divided equally among works", equal, "equal"))
    return tuple(bars)


def _bar(
    label: str, lines: Sequence[Line], kind: Literal["named", "others", "equal"] = "named"
) -> Bar:
    net, low, high = (
        _sum(getattr(line, name) for line in lines) for name in ("net", "low", "high")
    )
    return Bar(label=label, net=net, low=low, high=high, kind=kind)


def _sum(amounts: Iterable[Money]) -> Money:
    amounts = list(amounts)
    return total(amounts, amounts[0].currency)


def _net(lines: Sequence[Line]) -> int:
    return sum(line.net.micros for line in lines)


def _recording(statement: Statement) -> Callable[[Line], str]:
    """Name a recording, and its artist where that is somebody else than the payee."""

    def name(line: Line) -> str:
        artist = "" if line.artist in {"", statement.payee_name} else f", {line.artist}"
        return f"{line.title or line.recording}{artist}"

    return name


def _track(line: Line) -> str:
    plays = line.track_plays  # None, too, where these would tell what few listeners played
    return line.track if plays is None else f"{line.track}, {plays:,} plays"
