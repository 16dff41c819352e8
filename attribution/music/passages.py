"""Passages of music in time: when each row sounds, and a track cut into windows of time.

A window is a part of a row, cut in time: its events happen, or begin to wait, within it. What a
row says again at its opening belongs to its first window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch

from attribution.music.corpus import Span, cut, rows_of
from attribution.music.midi import shift_ms
from attribution.passages import NOWHERE, by_label
from attribution.task import Rows

WINDOW_MS = 2000


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a recording or a track."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """A track in windows: its rows, the parts of them, and when each part sounds."""

    whole: Rows
    parts: Rows
    times: tuple[Passage, ...]


def windows_of(
    name: str, events: Sequence[int], *, span: int, window_ms: int = WINDOW_MS
) -> Windows:
    """Cut a track into rows of at most `span` events, and those into windows of about `window_ms`.

    The windows of a row are equally long, and together cover the track without gap or overlap.
    """
    spans = cut(events, span)
    whole = rows_of({name: events}, span=span)
    labels = torch.full((len(spans), span), NOWHERE)
    for row, piece in enumerate(spans):
        labels[row, : len(piece.events)] = torch.tensor(_windows(piece, window_ms))
    parts = by_label(whole, labels)
    by_row = dict(zip(whole.ids, spans, strict=True))
    places = (part.rpartition("/") for part in parts.ids)
    times = tuple(_time(by_row[row], int(label), window_ms) for row, _, label in places)
    return Windows(whole=whole, parts=parts, times=times)


def times_of(
    name: str, events: Sequence[int], *, span: int, spans_max: int | None = None
) -> dict[str, Passage]:
    """Say when each item of a recording sounds, by the ids that `rows_of` gives them."""
    return {
        f"{name}@{piece.start}": Passage(piece.start_ms, piece.end_ms)
        for piece in cut(events, span, spans_max)
    }


def _count(span: Span, window_ms: int) -> int:
    return max(1, round((span.end_ms - span.start_ms) / window_ms))


def _windows(span: Span, window_ms: int) -> list[int]:
    """Return the window that each event of a span is in."""
    count, duration = _count(span, window_ms), max(span.end_ms - span.start_ms, 1)
    elapsed = accumulate(map(shift_ms, span.events[:-1]), initial=0)
    return [min(passed * count // duration, count - 1) for passed in elapsed]


def _time(span: Span, window: int, window_ms: int) -> Passage:
    count, duration = _count(span, window_ms), span.end_ms - span.start_ms
    ends = (span.start_ms + duration * place // count for place in (window, window + 1))
    return Passage(*ends)
