"""A small workspace with real books: three artists, four tracks, one month closed, one open."""

import hashlib
import io
import json
import math
import struct
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cli.jobs.payout import close_period, compute
from cli.setup import set_up
from cli.workspace import Workspace
from dashboard import reads
from db.books.tracks import TrackFacts, record_tracks
from db.intake import catalogue, revenue, shares, usage
from royalty.period import Period
from tests.dashboard.browsing import APP, browser, page, url  # noqa: F401  fixtures

CLOSED = Period(2026, 10)
OPEN = Period(2026, 11)
HARBOUR, KILN, LANTERN, SILENT = "t0000000a", "t0000000b", "t0000000c", "t0000000d"
PASSAGES = {  # of KILN
    "schema": 1,
    "windows_ms": [[0, 2000], [2000, 4000]],
    "recordings": [
        {
            "id": "ben-1",
            "title": "Kiln",
            "artist": "Ben Brandt",
            "items_ms": [[0, 1500], [1500, 3500]],
            "scores": [[0.5, -1.0], [2.0, 9.5]],
        },
        {
            "id": "ann-2",
            "title": "Low *Tide*",
            "artist": "Ann Aalto",
            "items_ms": [[0, 3000]],
            "scores": [[3.25], [0.0]],
        },
    ],
    "strongest": [
        {
            "recording": "ben-1",
            "track_ms": [2000, 4000],
            "recording_ms": [1500, 3500],
            "score": 9.5,
        },
        {"recording": "ann-2", "track_ms": [0, 2000], "recording_ms": [0, 3000], "score": 3.25},
    ],
}
WHY = "2 of 4 works cleared the placebos; the rest cannot be told from chance."

RECORDINGS = """\
id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to
ann-1,,Harbour,ann,harbour,,,,
ann-2,,Low *Tide*,ann,low-tide,,,,
ben-1,,Kiln,ben,kiln,,,,
cho-1,,Paper Lantern,cho,paper-lantern,,,,
"""
PARTIES = """\
id,name,kind,ipi,isni,payee
ann,Ann Aalto,artist,,,
ben,Ben Brandt,artist,,,
cho,Cho Chen,artist,,,
"""
INTERESTS = """\
subject,subject_id,right,party,ppm,territory,valid_from,valid_to
recording,ann-1,master,ann,1000000,WW,,
recording,ann-2,master,ann,1000000,WW,,
recording,ben-1,master,ben,1000000,WW,,
recording,cho-1,master,cho,800000,WW,,
"""
SHARES = f"""\
track,recording,share_ppb,low_ppb,high_ppb,provider
{HARBOUR},ann-1,400000000,250000000,550000000,tantieme
{HARBOUR},ben-1,150000000,50000000,260000000,tantieme
{HARBOUR},,450000000,300000000,600000000,tantieme
{KILN},ben-1,300000000,180000000,420000000,tantieme
{KILN},ann-2,100000000,20000000,190000000,tantieme
{KILN},,600000000,450000000,750000000,tantieme
{LANTERN},cho-1,350000000,200000000,500000000,tantieme
{LANTERN},,650000000,500000000,800000000,tantieme
"""
USAGE = f"""\
period,listener,track,source,territory,plays
2026-10,lea,{HARBOUR},app,DE,40
2026-10,lea,{KILN},app,DE,20
2026-10,max,{KILN},app,DE,5
2026-10,mia,{LANTERN},app,DE,3
2026-10,mia,{SILENT},app,DE,1
2026-11,mia,{HARBOUR},app,DE,2
"""
REVENUE = """\
period,listener,source,territory,currency,net
2026-10,lea,app,DE,EUR,9.99
2026-10,max,app,DE,EUR,9.99
2026-10,mia,app,DE,EUR,9.99
2026-10,sam,app,DE,EUR,4.99
2026-11,mia,app,DE,EUR,9.99
"""

OpenPage = Callable[..., AppTest]


def sine_wav(pitch_hz: float, seconds: float = 4.0) -> bytes:
    rate_hz = 8000
    samples = (
        int(9000 * math.sin(2 * math.pi * pitch_hz * i / rate_hz))
        for i in range(int(seconds * rate_hz))
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


def keep_sound(home: Path, pitch_hz: float) -> str:
    sound = sine_wav(pitch_hz)
    sha256 = hashlib.sha256(sound).hexdigest()
    (home / "audio").mkdir(exist_ok=True)
    (home / "audio" / f"{sha256}.wav").write_bytes(sound)
    return sha256


def import_catalogue(workspace: Workspace, folder: Path) -> None:
    """Record everything but the sound of Paper Lantern, which was never rendered."""
    folder.mkdir()
    texts = {"recordings": RECORDINGS, "parties": PARTIES, "interests": INTERESTS}
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    files = catalogue.read_catalogue(folder)
    sounds = {"ann-1": 220.0, "ann-2": 247.0, "ben-1": 262.0}
    audio = {
        recording.id: catalogue.AudioFacts(
            content_sha256=hashlib.sha256(recording.id.encode()).hexdigest(),
            duration_ms=1000,
            audio_sha256=keep_sound(workspace.home, sounds[recording.id])
            if recording.id in sounds
            else None,
        )
        for recording in files.recordings
    }
    catalogue.record(workspace.books(), files, audio)


def generate_tracks(workspace: Workspace) -> None:
    titles = {HARBOUR: "Track 01", KILN: "Track 02", LANTERN: "Track 03", SILENT: "Track 04"}
    facts = [
        TrackFacts(
            id=id_,
            title=title,
            run=None,
            seed=number,
            duration_ms=31_000 + number,
            midi=None,
            created_at="2026-11-02T10:00:00Z",
            audio_sha256=keep_sound(workspace.home, 300.0 + number),
        )
        for number, (id_, title) in enumerate(titles.items())
    ]
    record_tracks(workspace.books(), facts)
    made = {"run": "r01", "seed": 0, "prompt": {"recording": "ann-1", "events": 32}}
    found = {
        "schema": 1,
        "track": HARBOUR,
        "method": "trak",
        "mapping": "gated-1",
        "run": "r01",
        "index": "i01",
        "works": [],
        "similarity": [
            {"recording": "cho-1", "title": "Paper Lantern", "artist": "Cho Chen", "overlap": 0.31}
        ],
        "why_unattributed": WHY,
    }
    for folder, document in (("tracks", made), ("evidence", found)):
        path = workspace.home / folder / f"{HARBOUR}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")


def keep_passages(home: Path) -> None:
    """Keep evidence of Track 02 and its passages, whose recordings sound."""
    evidence = home / "evidence" / f"{KILN}.json"
    evidence.write_text(json.dumps({"schema": 1, "track": KILN}), encoding="utf-8")
    sounds = {"ben-1": keep_sound(home, 262.0), "ann-2": keep_sound(home, 247.0)}
    document = {
        **PASSAGES,
        "track": KILN,
        "evidence_sha256": hashlib.sha256(evidence.read_bytes()).hexdigest(),
        "recordings": [
            {**each, "audio_sha256": sounds[each["id"]]} for each in PASSAGES["recordings"]
        ],
    }
    path = home / "evidence" / "passages" / f"{KILN}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture(autouse=True)
def _main_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `__main__` back: `AppTest` replaces it, and spawned processes would run a page again."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose October 2026 is closed by pro rata, and whose November is open."""
    folder = tmp_path_factory.mktemp("world")
    workspace = Workspace(home=folder / "home")
    set_up(workspace)
    import_catalogue(workspace, folder / "catalogue")
    generate_tracks(workspace)
    keep_passages(workspace.home)
    for kind, text in ((usage, USAGE), (revenue, REVENUE), (shares, SHARES)):
        path = folder / f"{kind.__name__.rpartition('.')[2]}.csv"
        path.write_text(text, encoding="utf-8")
        kind.record(workspace.books(), path)
    for rule in ("pro_rata", "user_centric", "user_equal", "training_fee"):
        compute(workspace, CLOSED, rule)
    close_period(workspace, CLOSED, "pro_rata")
    return workspace.home


@pytest.fixture
def where(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[reads.Place]:
    """The small workspace, as the environment names it."""
    monkeypatch.setenv("TANTIEME_HOME", str(home))
    monkeypatch.delenv("TANTIEME_DATABASE_URL", raising=False)
    yield reads.place()
    reads.books(reads.place()).engine.dispose()


@pytest.fixture
def open_page(where: reads.Place) -> OpenPage:  # noqa: ARG001  it sets the environment
    """Open a page with query parameters, as an address does."""

    def opened(page: str = "overview", **parameters: str) -> AppTest:  # noqa: F811
        app = AppTest.from_file(APP, default_timeout=30)
        for name, value in ({"period": str(CLOSED)} | parameters).items():
            app.query_params[name] = value
        app.run()
        if page != "overview":
            app.switch_page(f"app_pages/{page}.py").run()
        return app

    return opened


def texts(app: AppTest) -> str:
    """Everything a page says, in its order and joined."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info")
    return "\n".join(str(each.value) for kind in kinds for each in app.get(kind))
