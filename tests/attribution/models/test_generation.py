from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from attribution.models.event_transformer import EventTransformer, EventTransformerConfig
from attribution.models.generation import GenerationFailed, GenerationOptions, generate
from attribution.music import midi
from attribution.music.midi import decode, duration_ms

OPTIONS = GenerationOptions(count=3, seconds_min=4.0, seed=5)


@pytest.fixture(scope="module")
def model() -> EventTransformer:
    torch.manual_seed(0)
    return EventTransformer(EventTransformerConfig(width=16, layers=1, heads=2, span=32)).eval()


@pytest.fixture(scope="module")
def tracks(model: EventTransformer) -> list[list[int]]:
    return generate(model, OPTIONS)


def test_tracks_are_as_many_and_as_long_as_asked(tracks: list[list[int]]) -> None:
    assert len(tracks) == 3
    assert all(4000 <= duration_ms(events) <= 5000 for events in tracks)


def test_every_note_is_released_and_none_lasts_too_long(tracks: list[list[int]]) -> None:
    for events in tracks:
        strikes = sum(e < midi.NOTE_OFF for e in events)
        releases = sum(midi.NOTE_OFF <= e < midi.TIME_SHIFT for e in events)
        notes = decode(events)

        assert strikes == releases == len(notes)
        assert max(n.duration_ms for n in notes) <= OPTIONS.note_ms_max


def test_the_same_seed_gives_the_same_tracks_and_another_does_not(
    model: EventTransformer, tracks: list[list[int]]
) -> None:
    assert generate(model, OPTIONS) == tracks
    assert generate(model, replace(OPTIONS, seed=6)) != tracks
    assert len({tuple(events) for events in tracks}) == 3


def test_no_moment_and_no_chord_grows_without_end(tracks: list[list[int]]) -> None:
    for events in tracks:
        at_once, sounding = 0, set()
        for event in events[: -OPTIONS.sounding_max]:
            at_once = 0 if midi.shift_ms(event) else at_once + 1
            if event < midi.NOTE_OFF:
                sounding.add(event)
            elif event < midi.TIME_SHIFT:
                sounding.discard(event - midi.NOTE_OFF)

            assert at_once <= OPTIONS.simultaneous_max + OPTIONS.sounding_max
            assert len(sounding) <= OPTIONS.sounding_max


def test_tracks_open_with_their_prompts_in_turn(model: EventTransformer) -> None:
    prompts = [[60, midi.time_shift(500)], [72, midi.time_shift(300)]]
    tracks = generate(model, replace(OPTIONS, prompts=prompts))

    assert [events[:2] for events in tracks] == [prompts[0], prompts[1], prompts[0]]


def test_the_model_is_left_in_the_mode_it_was_in(model: EventTransformer) -> None:
    model.train()
    generate(model, replace(OPTIONS, count=1, seconds_min=0.5))
    was_training = model.training
    model.eval()

    assert was_training


class _Stuck(EventTransformer):
    """Wants one event again and again."""

    wants = 60

    def after(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        logits = super().after(tokens, lengths) * 0
        logits[:, self.wants] = 50.0
        return logits


@pytest.mark.parametrize("wants", [60, 128 + 60, midi.time_shift(1000), midi.time_shift(10), 380])
def test_a_stuck_model_writes_no_stuck_note_and_no_endless_silence(wants: int) -> None:
    torch.manual_seed(0)
    stuck = _Stuck(EventTransformerConfig(width=16, layers=1, heads=2, span=32))
    stuck.wants = wants
    (events,) = generate(stuck, GenerationOptions(seconds_min=12.0, events_per_second_max=400))
    notes = decode(events)
    silent_ms = 0
    for earlier, later in pairwise(notes):
        silent_ms = max(silent_ms, later.onset_ms - earlier.end_ms)

    assert notes
    assert max(n.duration_ms for n in notes) <= 6000
    assert silent_ms <= 2000


def test_a_model_that_spends_its_events_too_early_is_refused() -> None:
    torch.manual_seed(0)
    stuck = _Stuck(EventTransformerConfig(width=16, layers=1, heads=2, span=32))
    stuck.wants = midi.time_shift(10)

    with pytest.raises(GenerationFailed, match=r"track 0 reached \d+\.\d of 20 seconds"):
        generate(stuck, GenerationOptions(seconds_min=20.0, events_per_second_max=10))


def test_progress_reaches_the_whole(model: EventTransformer) -> None:
    heard: list[tuple[int, int]] = []
    generate(model, replace(OPTIONS, count=2), lambda done, total: heard.append((done, total)))

    assert heard[-1] == (80, 80)
    assert heard == sorted(heard)
