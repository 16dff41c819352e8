# ruff: noqa: E501  one case a line reads best
from pathlib import Path

import pyarrow as pa
import pytest

from db import queries, snapshots
from db.engine import Books
from db.intake import catalogue, shares
from db.queries import EVERYONE
from royalty.errors import BadInput, Conflict
from tests.db import world

HEADER = "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
WHOLE = 1_000_000_000


def write(folder: Path, *rows: str) -> Path:
    path = folder / "shares.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_shares_are_kept_as_they_are_stated(catalogued: Books, tmp_path: Path) -> None:
    receipt = shares.record(
        catalogued, write(tmp_path, f"t1,r1,{WHOLE - 5},0,{WHOLE},x", "t1,,5,,,x")
    )

    assert receipt.rows == {"tracks": 1, "shares": 2}
    assert snapshots.read(catalogued, receipt.snapshot or "").to_pylist() == [
        {"provider": "x", "track": "t1", "recording": "r1", "share_ppb": WHOLE - 5, "low_ppb": 0, "high_ppb": WHOLE},
        {"provider": "x", "track": "t1", "recording": None, "share_ppb": 5, "low_ppb": 5, "high_ppb": 5},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("t1,r1,999999999,,,x", "add up to 999999999 ppb, 1 too few"),
        ("t1,r1,1000000001,,1000000001,x", "1 too many"),
        ("t1,r1,1000000000,,999999999,x", "low <= share <= high <= 1000000000 does not hold"),
        ("t1,r1,1000000000,1000000001,1000000002,x", "does not hold"),
        ("t1,r9,1000000000,,,x", "'r9' is no recording in the catalogue; import it first"),
        ("t1,r1,1e9,,,x", "'1e9' is not a whole number"),
        ("t1,r1,1000000000,,,", "'' is not an id"),
        (",r1,1000000000,,,x", "'' is not an id"),
    ],
)
def test_faults_are_named(catalogued: Books, tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(BadInput, match="row 2") as refused:
        shares.record(catalogued, write(tmp_path, row))

    assert message in str(refused.value)


def test_bounds_are_judged_beside_faulty_cells(catalogued: Books, tmp_path: Path) -> None:
    path = write(tmp_path, f"t1,r1,{WHOLE},{WHOLE},5,x", "t2,r1,1e9,,,x", "t2,r9,5,6,,x")

    with pytest.raises(BadInput) as refused:
        shares.record(catalogued, path)

    assert [(problem.row, problem.field) for problem in refused.value.problems] == [
        (2, "share_ppb"),
        (3, "share_ppb"),
        (4, "recording"),
        (4, "share_ppb"),
    ]


def test_a_recording_has_one_share_of_a_track(catalogued: Books, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="row 3: has the same provider, track, recording as row 2"):
        shares.record(catalogued, write(tmp_path, "t1,r1,5,,,x", f"t1,r1,{WHOLE - 5},,,x"))


def test_a_placebo_is_never_paid(books: Books, tmp_path: Path) -> None:
    files = {
        "recordings.csv": world.RECORDINGS,
        "parties.csv": world.PARTIES,
    }
    held_back = catalogue.read_catalogue(world.write(tmp_path / "placebos", files))
    catalogue.record(books, held_back, {}, placebo=True)

    with pytest.raises(BadInput, match="'r1' is a placebo, which nobody is paid for"):
        shares.record(books, write(tmp_path, f"t1,r1,{WHOLE},,,x"))


def test_shares_are_frozen(catalogued: Books, tmp_path: Path) -> None:
    shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"))
    again = shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},{WHOLE},,x"))

    assert again.already

    with pytest.raises(Conflict, match="x has stated other shares of track t1"):
        shares.record(catalogued, write(tmp_path, f"t1,r2,{WHOLE},,,x", f"t2,r2,{WHOLE},,,x"))

    assert [row.id for row in queries.tracks(EVERYONE, catalogued)] == ["t1"]


def test_more_tracks_come_beside_and_another_provider_may_differ(
    catalogued: Books, tmp_path: Path
) -> None:
    shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"))
    more = shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x", f"t2,r2,{WHOLE},,,x"))
    shares.record(catalogued, write(tmp_path, f"t1,r2,{WHOLE},,,y"))

    assert snapshots.read(catalogued, more.snapshot or "")["track"].to_pylist() == ["t2"]
    stated = queries.inputs(EVERYONE, catalogued, world.OCTOBER).shares
    assert {provider: len(hashes) for provider, hashes in stated.items()} == {"x": 2, "y": 1}


def test_a_table_needs_no_provider_where_one_is_named(catalogued: Books) -> None:
    table = pa.table(
        {
            "track": ["t1"],
            "recording": pa.array(["r1"]),
            "share_ppb": [WHOLE],
            "low_ppb": [WHOLE // 2],
            "high_ppb": [WHOLE],
        }
    )

    shares.record(catalogued, table, provider="ours")

    assert list(queries.inputs(EVERYONE, catalogued, world.OCTOBER).shares) == ["ours"]


def test_a_file_of_another_provider_than_the_one_asked_for_is_refused(
    catalogued: Books, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="'x' is not ours, the provider asked for"):
        shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"), provider="ours")


def test_a_dry_run_writes_nothing(catalogued: Books, tmp_path: Path) -> None:
    receipt = shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"), dry_run=True)

    assert not receipt.already
    assert queries.tracks(EVERYONE, catalogued) == []
    assert not (catalogued.home / "snapshots").exists()


def test_a_cell_that_is_no_id_is_not_said_to_be_unknown_too(
    catalogued: Books, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as refused:
        shares.record(catalogued, write(tmp_path, f"t1,r 9,{WHOLE},,,x"))

    assert ["is not an id" in problem.message for problem in refused.value.problems] == [True]


def test_a_provider_may_have_braces_in_its_name(catalogued: Books, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'x' is not a\{b\}, the provider asked for"):
        shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"), provider="a{b}")
