"""Let a model write tracks, event by event.

The model says how likely each next event is; what cannot be is ruled out before one is drawn: the
release of a silent pitch, a strike of a sounding one, a chord without end, a note that never
stops, silence that never stops. All tracks of a call are written side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from attribution.errors import AttributionError
from attribution.models.event_transformer import EventTransformer
from attribution.music.corpus import passage
from attribution.music.midi import (
    BOS,
    GRID_MS,
    NOTE_OFF,
    NOTE_ON,
    TIME_SHIFT,
    VELOCITY,
    VOCABULARY_SIZE,
    note_off,
    shift_ms,
)

Progress = Callable[[int, int], None]  # tenths of seconds of music written, and wanted


class GenerationFailed(AttributionError):
    """The model could not write a track as long as it was asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """How many tracks, how long, how bold."""

    count: int = 1
    seconds_min: float = 30.0
    seed: int = 0
    temperature: float = 1.0
    top_p: float = 0.95  # of what is possible, only the likeliest that make up this part
    prompts: Sequence[Sequence[int]] = ()  # opening events; track i begins with prompt i, in turn
    events_per_second_max: int = 60
    simultaneous_max: int = 16  # events at one moment
    sounding_max: int = 8  # notes at one moment
    note_ms_max: int = 4000
    silence_ms_max: int = 2000


def _unheard(_done: int, _total: int) -> None:
    """Report progress to nobody."""


def generate(
    model: EventTransformer, options: GenerationOptions, progress: Progress = _unheard
) -> list[list[int]]:
    """Write tracks of at least `seconds_min`, as events, each with its prompt at the front.

    A track ends at the first moment after that time, and what sounds is released there.
    Same model, options, machine and threads: same tracks. Raises `GenerationFailed` when the
    model spends its events before the time is reached.
    """
    tracks = [_Track(options, number) for number in range(options.count)]
    wanted = round(10 * options.seconds_min * options.count)
    was_training = model.training
    model.eval()
    try:
        while unfinished := [track for track in tracks if not track.finished]:
            chances = _chances(model, [t.context(model.config.span) for t in unfinished], options)
            for track, row in zip(unfinished, chances, strict=True):
                track.draw(row)
            progress(sum(track.tenths for track in tracks), wanted)
    finally:
        model.train(was_training)
    return [track.ended() for track in tracks]


@torch.inference_mode()
def _chances(
    model: EventTransformer, contexts: Sequence[Sequence[int]], options: GenerationOptions
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return how likely each event is next, (track, event)."""
    device = model.embedding.weight.device
    lengths = torch.tensor([len(context) for context in contexts])
    tokens = torch.full((len(contexts), int(lengths.max())), BOS)
    for row, context in enumerate(contexts):
        tokens[row, : len(context)] = torch.tensor(context)
    logits: Tensor = model.after(tokens.to(device), lengths.to(device))
    chances: np.ndarray[tuple[int, int], np.dtype[np.float64]] = (
        (logits.double() / options.temperature).softmax(-1).cpu().numpy()
    )
    return chances


@dataclass(slots=True)
class _Sounding:
    """What a track's events so far have brought about."""

    now_ms: int = 0
    struck_ms: dict[int, int] = field(default_factory=dict)  # pitch → since when it sounds
    silent_ms: int = 0  # since when nothing sounds, where nothing does
    simultaneous: int = 0  # events at this moment
    last: int = BOS

    def follow(self, event: int) -> None:
        """Let one event happen."""
        self.last = event
        self.simultaneous += 1
        if event < NOTE_OFF:
            self.struck_ms[event - NOTE_ON] = self.now_ms
        elif event < TIME_SHIFT:
            self.struck_ms.pop(event - NOTE_OFF, None)
            self.silent_ms = self.now_ms
        elif event < VELOCITY:
            self.now_ms += shift_ms(event)
            self.simultaneous = 0

    def overdue(self, note_ms_max: int) -> int | None:
        """Return the pitch that has sounded too long, the longest first, if one has."""
        if not self.struck_ms:
            return None
        oldest = min(self.struck_ms, key=lambda pitch: (self.struck_ms[pitch], pitch))
        return oldest if self.now_ms - self.struck_ms[oldest] >= note_ms_max else None


class _Track:
    """One track as it is written, with random numbers of its own."""

    def __init__(self, options: GenerationOptions, number: int) -> None:
        self.options = options
        prompts = options.prompts
        self.events = list(prompts[number % len(prompts)]) if prompts else []
        self.number = number
        self.sounding = _Sounding()
        for event in self.events:
            self.sounding.follow(event)
        seed = hashlib.sha256(f"{options.seed} {number}".encode()).digest()
        self.random = np.random.default_rng(int.from_bytes(seed[:8], "big"))
        self.opened: list[int] = []  # what the model reads, from the last time it was cut short
        self.read_from = 0

    @property
    def finished(self) -> bool:
        """Whether the time is reached and a moment is complete."""
        return self.seconds >= self.options.seconds_min and self.sounding.simultaneous == 0

    @property
    def seconds(self) -> float:
        """How long the track is."""
        return self.sounding.now_ms / 1000

    @property
    def tenths(self) -> int:
        """How much of the wanted time is written, in tenths of seconds."""
        return round(10 * min(self.seconds, self.options.seconds_min))

    def context(self, span: int) -> list[int]:
        """Return the events to read: a window that opens as training's spans do.

        When it is full it is cut to half a span, so a model never reads a position it was not
        trained on and seldom lacks its past.
        """
        context = [*self.opened, *self.events[self.read_from :]]
        if len(context) >= span:
            context = self.opened = passage(self.events, span // 2)
            self.read_from = len(self.events)
        return context

    def draw(self, chances: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        """Draw the next event from the likeliest of those that are possible."""
        allowed = np.where(self._possible(), chances, 0.0)
        if allowed.sum() <= 0:  # all that is possible is below what a float can say
            allowed = self._possible().astype(np.float64)
        order = np.argsort(-allowed, kind="stable")
        heights = np.cumsum(allowed[order]) / allowed.sum()
        within = int(np.searchsorted(heights, self.options.top_p)) + 1
        height = self.random.random() * heights[min(within, len(heights)) - 1]
        event = int(order[np.searchsorted(heights, height, side="right")])
        self.events.append(event)
        self.sounding.follow(event)
        self._refuse_to_go_on_forever()

    def ended(self) -> list[int]:
        """Return the events, with what sounds at the end released."""
        return [*self.events, *(note_off(pitch) for pitch in sorted(self.sounding.struck_ms))]

    def _possible(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        options, sounding = self.options, self.sounding
        possible = np.zeros(VOCABULARY_SIZE, dtype=bool)
        overdue = sounding.overdue(options.note_ms_max)
        if overdue is not None:
            possible[note_off(overdue)] = True
            return possible
        if sounding.simultaneous < options.simultaneous_max:
            self._allow_notes(possible)
        self._allow_time(possible)
        return possible

    def _allow_notes(self, possible: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        sounding = self.sounding
        if len(sounding.struck_ms) < self.options.sounding_max:
            possible[NOTE_ON:NOTE_OFF] = True
            possible[VELOCITY:BOS] = not VELOCITY <= sounding.last < BOS
        for pitch, since_ms in sounding.struck_ms.items():
            possible[NOTE_ON + pitch] = False
            possible[NOTE_OFF + pitch] = since_ms < sounding.now_ms

    def _allow_time(self, possible: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        """Let time pass up to the end of the longest note, or of the longest silence."""
        sounding, options = self.sounding, self.options
        since_ms = min(sounding.struck_ms.values(), default=sounding.silent_ms)
        longest_ms = options.note_ms_max if sounding.struck_ms else options.silence_ms_max
        left = max(since_ms + longest_ms - sounding.now_ms, 0) // GRID_MS
        possible[TIME_SHIFT : min(TIME_SHIFT + left, VELOCITY)] = True
        if VELOCITY <= sounding.last < BOS and possible[NOTE_ON:NOTE_OFF].any():
            possible[TIME_SHIFT:VELOCITY] = False  # a velocity is set for a note, not for a pause

    def _refuse_to_go_on_forever(self) -> None:
        events_max = self.options.events_per_second_max * self.options.seconds_min + 512
        if len(self.events) > events_max and not self.finished:
            raise GenerationFailed(
                f"track {self.number} reached {self.seconds:.1f} of "
                f"{self.options.seconds_min:g} seconds in {len(self.events)} events; "
                "train the model longer, lower the temperature, or ask for a shorter track"
            )
