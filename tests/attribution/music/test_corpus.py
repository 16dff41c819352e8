from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from attribution.music.corpus import cut, passage, rows_of
from attribution.music.midi import BOS, Note, decode, encode, velocity_event

notes = st.builds(
    Note, st.integers(0, 9_000), st.integers(10, 3_000), st.integers(50, 62), st.integers(1, 127)
)
music = st.lists(notes, min_size=1, max_size=40)


def scale(count: int) -> list[int]:
    return encode([Note(200 * i, 200, 60 + i % 12, 80) for i in range(count)])


@given(music, st.integers(24, 60))
def test_spans_are_short_enough_and_follow_each_other(played: list[Note], span: int) -> None:
    spans = cut(encode(played), span)

    assert all(0 < len(piece.events) <= span for piece in spans)
    assert all(a.end_ms == b.start_ms for a, b in pairwise(spans))
    assert all(a.start < b.start for a, b in pairwise(spans))


@given(music, st.integers(48, 80))
def test_a_span_alone_sounds_as_it_does_in_the_whole(played: list[Note], span: int) -> None:
    events = encode(played)
    whole = decode(events)
    for piece in cut(events, span):
        alone = {(n.pitch, n.onset_ms + piece.start_ms, n.velocity) for n in decode(piece.events)}
        sounding = {
            (n.pitch, max(n.onset_ms, piece.start_ms), n.velocity)
            for n in whole
            if n.onset_ms < piece.end_ms and n.end_ms > piece.start_ms
        }

        assert alone == sounding


@given(music, st.integers(24, 60))
def test_the_first_spans_do_not_depend_on_how_many_are_wanted(
    played: list[Note], span: int
) -> None:
    events = encode(played)

    assert cut(events, span, 2) == cut(events, span)[:2]


def test_a_span_opens_with_what_sounds_and_how_loud() -> None:
    drone = Note(0, 60_000, 36, 40)
    melody = [Note(200 * i, 200, 72, 80) for i in range(40)]
    second = cut(encode([drone, *melody]), 32)[1]

    assert second.events[:2] == (velocity_event(40), 36)
    assert {n.velocity for n in decode(second.events) if n.pitch == 72} == {82}


def test_a_short_rest_of_a_recording_is_left_out_unless_it_is_all() -> None:
    assert len(cut(scale(11), 32)) == 1
    assert len(cut(scale(2), 32)) == 1
    assert cut([], 32) == []


def test_a_chord_too_wide_for_a_span_loses_what_does_not_fit() -> None:
    cluster = encode([Note(0, 500, pitch, 80) for pitch in range(20, 90)])
    spans = cut(cluster, 32)

    assert [len(piece.events) for piece in spans] == [32]


def test_rows_name_their_recording_and_place() -> None:
    rows = rows_of({"b": scale(40), "a": scale(40)}, span=32, spans_max=2)

    assert rows.owners == ("a", "a", "b", "b")
    assert [i.partition("@")[0] for i in rows.ids] == list(rows.owners)
    assert rows.ids[0] == "a@0"
    assert rows.tensors["tokens"].shape == rows.tensors["mask"].shape == (4, 32)
    assert rows.tensors["tokens"].dtype == torch.int64


def test_the_mask_is_true_where_there_is_an_event() -> None:
    rows = rows_of({"a": scale(4)}, span=32)
    length = len(scale(4))

    assert rows.tensors["mask"].sum() == length
    assert rows.tensors["tokens"][0, :length].tolist() == scale(4)
    assert rows.tensors["tokens"][0, length:].eq(BOS).all()


def test_nothing_gives_no_rows() -> None:
    assert len(rows_of({}, span=32)) == 0


@given(music, st.integers(8, 60))
def test_a_passage_is_the_end_of_the_music_and_fits(played: list[Note], room: int) -> None:
    events = encode(played)
    end = passage(events, room)

    assert len(end) <= room
    assert end[-1:] == events[-1:]


def test_a_passage_opens_with_what_sounds() -> None:
    events = encode([Note(0, 60_000, 36, 40), *(Note(200 * i, 200, 72, 80) for i in range(40))])

    assert 36 in passage(events[:100], 24)
