import pytest

from attribution.music.corpus import cut, rows_of
from attribution.music.midi import Note, encode, shift_ms
from attribution.music.passages import Passage, times_of, windows_of

SPAN = 48


@pytest.fixture(scope="module")
def events() -> list[int]:
    """Half a minute of chords, with a rest and an accent now and then."""
    notes = [
        Note(
            400 * step + (1500 if step > 40 else 0),
            380,
            48 + (5 * step + 4 * voice) % 30,
            40 + 8 * (step % 7),
        )
        for step in range(70)
        for voice in range(1 + step % 3)
    ]
    return encode(notes)


def test_windows_cover_the_track_without_gap_or_overlap(events) -> None:
    windows = windows_of("t", events, span=SPAN)

    starts = [time.start_ms for time in windows.times]
    ends = [time.end_ms for time in windows.times]
    assert starts[0] == 0
    assert starts[1:] == ends[:-1]
    assert ends[-1] == sum(map(shift_ms, events))
    assert all(1000 <= end - start <= 3000 for start, end in zip(starts, ends, strict=True))


def test_every_event_of_a_row_is_in_one_window(events) -> None:
    windows = windows_of("t", events, span=SPAN)
    whole, parts = windows.whole, windows.parts

    assert whole.ids == rows_of({"t": events}, span=SPAN).ids
    for row, name in enumerate(whole.ids):
        own = [place for place, owner in enumerate(parts.owners) if owner == name]
        total = parts.tensors["mask"][own].long().sum(0)
        assert total.tolist() == whole.tensors["mask"][row].long().tolist()


def test_events_stand_in_the_window_in_which_they_happen(events) -> None:
    windows = windows_of("t", events, span=SPAN)
    spans = {f"t@{span.start}": span for span in cut(events, SPAN)}

    for part, owner in enumerate(windows.parts.owners):
        span, time = spans[owner], windows.times[part]
        now_ms = span.start_ms
        for place, event in enumerate(span.events):
            inside = bool(windows.parts.tensors["mask"][part, place])
            assert inside == (
                time.start_ms <= now_ms < time.end_ms or (now_ms == span.end_ms == time.end_ms)
            )
            now_ms += shift_ms(event)


def test_a_wider_window_makes_fewer_parts(events) -> None:
    narrow, wide = (windows_of("t", events, span=SPAN, window_ms=ms) for ms in (1000, 60_000))

    assert len(narrow.parts) > 2 * len(wide.parts)
    assert len(wide.parts) == len(wide.whole)


def test_a_chord_without_any_time_is_one_window() -> None:
    windows = windows_of("t", [60, 64, 67], span=SPAN)

    assert windows.parts.ids == ("t@0/0",)
    assert windows.times == (Passage(0, 0),)


def test_items_sound_when_their_spans_do(events) -> None:
    times = times_of("r", events, span=SPAN, spans_max=3)

    assert tuple(times) == rows_of({"r": events}, span=SPAN, spans_max=3).ids
    assert [time.start_ms for time in times.values()][1:] == [
        time.end_ms for time in times.values()
    ][:-1]
