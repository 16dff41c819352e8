"""MIDI to sound, by the program fluidsynth and a General MIDI soundfont."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from attribution.errors import AttributionError
from attribution.files import write_whole
from attribution.music.midi import beginning, read_notes, write_midi

SAMPLE_RATE_HZ = 22_050
SOUNDFONTS = (
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf3/default-GM.sf3",
)
_PEAK = 0.891  # one decibel below full scale
_TAIL_SECONDS = 1.0  # a last chord may ring this long beyond `seconds_max`
_INSTALL = "run apt-get install fluidsynth timgm6mb-soundfont"


class CannotRender(AttributionError):
    """The synthesiser or its soundfont is missing, or refused the file."""


def render(
    midi_path: Path | str,
    wav_path: Path | str,
    *,
    soundfont: Path | str | None = None,
    seconds_max: float | None = None,
) -> None:
    """Play a MIDI file into a WAV file: 22 050 Hz, mono, 16 bit, its peak at -1 dB.

    The soundfont is `soundfont`, else $TANTIEME_SOUNDFONT, else where Debian puts one. With
    `seconds_max` only the beginning is played. Same input, same program: same bytes.
    Raises `CannotRender`, or `UnreadableMusic` for the MIDI file.
    """
    import soundfile  # noqa: PLC0415 - the engine's core needs none of music's libraries

    font = find_soundfont(soundfont)
    notes = read_notes(midi_path)
    if seconds_max is not None:
        notes = beginning(notes, seconds_max)
    with tempfile.TemporaryDirectory() as folder:
        played, raw = Path(folder, "played.mid"), Path(folder, "played.wav")
        write_midi(notes, played)
        _synthesise(played, raw, font)
        samples = soundfile.read(raw, dtype="float64", always_2d=True)[0].mean(axis=1)
    if seconds_max is not None:
        samples = samples[: round((seconds_max + _TAIL_SECONDS) * SAMPLE_RATE_HZ)]
    loudest = abs(samples).max(initial=0.0)
    if loudest > 0:
        samples *= _PEAK / loudest
    wav = io.BytesIO()
    soundfile.write(wav, samples, SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV")
    write_whole(Path(wav_path), wav.getvalue())


def find_soundfont(soundfont: Path | str | None = None) -> Path:
    """Return the soundfont to play with: the one named, or the first that is installed."""
    named = soundfont or os.environ.get("TANTIEME_SOUNDFONT")
    if named:
        if not Path(named).is_file():
            raise CannotRender(f"soundfont {named} is not a file; name another, or none")
        return Path(named)
    for place in map(Path, SOUNDFONTS):
        if place.is_file():
            return place
    raise CannotRender(f"no soundfont is installed; {_INSTALL}, or set TANTIEME_SOUNDFONT")


def _synthesise(midi: Path, wav: Path, soundfont: Path) -> None:
    program = shutil.which("fluidsynth")
    if program is None:
        raise CannotRender(f"fluidsynth is not installed; {_INSTALL}")
    options = ["-ni", "-q", "-R", "0", "-C", "0", "-O", "s16", "-T", "wav"]
    ran = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [program, *options, "-r", str(SAMPLE_RATE_HZ), "-F", str(wav), str(soundfont), str(midi)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode or not wav.is_file() or wav.stat().st_size == 0:
        raise CannotRender(f"fluidsynth could not play {midi.name}: {ran.stderr.strip()[-300:]}")
