from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from attribution.music import midi
from attribution.music.midi import Note, UnreadableMusic, decode, encode, read_notes, write_midi

notes = st.builds(
    Note,
    st.integers(0, 20_000),
    st.integers(1, 4_000),
    st.integers(0, 127),
    st.integers(1, 127),
)
events = st.lists(st.integers(0, midi.VOCABULARY_SIZE - 1), max_size=80)


@given(st.lists(notes, max_size=30))
def test_what_is_encoded_comes_back_on_the_grid(music: list[Note]) -> None:
    once = decode(encode(music))

    assert encode(once) == encode(music)
    assert decode(encode(once)) == once


@given(notes)
def test_a_note_moves_by_less_than_a_step_of_the_grid(note: Note) -> None:
    assume(note.duration_ms >= midi.GRID_MS)
    (read,) = decode(encode([note]))

    assert abs(read.onset_ms - note.onset_ms) <= midi.GRID_MS / 2
    assert abs(read.end_ms - note.end_ms) <= midi.GRID_MS
    assert abs(read.velocity - note.velocity) < midi.VELOCITY_STEP
    assert read.pitch == note.pitch


@given(st.lists(notes, max_size=30))
def test_events_lie_in_the_vocabulary_and_never_include_the_beginning(music: list[Note]) -> None:
    assert all(0 <= event < midi.BOS for event in encode(music))


@given(st.lists(notes, max_size=30))
def test_every_strike_is_released_and_time_adds_up(music: list[Note]) -> None:
    written = encode(music)
    strikes = sorted(e for e in written if e < midi.NOTE_OFF)
    releases = sorted(e - midi.NOTE_OFF for e in written if midi.NOTE_OFF <= e < midi.TIME_SHIFT)

    assert strikes == releases
    assert midi.duration_ms(written) == max((n.end_ms for n in decode(written)), default=0)


@given(events)
def test_no_note_hangs_or_overlaps_itself_whatever_the_events(written: list[int]) -> None:
    music = decode(written)

    assert all(n.duration_ms > 0 and n.end_ms <= midi.duration_ms(written) for n in music)
    assert midi.separated(music) == music


def test_the_vocabulary_is_the_music_transformers() -> None:
    assert (midi.NOTE_OFF, midi.TIME_SHIFT, midi.VELOCITY, midi.BOS) == (128, 256, 356, 388)
    assert midi.velocity_event(127) == midi.BOS - 1
    assert midi.time_shift(1000) == midi.VELOCITY - 1
    assert midi.time_shift(10) == midi.TIME_SHIFT


def test_a_worked_example() -> None:
    written = encode([Note(0, 500, 60, 80), Note(500, 1200, 60, 80), Note(500, 1200, 64, 80)])
    loud = midi.velocity_event(80)

    assert written == [
        *(loud, 60, midi.time_shift(500), 128 + 60, 60, 64),
        *(midi.time_shift(1000), midi.time_shift(200), 128 + 60, 128 + 64),
    ]


def test_a_pitch_struck_while_it_sounds_ends_first() -> None:
    music = midi.separated([Note(0, 1000, 60, 80), Note(400, 100, 60, 80)])

    assert music == [Note(0, 400, 60, 80), Note(400, 100, 60, 80)]


def test_of_two_equal_strikes_the_longer_stays() -> None:
    assert midi.separated([Note(0, 900, 60, 80), Note(0, 100, 60, 80)]) == [Note(0, 900, 60, 80)]


def test_the_beginning_cuts_long_notes_and_leaves_later_ones_out() -> None:
    music = [Note(0, 3000, 60, 80), Note(2500, 100, 62, 80)]

    assert midi.beginning(music, 2.0) == [Note(0, 2000, 60, 80)]


@given(st.lists(notes, min_size=1, max_size=20))
def test_a_midi_file_keeps_every_millisecond(
    tmp_path_factory: pytest.TempPathFactory, music: list[Note]
) -> None:
    file = tmp_path_factory.mktemp("midi") / "a.mid"
    write_midi(music, file)

    assert read_notes(file) == midi.separated(music)


def test_the_same_notes_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.mid", "b.mid"):
        write_midi([Note(0, 500, 60, 80)], tmp_path / name)

    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mid", "b.mid"]


def test_a_damaged_file_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(b"MThd, or so it says")

    with pytest.raises(UnreadableMusic, match=r"bad\.mid is not a readable MIDI file"):
        read_notes(tmp_path / "bad.mid")


def test_a_missing_file_a_foreign_kind_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(b"")
    write_midi([], tmp_path / "silent.mid")

    with pytest.raises(UnreadableMusic, match="is not a file"):
        read_notes(tmp_path / "absent.mid")
    with pytest.raises(UnreadableMusic, match="no kind of music we read"):
        read_notes(tmp_path / "cover.png")
    with pytest.raises(UnreadableMusic, match="no pitched note"):
        read_notes(tmp_path / "silent.mid")


def test_drums_are_left_out(tmp_path: Path) -> None:
    symusic = pytest.importorskip("symusic")
    score = symusic.Score(500)
    for drum in (True, False):
        track = symusic.Track(is_drum=drum)
        track.notes.append(symusic.Note(0, 500, 36 if drum else 60, 80))
        score.tracks.append(track)
    score.dump_midi(tmp_path / "band.mid")

    assert [note.pitch for note in read_notes(tmp_path / "band.mid")] == [60]


def test_scores_without_music21_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "music21", None)
    (tmp_path / "a.musicxml").write_text("<score-partwise/>")

    with pytest.raises(UnreadableMusic, match=r"pip install 'tantieme\[demo\]'"):
        read_notes(tmp_path / "a.musicxml")


def test_midi_is_read_without_torch_and_without_music21(tmp_path: Path) -> None:
    write_midi([Note(0, 500, 60, 80)], tmp_path / "a.mid")
    code = (
        "import sys; from attribution.music.midi import read_notes; read_notes(sys.argv[1]); "
        "sys.exit('torch' in sys.modules or 'music21' in sys.modules)"
    )

    assert (
        subprocess.run([sys.executable, "-c", code, tmp_path / "a.mid"], check=False).returncode
        == 0
    )
