"""What a month was paid by stays, and is found again, once its tracks are attributed anew."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.jobs.evidence import (
    earlier_path,
    evidence_path,
    keep_evidence,
    provider_of,
    read_evidence,
    record_shares,
)
from cli.main import main
from cli.workspace import Workspace
from royalty.errors import BadInput
from tests.cli.conftest import EXAMPLE, Ran

Tantieme = Callable[..., Ran]


def found(track: str, index: str, part: int = 600_000_000, method: str = "default-1") -> dict:
    """Of what attribution writes down, the part that the books and the trail need."""
    certain = {"share_ppb": part, "low_ppb": part, "high_ppb": part}
    rest = dict.fromkeys(certain, 10**9 - part)
    made_by = {"index": index, "method": method, "gate": "placebo-bh-1", "mapping": "gated-1"}
    return made_by | {
        "track": track,
        "recordings": [{"id": "r1", **certain}],
        "unattributed": rest,
    }


def write_passages(workspace: Workspace, track: str, text: str) -> None:
    folder = workspace.folder("evidence") / "passages"
    folder.mkdir(exist_ok=True)
    (folder / f"{track}.json").write_text(text)


@pytest.fixture(scope="module")
def attributed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's world, in which the index i1 attributed two tracks; October is closed by it."""
    workspace = Workspace(home=tmp_path_factory.mktemp("attributed") / "home")

    def done(*arguments: object) -> None:
        assert main(["--home", str(workspace.home), *map(str, arguments)]) == 0

    done("init")
    for what, file in (("catalogue", ""), ("usage", "usage.csv"), ("revenue", "revenue.csv")):
        done(what, "import", EXAMPLE / file)
    documents = [found(track, "i1") for track in ("g1", "g2")]
    for document in documents:
        keep_evidence(workspace, document)
        write_passages(workspace, document["track"], "of i1")
    record_shares(workspace, documents)
    done("close", "2026-10")
    return workspace.home


@pytest.fixture
def workspace(attributed: Path, tmp_path: Path) -> Workspace:
    """A copy of it."""
    shutil.copytree(attributed, tmp_path / "home")
    return Workspace(home=tmp_path / "home")


@pytest.fixture
def again(workspace: Workspace) -> Callable[..., dict]:
    """Attribute g1 anew by another index."""

    def attribute(index: str = "i1-5e6f7a8b", part: int = 100_000_000) -> dict:
        document = found("g1", index, part)
        keep_evidence(workspace, document)
        write_passages(workspace, "g1", f"of {index}")
        record_shares(workspace, [document])
        return document

    return attribute


@pytest.fixture
def earlier(workspace: Workspace) -> Path:
    return earlier_path(workspace, "g1", provider_of(found("g1", "i1")))


def evidence_step(tantieme: Tantieme) -> dict:
    for number in range(1, 9):
        ran = tantieme("trail", f"2026-10/ann/{number}", "--json")
        steps = {step["step"]: step for step in json.loads(ran.out)["steps"]}
        if "evidence" in steps and steps["evidence"]["id"] == "g1":
            return steps["evidence"]["facts"]
    raise AssertionError


def test_both_are_kept_with_their_passages(workspace, again, earlier) -> None:
    before = evidence_path(workspace, "g1").read_bytes()
    now = again()

    assert earlier.parent.name == "i1-default-1-placebo-bh-1-gated-1"
    assert earlier.read_bytes() == before
    assert (earlier.parent / "passages" / "g1.json").read_text() == "of i1"
    assert read_evidence(evidence_path(workspace, "g1")) == now


def test_another_version_of_the_method_is_another_provider(workspace, earlier) -> None:
    keep_evidence(workspace, found("g1", "i1", method="default-2"))

    assert read_evidence(earlier)["method"] == "default-1"


def test_the_same_provider_and_other_methods_put_nothing_away(workspace, again) -> None:
    again(index="i1", part=600_000_000)
    keep_evidence(workspace, found("g1", "i2"), "trak")
    keep_evidence(workspace, found("g1", "i3"), "trak")

    assert not (workspace.home / "evidence" / "earlier").exists()


def test_what_was_put_away_first_stays(workspace, again, earlier) -> None:
    before = evidence_path(workspace, "g1").read_bytes()
    again()
    keep_evidence(workspace, found("g1", "i1") | {"index_sha256": "rebuilt"})
    write_passages(workspace, "g1", "of i1 rebuilt")
    again()

    assert earlier.read_bytes() == before
    assert (earlier.parent / "passages" / "g1.json").read_text() == "of i1"


@pytest.mark.parametrize("step", [0, 1, 2])
def test_whichever_move_fails_neither_is_lost(
    workspace, again, earlier, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    moves, replace = iter(range(9)), Path.replace

    def stopped(path: Path, to: Path) -> Path:
        if next(moves) == step:
            raise OSError("out of power")
        return replace(path, to)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stopped)
        with pytest.raises(OSError, match="out of power"):
            again()

    places = [*workspace.home.glob("evidence/**/g1.*")]
    texts = [path.read_text() for path in places]
    indexes = {json.loads(text)["index"] for text in texts if text.startswith("{")}
    assert indexes == {"i1", "i1-5e6f7a8b"}
    assert "of i1" in texts
    again()
    assert read_evidence(earlier)["index"] == "i1"
    assert (earlier.parent / "passages" / "g1.json").read_text() == "of i1"


def test_a_trail_shows_what_was_paid_by_and_not_what_stands_now(tantieme, again, earlier) -> None:
    assert evidence_step(tantieme)["index"] == "i1"
    again()
    facts = evidence_step(tantieme)

    assert (facts["index"], facts["file"]) == ("i1", str(earlier))
    assert tantieme("verify").code == 0


def test_evidence_that_is_gone_is_missed_by_trail_and_verify(tantieme, again, earlier) -> None:
    again()
    earlier.unlink()
    ran = tantieme("verify")

    assert ran.code == 5
    assert "2026-10, g1: the evidence this was paid by is gone: " in ran.out
    assert "g2" not in ran.out
    assert "the evidence this was paid by is gone" in evidence_step(tantieme)["file"]


def test_evidence_written_over_by_other_means_is_missed_too(tantieme, workspace, earlier) -> None:
    other = found("g1", "i2")
    record_shares(workspace, [other])
    evidence_path(workspace, "g1").write_text(json.dumps(other))

    assert tantieme("verify").code == 5
    earlier.parent.mkdir(parents=True)
    earlier.write_text(json.dumps(found("g1", "i1")))
    assert tantieme("verify").code == 0


@pytest.mark.parametrize("text", ["garbage", "[]", '{"schema": 1}'])
def test_damaged_evidence_that_was_put_away_is_not_to_be_deleted(
    tantieme, again, earlier, text: str
) -> None:
    again()
    earlier.write_text(text)
    ran = tantieme("verify")

    assert ran.code == 5
    assert ran.out.count(str(earlier)) >= 1
    assert "put it back from a copy" in ran.out
    assert "is damaged" in evidence_step(tantieme)["file"]
    with pytest.raises(BadInput, match="put it back"):
        read_evidence(earlier)


def test_other_shares_in_what_was_put_away_are_found(tantieme, again, earlier) -> None:
    again()
    earlier.write_text(json.dumps(found("g1", "i1", 500_000_000)))
    ran = tantieme("verify")

    assert ran.code == 5
    assert f"{earlier} does not agree with the books" in ran.out


def test_what_never_came_to_the_books_paid_nobody(tantieme, workspace) -> None:
    for index in ("i2", "i3", "i1"):
        keep_evidence(workspace, found("g1", index))

    assert len(list(workspace.home.glob("evidence/earlier/*/g1.json"))) == 3
    assert tantieme("verify").code == 0
