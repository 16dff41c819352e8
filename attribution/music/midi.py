"""Notes and events: what is in a music file, and what a model reads.

A `Note` is what a listener hears, in milliseconds. An event is what the model predicts, in the
vocabulary of the Music Transformer (Huang et al. 2019, after Oore et al. 2018): 128 note-ons,
128 note-offs, 100 time-shifts of 10 ms to 1 s, 32 velocities; and one event to begin with.
One instrument plays everything: parts are merged and drums left out.
"""

from __future__ import annotations

import gc
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from attribution.errors import AttributionError
from attribution.files import write_whole

NOTE_ON = 0
NOTE_OFF = 128
TIME_SHIFT = 256
VELOCITY = 356
BOS = 388
VOCABULARY_SIZE = 389

GRID_MS = 10
SHIFT_MS_MAX = 1000
VELOCITY_STEP = 4
VELOCITY_DEFAULT = 80

# Most old scores carry no tempo. At 100 quarters a minute the common note values are whole
# multiples of the grid: a sixteenth is 150 ms, a triplet eighth 200 ms. Where the half or the
# breve is the beat, as in Josquin, the tempo doubles until the median note is this short.
_QUARTER_MS = 600.0
_MEDIAN_NOTE_MS_MAX = 600.0
_MIDI_SUFFIXES = frozenset({".mid", ".midi"})
_SCORE_SUFFIXES = frozenset({".xml", ".musicxml", ".mxl", ".krn", ".abc"})
MUSIC_SUFFIXES = _MIDI_SUFFIXES | _SCORE_SUFFIXES


class UnreadableMusic(AttributionError):
    """A file that holds no music we can read; the message says which one and why."""


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One sounding pitch: when, for how long, how high (60 is middle C), how hard (1 to 127)."""

    onset_ms: int
    duration_ms: int
    pitch: int
    velocity: int

    @property
    def end_ms(self) -> int:
        """When the note falls silent."""
        return self.onset_ms + self.duration_ms


def note_on(pitch: int) -> int:
    """Return the event that strikes a pitch."""
    return NOTE_ON + pitch


def note_off(pitch: int) -> int:
    """Return the event that releases a pitch."""
    return NOTE_OFF + pitch


def time_shift(shift_ms: int) -> int:
    """Return the event that lets 10 to 1000 milliseconds pass, a multiple of 10."""
    return TIME_SHIFT + shift_ms // GRID_MS - 1


def velocity_event(velocity: int) -> int:
    """Return the event that sets how hard the notes after it are struck."""
    return VELOCITY + velocity // VELOCITY_STEP


def shift_ms(event: int) -> int:
    """Return how many milliseconds an event lets pass: none, unless it is a time-shift."""
    return (event - TIME_SHIFT + 1) * GRID_MS if TIME_SHIFT <= event < VELOCITY else 0


def velocity_of(event: int) -> int:
    """Return the velocity that a velocity event sets: the middle of its step."""
    return (event - VELOCITY) * VELOCITY_STEP + VELOCITY_STEP // 2


def duration_ms(events: Iterable[int]) -> int:
    """Return how long the events last, in milliseconds."""
    return sum(map(shift_ms, events))


def encode(notes: Sequence[Note]) -> list[int]:
    """Write notes as events, on a grid of 10 ms and 32 velocities.

    At one moment the releases come before the strikes, each from low to high. A pitch struck
    again while it sounds is released first; of two equal strikes the longer one stays.
    `decode` gives back the same notes, rounded to the grid.
    """
    changes = sorted(
        change
        for note in separated(map(_on_grid, notes))
        for change in ((note.onset_ms, 1, note), (note.end_ms, 0, note))
    )
    events: list[int] = []
    now_ms, velocity = 0, -1
    for moment_ms, struck, note in changes:
        events += _shifts(moment_ms - now_ms)
        now_ms = moment_ms
        if not struck:
            events.append(note_off(note.pitch))
            continue
        if note.velocity != velocity:
            velocity = note.velocity
            events.append(velocity_event(velocity))
        events.append(note_on(note.pitch))
    return events


def decode(events: Iterable[int]) -> list[Note]:
    """Read events as notes, sorted; what still sounds at the end is released there.

    A release of a silent pitch is ignored, a strike of a sounding one releases it first, and a
    note that would last no time is dropped: whatever a model writes, no note hangs.
    """
    notes: list[Note] = []
    sounding: dict[int, tuple[int, int]] = {}
    now_ms, velocity = 0, VELOCITY_DEFAULT

    def release(pitch: int) -> None:
        onset_ms, struck = sounding.pop(pitch, (now_ms, 0))
        if now_ms > onset_ms:
            notes.append(Note(onset_ms, now_ms - onset_ms, pitch, struck))

    for event in events:
        if event < TIME_SHIFT:
            release(event % NOTE_OFF)
        if event < NOTE_OFF:
            sounding[event - NOTE_ON] = (now_ms, velocity)
        elif VELOCITY <= event < BOS:
            velocity = velocity_of(event)
        else:
            now_ms += shift_ms(event)
    for pitch in list(sounding):
        release(pitch)
    return sorted(notes)


def separated(notes: Iterable[Note]) -> list[Note]:
    """Let no two notes of one pitch overlap: the earlier one ends where the next begins."""
    by_pitch: dict[int, list[Note]] = {}
    for note in sorted(notes):
        same = by_pitch.setdefault(note.pitch, [])
        if same and same[-1].onset_ms == note.onset_ms:
            same.pop()  # sorted by duration within an onset, so the longer one comes last
        elif same and same[-1].end_ms > note.onset_ms:
            same[-1] = replace(same[-1], duration_ms=note.onset_ms - same[-1].onset_ms)
        same.append(note)
    return sorted(note for same in by_pitch.values() for note in same)


def beginning(notes: Iterable[Note], seconds_max: float) -> list[Note]:
    """Return the first seconds of the music; notes that reach beyond are cut short."""
    end_ms = round(seconds_max * 1000)
    return [
        replace(note, duration_ms=min(note.duration_ms, end_ms - note.onset_ms))
        for note in notes
        if note.onset_ms < end_ms
    ]


def _on_grid(note: Note) -> Note:
    onset_ms = _rounded(note.onset_ms)
    end_ms = max(_rounded(note.end_ms), onset_ms + GRID_MS)
    velocity = velocity_of(velocity_event(min(max(note.velocity, 1), 127)))
    return Note(onset_ms, end_ms - onset_ms, note.pitch, velocity)


def _rounded(time_ms: int) -> int:
    return (time_ms + GRID_MS // 2) // GRID_MS * GRID_MS


def _shifts(gap_ms: int) -> list[int]:
    whole, rest = divmod(gap_ms, SHIFT_MS_MAX)
    return [time_shift(SHIFT_MS_MAX)] * whole + ([time_shift(rest)] if rest else [])


def read_notes(path: Path | str) -> list[Note]:
    """Read a music file: MIDI, or MusicXML where the extra `demo` (music21) is installed.

    Raises `UnreadableMusic` when the file is missing, damaged, of another kind or without notes.
    """
    path = Path(path)
    if not path.is_file():
        raise UnreadableMusic(f"{path} is not a file")
    suffix = path.suffix.lower()
    if suffix in _MIDI_SUFFIXES:
        notes = _read_midi(path)
    elif suffix in _SCORE_SUFFIXES:
        notes = _read_score(path)
    else:
        kinds = ", ".join(sorted(MUSIC_SUFFIXES))
        raise UnreadableMusic(f"{path} is no kind of music we read ({kinds})")
    if not notes:
        raise UnreadableMusic(f"{path} holds no pitched note")
    return notes


def write_midi(notes: Iterable[Note], path: Path | str) -> None:
    """Write notes as a MIDI file of one piano track, one tick a millisecond."""
    import symusic  # noqa: PLC0415 - the engine's core needs none of music's libraries

    # At 120 quarters a minute, 500 ticks a quarter are milliseconds.
    score: Any = symusic.Score(500)
    score.tempos.append(symusic.Tempo(0, 120))
    track: Any = symusic.Track(name="Piano", program=0)
    for note in separated(notes):
        track.notes.append(
            symusic.Note(note.onset_ms, max(note.duration_ms, 1), note.pitch, note.velocity)
        )
    score.tracks.append(track)
    write_whole(Path(path), score.dumps_midi())


def _read_midi(path: Path) -> list[Note]:
    import symusic  # noqa: PLC0415 - as above

    try:
        read: Any = symusic.Score.from_midi(path.read_bytes())
        score = read.to("second")
    except Exception as fault:
        raise UnreadableMusic(f"{path} is not a readable MIDI file: {fault}") from fault
    return sorted(
        Note(
            round(note.start * 1000),
            max(round(note.duration * 1000), 1),
            note.pitch,
            max(note.velocity, 1),
        )
        for track in score.tracks
        if not track.is_drum
        for note in track.notes
    )


def _read_score(path: Path) -> list[Note]:
    try:
        from music21 import converter  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as absent:
        raise UnreadableMusic(
            f"{path} is a score, and reading scores needs music21; "
            "run pip install 'tantieme[demo]', or export it as MIDI"
        ) from absent
    try:
        with warnings.catch_warnings(), _uncollected():
            warnings.simplefilter("ignore")  # overfull measures and the like: it plays on
            return notes_of_score(converter.parse(path, forceSource=True, storePickle=False))
    except Exception as fault:  # music21 raises whatever a faulty score makes it stumble over
        raise UnreadableMusic(f"{path} is not a readable score: {fault}") from fault


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold back the garbage collector: music21 makes so many objects that it dominates."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def notes_of_score(score: Any) -> list[Note]:  # noqa: ANN401 - music21 has no types
    """Read a music21 stream as it sounds: ties joined, tempo and dynamics followed.

    Repeats are played once, grace notes and drums left out.
    """
    if any(i.transposition for i in score.recurse().getElementsByClass("Instrument")):
        score = score.toSoundingPitch()
    clock = _Clock(score)
    parts = list(score.parts) if hasattr(score, "parts") else []
    return sorted(
        note for part in (parts or [score]) for note in _notes_of_part(part.flatten(), clock)
    )


class _Clock:
    """Turns offsets in quarters into milliseconds, by the tempo marks of the score."""

    def __init__(self, score: Any) -> None:  # noqa: ANN401 - as above
        marks = {
            float(mark.getOffsetInHierarchy(score)): mark.getQuarterBPM()
            for mark in score.recurse().getElementsByClass("MetronomeMark")
        }
        paces_ms = {offset: 60_000 / beats for offset, beats in sorted(marks.items()) if beats}
        self._offsets = [0.0]
        self._starts_ms = [0.0]
        self._paces_ms = [paces_ms.pop(0.0, None) or _customary_pace_ms(score)]
        for offset, pace_ms in paces_ms.items():
            self._starts_ms.append(self._exact_ms(offset))
            self._offsets.append(offset)
            self._paces_ms.append(pace_ms)

    def _exact_ms(self, offset: float) -> float:
        at = bisect_right(self._offsets, offset) - 1
        return self._starts_ms[at] + (offset - self._offsets[at]) * self._paces_ms[at]

    def ms(self, offset: float) -> int:
        """Return when an offset is reached, in milliseconds."""
        return round(self._exact_ms(offset))


def _customary_pace_ms(score: Any) -> float:  # noqa: ANN401 - as above
    """Return how long a quarter lasts where the score does not say."""
    values = [float(n.quarterLength) for n in score.recurse().notes if n.quarterLength]
    pace_ms = _QUARTER_MS
    while values and median(values) * pace_ms > _MEDIAN_NOTE_MS_MAX:
        pace_ms /= 2
    return pace_ms


def _notes_of_part(part: Any, clock: _Clock) -> list[Note]:  # noqa: ANN401 - as above
    """Read one flat part: its dynamics hold until the next, its ties are joined."""
    notes: list[Note] = []
    tied: dict[int, Note] = {}
    loudness = VELOCITY_DEFAULT
    for element in part.getElementsByClass(("Note", "Chord", "Dynamic")):
        if "Dynamic" in element.classes:
            loudness = min(max(round(element.volumeScalar * 127), 1), 127)
            continue
        if not element.quarterLength:
            continue
        onset_ms = clock.ms(float(element.offset))
        end_ms = clock.ms(float(element.offset + element.quarterLength))
        for head in getattr(element, "notes", (element,)):
            velocity = head.volume.velocity or element.volume.velocity or loudness
            note = Note(onset_ms, max(end_ms - onset_ms, 1), head.pitch.midi, int(velocity))
            _join(note, head.tie.type if head.tie else None, tied, notes)
    return notes + list(tied.values())


def _join(note: Note, tie: str | None, tied: dict[int, Note], notes: list[Note]) -> None:
    """Add a note, or lengthen the one it is tied to."""
    before = tied.pop(note.pitch, None)
    if before is not None and tie in {"continue", "stop"}:
        note = replace(before, duration_ms=note.end_ms - before.onset_ms)
    elif before is not None:
        notes.append(before)
    if tie in {"start", "continue"}:
        tied[note.pitch] = note
    else:
        notes.append(note)
