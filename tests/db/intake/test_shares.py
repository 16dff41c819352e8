# ruff: noqa: E501  one case a line reads best
from pathlib import Path

import pyarrow as pa
import pytest

from db import queries, snapshots
from db.engine import Books
from db.intake import aliases, catalogue, shares
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
        {"provider": "x", "track": "t1", "recording": "r1", "share_ppb": WHOLE - 5, "low_ppb": 0, "high_ppb": WHOLE, "version": 1},
        {"provider": "x", "track": "t1", "recording": None, "share_ppb": 5, "low_ppb": 5, "high_ppb": 5, "version": 1},
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


def stated(books: Books, given: list[str], provider: str = "x") -> dict[str, list[str | None]]:
    """Whose shares hold among some snapshots: recordings by track."""
    rows = snapshots.run(queries.shares_in(EVERYONE, books, provider, given)).to_pylist()
    tracks = sorted({row["track"] for row in rows})
    return {t: sorted(row["recording"] for row in rows if row["track"] == t) for t in tracks}


def test_the_refusal_of_other_shares_names_the_way_to_correct_them(
    catalogued: Books, tmp_path: Path
) -> None:
    shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"))

    with pytest.raises(Conflict, match="'tantieme shares import FILE --correct'"):
        shares.record(catalogued, write(tmp_path, f"t1,r2,{WHOLE},,,x"))


def test_corrected_shares_are_the_next_version_and_the_highest_holds(
    catalogued: Books, tmp_path: Path
) -> None:
    both = write(tmp_path, f"t1,r1,{WHOLE},,,x", f"t2,r1,{WHOLE},,,x")
    then = [shares.record(catalogued, both).snapshot or ""]
    second = shares.record(catalogued, write(tmp_path, f"t1,r2,{WHOLE},,,x"), correct=True)

    assert second.corrected == 1
    now = queries.inputs(EVERYONE, catalogued, world.OCTOBER).shares["x"]
    assert sorted(now) == sorted([*then, second.snapshot])
    assert stated(catalogued, now) == {"t1": ["r2"], "t2": ["r1"]}
    assert stated(catalogued, then) == {"t1": ["r1"], "t2": ["r1"]}


def test_corrected_shares_that_stand_already_change_nothing(
    catalogued: Books, tmp_path: Path
) -> None:
    shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"))
    shares.record(catalogued, write(tmp_path, f"t1,r2,{WHOLE},,,x"), correct=True)

    again = shares.record(catalogued, write(tmp_path, f"t1,r2,{WHOLE},,,x"), correct=True)

    assert again.already
    with pytest.raises(Conflict):  # what was corrected is frozen, too
        shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"))


def test_shares_corrected_back_leave_closed_months_their_own(
    catalogued: Books, tmp_path: Path
) -> None:
    first, other = f"t1,r1,{WHOLE},,,x", f"t1,r2,{WHOLE},,,x"
    given = [
        shares.record(catalogued, write(tmp_path, row), correct=True).snapshot or ""
        for row in (first, other, first)
    ]

    assert len({*given}) == 3  # the same shares, and yet another version
    assert [stated(catalogued, given[: n + 1])["t1"] for n in range(3)] == [["r1"], ["r2"], ["r1"]]


def test_a_file_may_correct_some_tracks_and_state_others_first(
    catalogued: Books, tmp_path: Path
) -> None:
    shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"))
    shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,y"))

    mixed = write(tmp_path, f"t1,r2,{WHOLE},,,x", f"t3,r2,{WHOLE},,,x", f"t1,r1,{WHOLE},,,y")
    receipt = shares.record(catalogued, mixed, correct=True)

    assert receipt.corrected == 1
    given = queries.inputs(EVERYONE, catalogued, world.OCTOBER).shares
    assert stated(catalogued, given["x"]) == {"t1": ["r2"], "t3": ["r2"]}
    assert stated(catalogued, given["y"], "y") == {"t1": ["r1"]}


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


def test_a_cell_that_is_no_id_is_said_once_to_be_unknown(catalogued: Books, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        shares.record(catalogued, write(tmp_path, f"t1,r 9,{WHOLE},,,x"))

    said = [problem.message for problem in refused.value.problems]
    assert said == ["'r 9' is no recording in the catalogue; import it first"]


def test_recordings_may_be_named_by_alias_or_isrc_and_never_by_a_guess(
    catalogued: Books, tmp_path: Path
) -> None:
    path = write(tmp_path, f"t1,DE-A12-26-00001,{WHOLE - 5},,,x", "t1,Paper boats,5,,,x")
    with pytest.raises(BadInput) as refused:
        shares.record(catalogued, path)
    asked, guessed = refused.value.problems
    assert "1 guess to confirm" in asked.message
    assert (guessed.row, guessed.field) == (3, "recording")
    assert "did you mean r2, 'Paper Boats' by Bob (99)?" in guessed.message

    [guesses] = (catalogued.home / "reports").iterdir()
    aliases.record(catalogued, guesses)
    receipt = shares.record(catalogued, path)

    kept = snapshots.read(catalogued, receipt.snapshot or "").to_pylist()
    assert [(row["recording"], row["share_ppb"]) for row in kept] == [("r1", WHOLE - 5), ("r2", 5)]


def test_one_recording_under_two_names_is_a_recording_twice(
    catalogued: Books, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="row 3: has the same provider, track, recording as row 2"):
        shares.record(
            catalogued, write(tmp_path, f"t1,r1,{WHOLE - 5},,,x", "t1,DE-A12-26-00001,5,,,x")
        )


def test_a_provider_may_have_braces_in_its_name(catalogued: Books, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'x' is not a\{b\}, the provider asked for"):
        shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"), provider="a{b}")


def test_a_track_shows_the_shares_that_hold(catalogued: Books, tmp_path: Path) -> None:
    shares.record(catalogued, write(tmp_path, f"t1,r1,{WHOLE},,,x"))
    corrected = write(tmp_path, f"t1,r2,{WHOLE - 5},,,x", "t1,,5,,,x")
    shares.record(catalogued, corrected, correct=True)

    shown = queries.track(EVERYONE, catalogued, "t1")

    assert [share.recording for share in shown.shares] == ["r2"]
    assert shown.row.unattributed_ppb == 5
