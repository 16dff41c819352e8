"""The whole main job, small: `tantieme demo --small` once, then what a user does next."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import main
from tests.demonstration import tantieme

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def copied(
    demonstration: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    """A workspace in which a copy of a training work was attributed: home, document."""
    home = tmp_path_factory.mktemp("copied") / "home"
    shutil.copytree(demonstration[0], home)
    ran = tantieme(home, "attribute", home / "catalogue" / "music" / "cpebach-h186.mid", "--json")
    assert ran.returncode == 0, ran.stderr
    return home, json.loads(ran.stdout)


def content(home: Path) -> dict[str, str]:
    """Every file of a workspace by its hash; the database by its rows."""
    files = {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.name.startswith("ledger.db")
    }
    dump = subprocess.run(
        [sys.executable, "-c", DUMP, str(home / "ledger.db")], capture_output=True, check=True
    )
    return files | {"ledger.db": hashlib.sha256(dump.stdout).hexdigest()}


DUMP = "import sqlite3, sys; print('\\n'.join(sqlite3.connect(sys.argv[1]).iterdump()))"


def test_the_summary_answers_what_a_person_asks(demonstration) -> None:
    _, summary = demonstration

    for answer in ("pro_rata", "user_centric", "90 %", "unattributed", "click farm", "reports"):
        assert answer in summary
    assert "dashboard" in summary
    assert "SIMULATED" in summary


def test_run_again_it_changes_nothing_and_says_so(demonstration, tmp_path: Path) -> None:
    made, first = demonstration
    home = tmp_path / "home"
    shutil.copytree(made, home)
    before = content(home)

    again = tantieme(home, "demo", "--small")

    assert again.returncode == 0, again.stderr
    assert "already" in again.stderr
    assert content(home) == before
    said = first.replace(str(made), str(home))
    assert again.stdout.partition("Took")[0] == said.partition("Took")[0]


def test_both_rules_divide_the_month_to_the_micro(demonstration) -> None:
    home, _ = demonstration
    document = json.loads(tantieme(home, "payouts", "2026-10", "--compare", "--json").stdout)

    for rule in document["rules"].values():
        paid = sum(payee["amount"]["micros"] for payee in rule["payees"])
        assert paid + rule["suspense"]["micros"] == document["pool"]["micros"]


def test_tracks_are_long_enough_and_say_where_they_come_from(demonstration) -> None:
    home, _ = demonstration
    provenances = [json.loads(path.read_text()) for path in (home / "tracks").glob("*.json")]

    assert len(provenances) == 4
    for each in provenances:
        assert each["duration_ms"] >= 30_000
        assert (home / "runs" / each["run"] / "card.json").exists()
        assert (home / "audio" / f"{each['audio_sha256']}.wav").exists()


def test_a_copy_of_a_training_work_is_traced_to_that_work(copied) -> None:
    _, document = copied

    assert document["recordings"][0]["id"] == "cpebach-h186"
    assert document["recordings"][0]["low_ppb"] > 0
    assert document["similarity"][0]["recording"] == "cpebach-h186"


def test_a_placebo_earns_nothing_however_alike(copied) -> None:
    home, document = copied
    placebos = {path.stem for path in (home / "placebos" / "music").glob("*.mid")}

    assert not placebos & {part["id"] for part in document["recordings"]}


def test_attribution_has_the_keys_that_others_read(copied) -> None:
    _, document = copied

    assert set(document) == {
        "schema", "track", "method", "mapping", "artists", "recordings", "unattributed_ppb",
        "similarity", "run",
    }  # fmt: skip
    assert set(document["artists"][0]) == {"id", "name", "share_ppb", "low_ppb", "high_ppb"}
    shares = sum(part["share_ppb"] for part in document["recordings"])
    assert shares + document["unattributed_ppb"] == 10**9


def test_the_same_attribution_twice_gives_the_same_bytes(copied, tmp_path: Path) -> None:
    home, document = copied
    fresh = tmp_path / "home"
    shutil.copytree(home, fresh)
    evidence = fresh / "evidence" / f"{document['track']}.json"
    before = evidence.read_bytes()
    evidence.unlink()

    ran = tantieme(fresh, "attribute", document["track"], "--json")

    assert json.loads(ran.stdout) == document
    assert evidence.read_bytes() == before


def test_an_amount_walks_back_to_checkpoint_and_recording(copied, tmp_path: Path, capsys) -> None:
    home, document = copied
    month = tmp_path / "home"
    shutil.copytree(home, month)
    usage, revenue = tmp_path / "usage.csv", tmp_path / "revenue.csv"
    usage.write_text(
        f"period,listener,track,source,territory,plays\n2026-11,u1,{document['track']},app,DE,7\n"
    )
    revenue.write_text(
        "period,listener,source,territory,currency,net\n2026-11,u1,app,DE,EUR,9.99\n"
    )
    for arguments in (
        ("usage", "import", usage),
        ("revenue", "import", revenue),
        ("close", "2026-11"),
    ):
        assert main(["--home", str(month), *map(str, arguments)]) == 0
    capsys.readouterr()

    assert main(["--home", str(month), "trail", "2026-11/cpe-bach/1", "--json"]) == 0
    steps = {step["step"]: step for step in json.loads(capsys.readouterr().out)["steps"]}

    assert steps["recording"]["id"] == "cpebach-h186"
    assert steps["evidence"]["facts"]["method"] == document["method"]
    assert len(steps["run"]["facts"]["checkpoints"]) == 6


def test_music_that_cannot_be_read_refuses_the_whole_folder(demonstration, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "folder"
    shutil.copytree(demonstration[0] / "catalogue", folder)
    (folder / "music" / "cpebach-h186.mid").write_bytes(b"not music")
    (folder / "music" / "joplin-maple-leaf-rag.mid").unlink(missing_ok=True)
    tantieme(home, "init")

    ran = tantieme(home, "catalogue", "import", folder)

    assert ran.returncode == 4
    assert "cpebach-h186.mid" in ran.stderr
    assert "recordings.csv, row" in ran.stderr
    assert tantieme(home, "catalogue", "show").stdout.startswith("0 recordings")


def test_a_placebo_that_was_trained_on_is_refused(demonstration, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demonstration[0], home)

    ran = tantieme(home, "train", "--placebo", home / "catalogue")

    assert ran.returncode == 4
    assert "nothing was changed" in ran.stderr


def test_the_index_can_be_looked_at_and_verified(demonstration, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demonstration[0], home)
    described = json.loads(tantieme(home, "index", "info", "--json").stdout)["indexes"]
    sound = tantieme(home, "index", "verify")
    shard = min((home / "index").rglob("shard-*.npy"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"!")

    broken = tantieme(home, "index", "verify")

    assert described[0]["placebo_rows"] > 0
    assert (sound.returncode, broken.returncode) == (0, 5)
    assert shard.name in broken.stdout


@pytest.mark.parametrize(
    "what", ["runs/*/card.json", "runs/*/step-*.safetensors", "evidence/*.json"]
)
def test_verification_names_a_changed_file_of_the_workspace(
    demonstration, tmp_path: Path, what: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demonstration[0], home)
    changed = min(home.glob(what))
    changed.write_bytes(changed.read_bytes() + b"!")

    ran = tantieme(home, "verify")

    assert ran.returncode == 5
    assert changed.name in ran.stdout


def test_damaged_evidence_is_named_and_not_a_bug_of_ours(copied, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(copied[0], home)
    (home / "evidence" / f"{copied[1]['track']}.json").write_text("garbage")

    ran = tantieme(home, "attribute", copied[1]["track"])

    assert ran.returncode == 4
    assert "is damaged" in ran.stderr


def test_shares_do_not_depend_on_which_tracks_are_attributed_together(
    demonstration, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demonstration[0], home)
    together = {path: path.read_bytes() for path in (home / "evidence").glob("*.json")}
    last = max(together)
    last.unlink()

    ran = tantieme(home, "attribute", last.stem)

    assert ran.returncode == 0, ran.stderr
    assert last.read_bytes() == together[last]


SHELL = re.compile(r"[|<>;&$*]")
WALKED = re.compile(r"<!-- walked -->\n```console\n(.*?)```", re.DOTALL)
MONTH = Path(__file__).parents[2] / "docs" / "month.md"


def test_an_accountants_month_is_walked_as_the_document_says(
    demonstration: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Every command ends well, and prints every line that the document shows without figures."""
    shutil.copytree(demonstration[0], tmp_path / "october", ignore=_all_but_what_was_trained)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    for command, shown in walked(MONTH.read_text(encoding="utf-8")):
        code = step(command)
        printed = plain("\n".join(capfd.readouterr()))

        assert code == 0, f"{command}\n{printed}"
        missing = [line for line in shown if plain(line) not in printed]
        assert not missing, f"{command}\n{printed}"


def step(command: str) -> int:
    """Run one line: a command of ours in this process, which has loaded all of it, or a shell's."""
    words = shlex.split(command)
    if words[0] == "tantieme" and not SHELL.search(command):
        return main(words[1:])
    return subprocess.run(["bash", "-c", command], check=False).returncode


def _all_but_what_was_trained(folder: str, names: list[str]) -> list[str]:
    """Leave the books of the demonstration behind, and what was found: months are begun anew."""
    books = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "snapshots", "reports"}
    return sorted(books.intersection(names)) if Path(folder).name == "home" else []


def walked(document: str) -> list[tuple[str, list[str]]]:
    """List the commands that a document walks, with the lines it shows that have no figure."""
    steps: list[tuple[str, list[str]]] = []
    for line in "".join(WALKED.findall(document)).splitlines():
        if line.startswith("$ "):
            steps.append((line.removeprefix("$ "), []))
        elif line.strip() and not re.search(r"\d|…", line):
            steps[-1][1].append(line)
    return steps


def plain(text: str) -> str:
    return " ".join(text.split())
