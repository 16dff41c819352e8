import json
from pathlib import Path

import pytest

from dashboard import passages, reads
from royalty.errors import NotReady
from tests.dashboard.conftest import HARBOUR, KILN, PASSAGES


@pytest.fixture
def kept(home: Path, tmp_path: Path) -> reads.Place:
    """A place with a copy of the one track's evidence and passages, free to be damaged."""
    for name in (f"{KILN}.json", f"passages/{KILN}.json"):
        path = tmp_path / "evidence" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((home / "evidence" / name).read_bytes())
    return reads.Place(str(tmp_path), None)


def change(where: reads.Place, **parts: object) -> None:
    path = where.file("evidence", "passages", f"{KILN}.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | parts))


def test_passages_are_read_with_both_times_and_the_scale_of_all_pictures(where) -> None:
    found = passages.read(where, KILN)

    assert found is not None
    assert found.windows == ((0, 2000), (2000, 4000))
    assert found.sources["ben-1"].items == ((0, 1500), (1500, 3500))
    assert found.sources["ben-1"].scores[1][1] == found.most == 9.5
    assert [each.source.id for each in found.strongest] == ["ben-1", "ann-2"]
    assert found.strongest[0].recording == (1500, 3500)


def test_a_track_without_passages_has_none(where) -> None:
    assert passages.read(where, HARBOUR) is None


def test_passages_of_other_evidence_are_not_shown(kept) -> None:
    assert passages.read(kept, KILN) is not None

    kept.file("evidence", f"{KILN}.json").write_text("{}")

    assert passages.read(kept, KILN) is None


def test_passages_of_a_schema_to_come_are_not_shown(kept) -> None:
    change(kept, schema=2)

    assert passages.read(kept, KILN) is None


@pytest.mark.parametrize(
    "parts",
    [
        {"windows_ms": [[0, 2000]]},
        {"windows_ms": [0, 2000]},
        {"recordings": [{**PASSAGES["recordings"][0], "audio_sha256": None, "scores": [[1, "x"]]}]},
        {"recordings": []},
        {"strongest": None},
    ],
)
def test_damaged_passages_name_the_command_that_makes_them_again(kept, parts) -> None:
    change(kept, **parts)

    with pytest.raises(NotReady, match=f"'tantieme attribute {KILN}'"):
        passages.read(kept, KILN)


def test_garbage_is_damage(kept) -> None:
    kept.file("evidence", "passages", f"{KILN}.json").write_bytes(b"\xff{")

    with pytest.raises(NotReady, match="are damaged"):
        passages.read(kept, KILN)
