from __future__ import annotations

from pathlib import Path

import pytest

from attribution.music.midi import Note, UnreadableMusic, notes_of_score, read_notes, write_midi
from attribution.music.scores import corpus_folder, parse_corpus, parse_files

music21 = pytest.importorskip("music21", reason="scores need music21; pip install 'tantieme[demo]'")

TINY = "tinynotation: 4/4 "


def notes_in(notation: str) -> list[Note]:
    return notes_of_score(music21.converter.parse(TINY + notation))


def test_without_a_tempo_a_quarter_lasts_six_tenths_of_a_second() -> None:
    assert notes_in("c4 d8 e8 r4 f4") == [
        Note(0, 600, 60, 80),
        Note(600, 300, 62, 80),
        Note(900, 300, 64, 80),
        Note(1800, 600, 65, 80),
    ]


def test_where_the_half_is_the_beat_the_tempo_doubles() -> None:
    assert [note.duration_ms for note in notes_in("c2 d2 e2 f2")] == [600] * 4


def test_ties_are_joined() -> None:
    assert notes_in("c4 d4~ d4 e4")[1] == Note(600, 1200, 62, 80)


def test_a_tempo_mark_holds_until_the_next() -> None:
    score = music21.converter.parse(TINY + "c4 d4 e4 f4")
    score.insert(0, music21.tempo.MetronomeMark(number=60))
    score.insert(2, music21.tempo.MetronomeMark(number=120))

    assert [n.onset_ms for n in notes_of_score(score)] == [0, 1000, 2000, 2500]


def test_dynamics_set_the_velocity_until_the_next() -> None:
    score = music21.converter.parse(TINY + "c4 d4 e4 f4")
    measure = score.recurse().getElementsByClass("Measure")[0]
    measure.insert(1, music21.dynamics.Dynamic("p"))
    measure.insert(2, music21.dynamics.Dynamic("f"))
    velocities = [n.velocity for n in notes_of_score(score)]

    assert velocities[0] == 80
    assert velocities[1] < 80 < velocities[2] == velocities[3]


def test_chords_sound_and_grace_notes_do_not() -> None:
    stream = music21.stream.Stream([music21.chord.Chord("C4 E4 G4", quarterLength=1)])
    stream.append(music21.note.Note("D4").getGrace())

    assert [n.pitch for n in notes_of_score(stream)] == [60, 64, 67]


def test_a_transposing_instrument_is_read_as_it_sounds() -> None:
    part = music21.stream.Part([music21.instrument.Clarinet(), music21.note.Note("D4")])
    part.atSoundingPitch = False

    assert [n.pitch for n in notes_of_score(music21.stream.Score([part]))] == [60]


def test_a_score_file_is_read_like_any_other(tmp_path: Path) -> None:
    music21.converter.parse(TINY + "c4 d4").write("musicxml", tmp_path / "a.musicxml")

    assert read_notes(tmp_path / "a.musicxml") == [Note(0, 600, 60, 80), Note(600, 600, 62, 80)]


def test_a_damaged_score_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.musicxml").write_text("<score-partwise><part")

    with pytest.raises(UnreadableMusic, match=r"a\.musicxml is not a readable score"):
        read_notes(tmp_path / "a.musicxml")


def test_the_corpus_is_read_by_its_paths_and_faults_are_values() -> None:
    heard: list[tuple[int, int]] = []
    found = parse_corpus(
        ["bach/bwv66.6.mxl", "bach/absent.mxl"],
        workers=1,
        seconds_max=5,
        progress=lambda done, total: heard.append((done, total)),
    )
    chorale = found["bach/bwv66.6.mxl"]

    assert isinstance(chorale, list)
    assert max(note.end_ms for note in chorale) == 5000
    assert isinstance(found["bach/absent.mxl"], UnreadableMusic)
    assert heard == [(1, 2), (2, 2)]


def test_several_processes_read_the_same_in_the_same_order(tmp_path: Path) -> None:
    files = {}
    for number in range(4):
        files[f"piece {number}"] = tmp_path / f"{number}.mid"
        write_midi([Note(0, 500, 60 + number, 80)], tmp_path / f"{number}.mid")
    (tmp_path / "3.mid").write_bytes(b"")
    alone, together = parse_files(files, workers=1), parse_files(files, workers=2)

    assert list(together) == list(alone) == list(files)
    assert [together[name] for name in list(files)[:3]] == [
        [Note(0, 500, p, 80)] for p in (60, 61, 62)
    ]
    assert str(together["piece 3"]) == str(alone["piece 3"])


def test_the_corpus_lies_in_the_installed_package() -> None:
    assert (corpus_folder() / "bach").is_dir()
