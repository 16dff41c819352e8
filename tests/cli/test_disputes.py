"""Disputes: of shares that were closed, and of a track that is scored again, exactly."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from cli.jobs import disputing
from cli.main import main
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.period import Period
from tests.cli.conftest import Ran, Tantieme
from tests.cli.test_passages import PLACEBOS, TRAINING, WORKS, write_catalogue

pytestmark = pytest.mark.usefixtures("soundless", "one_thread")

COPIED, OWNER = "w02", "a2"


def dispute(tantieme: Tantieme, *arguments: str) -> Ran:
    return tantieme("dispute", *arguments, "--reason", "it is mine", "--as", "Ann")


def test_what_came_from_elsewhere_is_disputed_and_not_scored_again(closed: Tantieme) -> None:
    ran = dispute(closed, "2026-10/ann/1")

    assert ran.code == 0
    assert "hold/2026-10/ann/1: €2.40 is disputed, posted in 2026-11." in ran.err
    assert "not scored again: g1 was paid by the shares of example, which were imported" in ran.err
    found = json.loads(closed("audit", "2026-11", "--json").out)["parts"]
    assert found["suspense.disputed"]["micros"] == 2_400_000


def test_a_track_that_earned_a_payee_nothing_is_disputed_for_nothing(closed: Tantieme) -> None:
    ran = dispute(closed, "g3", "--payee", "ann")

    assert ran.code == 0
    assert "hold/2026-10/ann/track/g3: nothing is disputed." in ran.err
    assert dispute(closed, "g3", "--payee", "ann").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2026-10/ann/2",), "is of no track"),
        (("gX", "--payee", "ann"), "no track 'gX'"),
        (("g1",), "say whose part is disputed with --payee"),
        (("2026-10/ann/1", "--payee", "ann"), "no track '2026-10/ann/1'"),
        (("g1", "--payee", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_disputed_is_refused(
    closed: Tantieme, arguments: tuple[str, ...], said: str
) -> None:
    ran = dispute(closed, *arguments)

    assert ran.code == 3
    assert said in ran.err


def test_what_was_not_scored_again_cannot_be_upheld(closed: Tantieme) -> None:
    dispute(closed, "2026-10/ann/1")

    ran = closed("release", "hold/2026-10/ann/1", "--upheld", "--reason", "x")

    assert ran.code == 3
    assert "g1 was not re-scored" in ran.err
    assert closed("release", "hold/2026-10/ann/1", "--reason", "x").code == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace in which a copy of a work was attributed, played and paid; and the copy's id."""
    folder = tmp_path_factory.mktemp("disputed")
    write_catalogue(folder / "works", "w", WORKS)
    write_catalogue(folder / "placebos", "p", PLACEBOS)
    interests = folder / "works" / "interests.csv"
    for number in range(WORKS):
        row = f"recording,w{number:02d},master,a{number % 3},1000000,WW,,\n"
        interests.write_text(interests.read_text() + row)
    options = [word for name, value in TRAINING.items() for word in (f"--{name}", str(value))]

    def run(*arguments: object) -> None:
        assert main(["--home", str(folder / "home"), *map(str, arguments)]) == 0

    run("init")
    run("catalogue", "import", folder / "works")
    run("train", "--placebo", folder / "placebos", *options)
    run("attribute", folder / "works" / "music" / f"{COPIED}.mid")
    (track,) = (folder / "home" / "tracks").glob("*.mid")
    (folder / "usage.csv").write_text(
        f"period,listener,track,source,territory,plays\n2026-10,u1,{track.stem},app,DE,4\n"
    )
    (folder / "revenue.csv").write_text(
        "period,listener,source,territory,currency,net\n2026-10,u1,app,DE,EUR,10\n"
    )
    run("usage", "import", folder / "usage.csv")
    run("revenue", "import", folder / "revenue.csv")
    run("close", "2026-10")
    return folder / "home", track.stem


@pytest.fixture
def home(made: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(made[0], tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def line(home: Path) -> str:
    """The owner's line of the copied work."""
    owed = queries.statement(EVERYONE, Workspace(home=home).books(), OWNER, Period(2026, 10))
    return next(each.id for each in owed.lines if each.recording == COPIED and each.track)


@pytest.mark.slow
def test_a_disputed_track_is_scored_exactly_and_both_answers_are_kept(
    home: Path, line: str, tantieme: Tantieme
) -> None:
    ran = dispute(tantieme, line, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)

    assert {name: each["method"].split("-")[0] for name, each in found["methods"].items()} == {
        "paid": "default",
        "exact": "ekfac",
    }
    [first, *_] = found["recordings"]
    assert (first["id"], first["disputed"]) == (COPIED, True)
    [of_line] = found["lines"]
    share = of_line["net"]["micros"] * first["exact"]["share_ppb"] / first["paid"]["share_ppb"]
    assert of_line["exact"]["micros"] == int(share)
    [row] = queries.disputes(EVERYONE, Workspace(home=home).books())
    assert len({each.evidence_sha256 for each in row.findings}) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_an_interrupted_dispute_goes_on_and_holds_nothing_twice(
    line: str, tantieme: Tantieme, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(disputing, "attribute_tracks", interrupted)
        assert dispute(tantieme, line).code == 130
    [row] = json.loads(tantieme("hold", "--list", "--json").out)["holds"]
    assert (row["kind"], row["findings"]) == ("disputed", [])

    first = dispute(tantieme, line, "--json")

    again = json.loads(tantieme("hold", "--list", "--json").out)["holds"]
    assert [each["id"] for each in again] == [row["id"]]
    assert len(again[0]["findings"]) == 2
    with monkeypatch.context() as patched:  # what is found is not scored once more
        patched.setattr(disputing, "attribute_tracks", interrupted)
        assert dispute(tantieme, line, "--json").out == first.out


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_an_upheld_dispute_makes_the_exact_shares_hold(
    home: Path, line: str, tantieme: Tantieme
) -> None:
    found = json.loads(dispute(tantieme, line, "--json").out)

    ran = tantieme("release", found["hold"], "--upheld", "--reason", "the exact score is right")

    assert ran.code == 0, ran.err
    assert "Run 'tantieme adjust 2026-10'" in ran.err
    adjusted = tantieme("adjust", "2026-10", "--reason", "dispute upheld", "--as", "Carl")
    assert adjusted.code == 0, adjusted.err
    with sqlite3.connect(home / "ledger.db") as books:
        stated = books.execute("select track, version, unattributed_ppb from corrected_share")
        rest = found["unattributed"]["exact"]["share_ppb"]
        assert stated.fetchall() == [(found["track"], 2, rest)]


@pytest.mark.slow
def test_both_answers_are_printed_with_what_the_line_would_be(
    home: Path, line: str, tantieme: Tantieme
) -> None:
    ran = dispute(tantieme, line)

    assert ran.code == 0, ran.err
    assert home.exists()
    assert "by what was paid (default-" in ran.out
    assert "Piece w02" in ran.out
    assert line in ran.out
    assert "--upheld to make the exact shares hold" in ran.err
