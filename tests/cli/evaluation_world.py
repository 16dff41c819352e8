"""A workspace small enough to train again many times: four artists, eight works held back."""

import hashlib
import shutil
from pathlib import Path
from unittest.mock import patch

import numpy as np

from attribution.music.midi import Note, write_midi
from cli.jobs.catalogue import import_folder
from cli.jobs.training import Choice, plan, train_run
from cli.setup import set_up
from cli.workspace import Workspace
from db.books.tracks import TrackFacts, record_tracks

ARTISTS, RECORDINGS, HELD_OUT, TRACKS = 4, 3, 8, 3
NOTES, STEP_MS = 60, 200
CHOICE = Choice(epochs=2, span=48, spans_max=2, width=16, layers=1, heads=2)
PARTIES = "id,name,kind,ipi,isni,payee\n"
RECORDINGS_HEAD = "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\n"
INTERESTS = "subject,subject_id,right,party,ppm,territory,valid_from,valid_to\n"


def silent(_done: int, _total: int) -> None:
    pass


def write_music(path: Path, seed: int, around: int) -> None:
    random = np.random.default_rng(seed)
    pitches = around + random.integers(0, 8, NOTES)
    notes = [Note(STEP_MS * i, STEP_MS, int(pitch), 80) for i, pitch in enumerate(pitches)]
    write_midi(notes, path)


def write_folder(folder: Path, prefix: str, recordings: int) -> Path:
    (folder / "music").mkdir(parents=True)
    parties, rows, interests = PARTIES, RECORDINGS_HEAD, INTERESTS
    for number in range(recordings):
        artist, id_ = f"artist-{number % ARTISTS}", f"{prefix}-{number:02d}"
        file = f"music/{id_}.mid"
        write_music(
            folder / file, seed=97 * len(prefix) + number, around=40 + 8 * (number % ARTISTS)
        )
        rows += f"{id_},,Title {number},{artist},{id_},,{file},,\n"
        interests += f"recording,{id_},master,{artist},1000000,WW,,\n"
    for artist in range(ARTISTS):
        parties += f"artist-{artist},Artist {artist},artist,,,\n"
    tables = {"parties": parties, "recordings": rows, "interests": interests}
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def make(folder: Path) -> Workspace:
    """Import, train and pretend to have generated; no sound is rendered."""
    workspace = Workspace(home=folder / "home")
    set_up(workspace)
    with patch("cli.jobs.catalogue.render_all", return_value={}):
        trained = write_folder(folder / "catalogue", "rec", ARTISTS * RECORDINGS)
        import_folder(workspace, trained, report=silent)
        held = write_folder(folder / "held", "held", HELD_OUT)
        import_folder(workspace, held, placebo=True, report=silent)
    run = plan(workspace, CHOICE)
    train_run(workspace, run, silent)
    facts = []
    for number in range(TRACKS):
        path = workspace.folder("tracks") / f"t{number:08d}.mid"
        write_music(path, seed=1000 + number, around=44 + 5 * number)
        facts.append(
            TrackFacts(
                id=path.stem,
                title=f"Track {number}",
                run=run.id,
                seed=number,
                duration_ms=NOTES * STEP_MS,
                midi=f"tracks/{path.name}",
                audio_sha256=None,
                created_at="2026-11-02T10:00:00Z",
            )
        )
    record_tracks(workspace.books(), facts)
    return workspace


def copied(workspace: Workspace, folder: Path) -> Workspace:
    shutil.copytree(workspace.home, folder / "home")
    return Workspace(home=folder / "home")


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("ledger.db")
    }
