"""From recordings to rows: music cut into spans that stand alone.

A span is a passage of a recording, as long as fits into so many events. It opens by saying again
what holds at its first moment (the velocity, the pitches that sound), so a model reads every span
without having read the one before, and so does a listener. An item, a row of the index, is a span.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from attribution.music.midi import (
    BOS,
    NOTE_OFF,
    NOTE_ON,
    TIME_SHIFT,
    VELOCITY,
    note_on,
    shift_ms,
    velocity_event,
    velocity_of,
)
from attribution.task import Rows

# A shorter rest of a recording says too little about it to be an item of its own.
_EVENTS_MIN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A passage of a recording, opened so that it stands alone."""

    start: int  # place of its first event among the recording's events
    events: tuple[int, ...]
    start_ms: int
    end_ms: int


def cut(events: Sequence[int], span: int, spans_max: int | None = None) -> list[Span]:
    """Cut events into spans of at most `span` events, each from one moment to another.

    A chord is never cut in two, unless it alone fills a span; then it loses what does not fit.
    A last rest of fewer than 16 events is left out, except where it is all there is.
    """
    spans: list[Span] = []
    places = [*_moments(events), len(events)]
    state, at = _State(), 0
    while at < len(places) - 1 and len(spans) != spans_max:
        opening = state.opening()
        end = _reach(places, at, span - len(opening))
        passage = events[places[at] : places[end]]
        start_ms = state.now_ms
        state.follow(passage)
        if spans and len(opening) + len(passage) < _EVENTS_MIN:
            break
        spans.append(
            Span(
                start=places[at],
                events=(*opening, *passage)[:span],
                start_ms=start_ms,
                end_ms=state.now_ms,
            )
        )
        at = end
    return spans


def passage(events: Sequence[int], events_max: int) -> list[int]:
    """Return the end of the music, at most so many events, opened so that it stands alone."""
    first = max(len(events) - events_max, 0)
    places = [place for place in _moments(events) if place >= first] or [first]
    for place in places:
        state = _State()
        state.follow(events[:place])
        opened = [*state.opening(), *events[place:]]
        if len(opened) <= events_max:
            return opened
    return list(events[first:])


def rows_of(
    recordings: Mapping[str, Sequence[int]], *, span: int, spans_max: int | None = None
) -> Rows:
    """Cut recordings (or tracks) into rows of "tokens" and "mask", both (item, span).

    Recordings come in the order of their ids, at most `spans_max` spans of each. An item's id is
    `recording@place`, where place counts the recording's events. Behind a shorter span the mask
    is False.
    """
    owners, ids, spans = [], [], []
    for recording in sorted(recordings):
        for piece in cut(recordings[recording], span, spans_max):
            owners.append(recording)
            ids.append(f"{recording}@{piece.start}")
            spans.append(piece.events)
    tokens = torch.full((len(spans), span), BOS, dtype=torch.int64)
    mask = torch.zeros((len(spans), span), dtype=torch.bool)
    for row, span_events in enumerate(spans):
        tokens[row, : len(span_events)] = torch.tensor(span_events)
        mask[row, : len(span_events)] = True
    return Rows(tensors={"tokens": tokens, "mask": mask}, ids=tuple(ids), owners=tuple(owners))


def _moments(events: Sequence[int]) -> list[int]:
    """Return the places where a span may begin: after time has passed and releases are done."""
    places, moved = [0] if events else [], False
    for place in range(1, len(events)):
        moved = moved or shift_ms(events[place - 1]) > 0
        still = shift_ms(events[place]) > 0 and shift_ms(events[place - 1]) > 0
        if moved and not still and not NOTE_OFF <= events[place] < TIME_SHIFT:
            places.append(place)
            moved = False
    return places


def _reach(places: Sequence[int], at: int, room: int) -> int:
    """Return how many moments from `at` on fit into a room, one at least."""
    return max(bisect_right(places, places[at] + room) - 1, at + 1)


class _State:
    """What holds at a moment of the music: the time, the velocity, what sounds."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.velocity: int | None = None
        self.sounding: dict[int, int | None] = {}

    def follow(self, events: Sequence[int]) -> None:
        """Let events happen."""
        for event in events:
            self.now_ms += shift_ms(event)
            if event < NOTE_OFF:
                self.sounding[event - NOTE_ON] = self.velocity
            elif event < TIME_SHIFT:
                self.sounding.pop(event - NOTE_OFF, None)
            elif VELOCITY <= event < BOS:
                self.velocity = velocity_of(event)

    def opening(self) -> list[int]:
        """Say what holds: strike what sounds, and end with the velocity of what follows."""
        events: list[int] = []
        struck: int | None = None
        by_velocity = sorted(
            self.sounding.items(), key=lambda s: (s[1] == self.velocity, s[1] or 0, s[0])
        )
        for pitch, velocity in by_velocity:
            if velocity is not None and velocity != struck:
                events.append(velocity_event(velocity))
                struck = velocity
            events.append(note_on(pitch))
        if self.velocity is not None and self.velocity != struck:
            events.append(velocity_event(self.velocity))
        return events
