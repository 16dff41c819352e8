"""Passage matrices of a copied work, in a workspace whose music and generator are tiny."""

import json
import random
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from attribution.methods import bilinear
from attribution.music.audio import CannotRender
from attribution.music.midi import Note, encode, write_midi
from cli.jobs import passages
from cli.jobs.attribution import attribute_tracks
from cli.jobs.evidence import read_evidence
from cli.jobs.index import build_index
from cli.jobs.passages import chosen_recordings, kept_passages, read_passages
from cli.main import main
from cli.workspace import Workspace
from royalty.errors import NotReady

pytestmark = pytest.mark.usefixtures("soundless")

SPAN = 32
WORKS, PLACEBOS = 6, 41
RECORDINGS = "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\n"
PARTIES = "id,name,kind,ipi,isni,payee\n"
INTERESTS = "subject,subject_id,right,party,ppm,territory,valid_from,valid_to\n"
TRAINING = {
    "epochs": 12,
    "span": SPAN,
    "spans-max": 4,
    "width": 16,
    "layers": 1,
    "heads": 2,
    "batch": 4,
}


def melody(seed: int) -> list[Note]:
    """A motif, played again and again with a wrong note now and then."""
    chance = random.Random(seed)
    motif = [chance.randrange(48, 84) for _ in range(5)]
    return [
        Note(
            step * 300,
            280,
            motif[step % 5] if chance.random() < 0.9 else chance.randrange(48, 84),
            80,
        )
        for step in range(90)
    ]


def write_catalogue(folder: Path, prefix: str, count: int) -> None:
    (folder / "music").mkdir(parents=True)
    texts = {"recordings": RECORDINGS, "parties": PARTIES, "interests": INTERESTS}
    for number in range(count):
        name = f"{prefix}{number:02d}"
        write_midi(melody(number + 100 * ord(prefix)), folder / "music" / f"{name}.mid")
        texts["recordings"] += f"{name},,Piece {name},a{number % 3},{name},,music/{name}.mid,,\n"
    for artist in range(3):
        texts["parties"] += f"a{artist},Artist {artist},artist,,,\n"
    for name, text in texts.items():
        if name != "interests" or prefix == "w":
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace in which a copy of the third work was attributed, and the copy's id."""
    folder = tmp_path_factory.mktemp("tiny")
    write_catalogue(folder / "works", "w", WORKS)
    write_catalogue(folder / "placebos", "p", PLACEBOS)
    options = [word for name, value in TRAINING.items() for word in (f"--{name}", str(value))]
    for arguments in (
        ("init",),
        ("catalogue", "import", folder / "works"),
        ("train", "--placebo", folder / "placebos", *options),
        ("attribute", folder / "works" / "music" / "w02.mid"),
    ):
        assert main(["--home", str(folder / "home"), *map(str, arguments)]) == 0
    (track,) = (folder / "home" / "tracks").glob("*.mid")
    return folder / "home", track.stem


@pytest.fixture
def copied(made: tuple[Path, str], tmp_path: Path) -> tuple[Workspace, str]:
    """A copy of that workspace, free to be damaged."""
    shutil.copytree(made[0], tmp_path / "home")
    return Workspace(home=tmp_path / "home"), made[1]


@pytest.fixture
def again(copied: tuple[Workspace, str]) -> Callable[[], None]:
    """Attribute the track once more."""

    def attribute() -> None:
        indexed = build_index(copied[0], report=lambda *_: None)
        attribute_tracks(copied[0], indexed, [copied[1]], report=lambda *_: None)

    return attribute


def path_of(workspace: Workspace, track: str) -> Path:
    return workspace.home / "evidence" / "passages" / f"{track}.json"


def evidence_of(workspace: Workspace, track: str) -> dict:
    return read_evidence(workspace.home / "evidence" / f"{track}.json")


def test_a_recordings_cells_add_up_to_its_works_evidence(copied) -> None:
    document, evidence = read_passages(*copied), evidence_of(*copied)
    works = {work["work"]: work for work in evidence["works"]}

    assert document["recordings"]
    for each in document["recordings"]:
        cells = np.array(each["scores"])
        assert cells.shape == (len(document["windows_ms"]), len(each["items_ms"]))
        assert cells.sum() == pytest.approx(works[each["id"]]["mean"], abs=1e-3 * cells.size)


def test_both_sides_say_when_they_sound(copied) -> None:
    document = read_passages(*copied)
    times = [document["windows_ms"], *(each["items_ms"] for each in document["recordings"])]

    assert all(before[1] == after[0] for each in times for before, after in pairwise(each))
    assert all(each[0][0] == 0 for each in times)
    assert document["windows_ms"][-1][1] == 26_980


def test_a_copy_owes_its_passages_to_where_they_stood(copied) -> None:
    document = read_passages(*copied)
    source = next(each for each in document["recordings"] if each["id"] == "w02")
    scores = np.array(source["scores"])
    same = [
        [max(0, min(w[1], i[1]) - max(w[0], i[0])) > 0 for i in source["items_ms"]]
        for w in document["windows_ms"]
    ]

    assert document["strongest"][0]["recording"] == "w02"
    assert scores[np.array(same)].mean() > 1.15 * scores[~np.array(same)].mean()
    assert [each["score"] for each in document["strongest"]] == sorted(
        (each["score"] for each in document["strongest"]), reverse=True
    )


def test_missing_passages_are_made_again_and_leave_the_shares(copied, again) -> None:
    workspace, track = copied
    evidence = workspace.home / "evidence" / f"{track}.json"
    before = evidence.read_bytes(), path_of(*copied).read_bytes()
    path_of(*copied).unlink()
    assert kept_passages(*copied) is None

    again()

    assert (evidence.read_bytes(), path_of(*copied).read_bytes()) == before


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"schema": 1}', b"\xff"])
def test_damaged_passages_are_made_again(copied, again, content: bytes) -> None:
    before = path_of(*copied).read_bytes()
    path_of(*copied).write_bytes(content)

    with pytest.raises(NotReady, match=f"'tantieme attribute {copied[1]}'"):
        read_passages(*copied)
    again()

    assert path_of(*copied).read_bytes() == before


def test_passages_of_other_evidence_are_not_kept(copied) -> None:
    assert kept_passages(*copied) is not None

    evidence = copied[0].home / "evidence" / f"{copied[1]}.json"
    evidence.write_bytes(evidence.read_bytes() + b"\n")

    assert kept_passages(*copied) is None


def test_kept_passages_cost_no_scoring(again, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bilinear, "fit", None)

    again()


def test_a_track_that_nobody_is_named_for_shows_who_came_closest(copied) -> None:
    evidence = evidence_of(*copied)
    nobody = {**evidence, "recordings": []}
    somebody = {**evidence, "recordings": [{"id": "w04"}]}
    works = sorted(evidence["works"], key=lambda work: -work["mean"])

    assert chosen_recordings(somebody) == ["w04"]
    assert chosen_recordings(nobody) == [work["work"] for work in works[:5]]


def test_recordings_sound_as_far_as_they_were_trained_on(copied) -> None:
    document = read_passages(*copied)
    for each in document["recordings"]:
        sound = (copied[0].home / "audio" / f"{each['audio_sha256']}.wav").read_bytes()
        seconds = int(sound.rpartition(b"\x2f\x00")[2])

        assert seconds == max(20, -(-each["items_ms"][-1][1] // 1000))


def test_without_a_synthesiser_there_are_passages_all_the_same(
    copied, again, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_options: object) -> None:
        raise CannotRender("no synthesiser")

    shutil.rmtree(copied[0].home / "audio")
    (copied[0].home / "audio").mkdir()
    path_of(*copied).unlink()
    monkeypatch.setattr("cli.jobs.catalogue.render", refused)

    again()

    assert kept_passages(*copied) is not None


def test_windows_widen_until_a_picture_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    events = encode([Note(1000 * second, 500, 60, 80) for second in range(600)])
    items = [type("Heard", (), {"places": range(6)})()]

    assert passages.window_ms(events, items) == 2000
    monkeypatch.setattr(passages, "CELLS_MAX", 100)
    assert passages.window_ms(events, items) == 35_970  # 600 s less the last rest, 16 windows


def test_the_strongest_passages_are_printed_and_the_matrix_as_json(copied, capsys) -> None:
    workspace, track = copied
    home = ["--home", str(workspace.home)]
    capsys.readouterr()

    assert main([*home, "attribute", track, "--passages"]) == 0
    printed = capsys.readouterr().out
    assert main([*home, "attribute", track, "--passages", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert "Piece w02" in printed
    assert "nobody is paid by it" in printed
    assert document == read_passages(workspace, track)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--method", "trak"], "--method"),
        (["--ridge", "8"], "--ridge"),
        (["--side", "8"], "--side"),
        (["--method", "logra", "--side", "8"], "--method and --side"),
    ],
)
def test_options_of_another_method_are_named_where_passages_refuse_them(
    copied, capsys, given: list[str], named: str
) -> None:
    workspace, track = copied
    capsys.readouterr()

    code = main(["--home", str(workspace.home), "attribute", track, "--passages", *given])

    assert code == 2
    assert f"leave {named} out" in capsys.readouterr().err


def test_evidence_is_verified_as_if_no_passages_were_there(copied, capsys) -> None:
    capsys.readouterr()

    assert main(["--home", str(copied[0].home), "verify"]) == 0, capsys.readouterr().out
