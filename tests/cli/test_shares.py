from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLE, Tantieme

HEADER = "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
OTHER = f"{HEADER}g2,r1,400000000,300000000,500000000,acme\ng2,,600000000,,,acme\n"


@pytest.fixture
def two(example: Tantieme, tmp_path: Path) -> Tantieme:
    """The README's world with shares of a second provider, and one track of the first corrected."""
    other, again = tmp_path / "other.csv", tmp_path / "again.csv"
    other.write_text(OTHER)
    again.write_text(f"{HEADER}g1,r1,1000000000,,,example\n")
    assert example("shares", "import", other).code == 0
    assert example("shares", "import", again, "--correct").code == 0
    return example


def exported(tantieme: Tantieme, output: Path, *more: str) -> str:
    ran = tantieme("shares", "export", "--output", output, *more)
    assert ran.code == 0, ran.err
    return output.read_text()


def test_the_shares_that_hold_are_written_in_canonical_order(two: Tantieme, tmp_path: Path) -> None:
    text = exported(two, tmp_path / "out.csv")

    head, *rows = text.splitlines()
    assert f"{head}\n" == HEADER
    assert [row for row in rows if row.startswith("g1,")] == [
        "g1,r1,1000000000,1000000000,1000000000,example"
    ]
    assert rows[:2] == [
        "g2,r1,400000000,300000000,500000000,acme",
        "g2,,600000000,600000000,600000000,acme",
    ]
    cells = [row.split(",") for row in rows]
    assert cells == sorted(cells, key=lambda cell: (cell[5], cell[0], not cell[1], cell[1]))


def test_the_same_shares_give_the_same_bytes(two: Tantieme, tmp_path: Path) -> None:
    first = exported(two, tmp_path / "a.csv")
    assert exported(two, tmp_path / "b.csv") == first
    assert two("shares", "export").code == 0
    assert (tmp_path / "home" / "reports" / "shares.csv").read_text() == first


def test_what_was_written_is_imported_again_unchanged(two: Tantieme, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    text = exported(two, out)
    assert "already here; nothing changed" in two("shares", "import", out).err

    (tmp_path / "home").rename(tmp_path / "before")
    assert two("init").code == 0
    assert two("catalogue", "import", EXAMPLE).code == 0
    assert two("shares", "import", out).code == 0

    assert exported(two, tmp_path / "again.csv") == text


def test_a_provider_and_tracks_are_chosen(two: Tantieme, tmp_path: Path) -> None:
    whole = exported(two, tmp_path / "out.csv").splitlines()[1:]

    mine = exported(two, tmp_path / "acme.csv", "--provider", "acme").splitlines()[1:]
    some = exported(two, tmp_path / "some.csv", "--track", "g1", "--track", "g3").splitlines()[1:]

    assert mine == [row for row in whole if row.endswith(",acme")]
    assert some == [row for row in whole if row.startswith(("g1,", "g3,"))]
    assert {row[:2] for row in some} == {"g1", "g3"}


def test_a_rehearsal_writes_no_file(two: Tantieme, tmp_path: Path) -> None:
    ran = two("shares", "export", "--provider", "acme", "--dry-run")

    assert ran.code == 0
    assert "2 shares of 1 track would be written to " in ran.err
    assert not (tmp_path / "home" / "reports" / "shares.csv").exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--provider", "nobody"), "no shares of 'nobody' are here"),
        (("--track", "g1", "--track", "gX"), "no shares are here of track gX"),
        (("--provider", "acme", "--track", "g1"), "no shares of 'acme' are here of track g1"),
    ],
)
def test_what_is_not_there_is_refused(two: Tantieme, asked: tuple[str, ...], message: str) -> None:
    ran = two("shares", "export", *asked)

    assert ran.code == 3
    assert message in ran.err
