from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import soundfile

from attribution.music import audio
from attribution.music.audio import CannotRender, find_soundfont, render
from attribution.music.midi import Note, write_midi


@pytest.fixture
def melody(tmp_path: Path) -> Path:
    file = tmp_path / "melody.mid"
    write_midi([Note(500 * i, 500, 60 + i, 90) for i in range(8)], file)
    return file


@pytest.fixture
def _synthesiser() -> None:
    present = shutil.which("fluidsynth") and any(Path(p).is_file() for p in audio.SOUNDFONTS)
    if not present and os.environ.get("CI") == "true":
        pytest.fail("fluidsynth or its soundfont is missing, and CI has to have both")
    if not present:
        pytest.skip("needs fluidsynth; run apt-get install fluidsynth timgm6mb-soundfont")


@pytest.mark.usefixtures("_synthesiser")
def test_a_midi_file_sounds(melody: Path, tmp_path: Path) -> None:
    render(melody, tmp_path / "melody.wav")
    samples, rate = soundfile.read(tmp_path / "melody.wav")

    assert rate == 22_050
    assert samples.ndim == 1
    assert 4.0 <= len(samples) / rate < 8.0
    assert abs(samples).max() == pytest.approx(0.891, abs=0.001)


@pytest.mark.usefixtures("_synthesiser")
def test_rendering_twice_gives_the_same_bytes(melody: Path, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        render(melody, tmp_path / name)

    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.wav", "b.wav", "melody.mid"]


@pytest.mark.usefixtures("_synthesiser")
def test_only_the_beginning_is_played_when_asked(melody: Path, tmp_path: Path) -> None:
    render(melody, tmp_path / "short.wav", seconds_max=1.5)

    assert soundfile.info(tmp_path / "short.wav").duration <= 2.5


def test_a_soundfont_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANTIEME_SOUNDFONT", "/nowhere/piano.sf2")

    with pytest.raises(CannotRender, match=r"soundfont /nowhere/piano\.sf2 is not a file"):
        find_soundfont()


def test_without_any_soundfont_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANTIEME_SOUNDFONT", raising=False)
    monkeypatch.setattr(audio, "SOUNDFONTS", ())

    with pytest.raises(CannotRender, match="apt-get install fluidsynth timgm6mb-soundfont"):
        find_soundfont()


def test_without_fluidsynth_the_package_is_named(
    melody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "font.sf2").write_bytes(b"")
    monkeypatch.setenv("PATH", "")

    with pytest.raises(CannotRender, match="fluidsynth is not installed; run apt-get install"):
        render(melody, tmp_path / "a.wav", soundfont=tmp_path / "font.sf2")
