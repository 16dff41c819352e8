import json
from pathlib import Path

HEADER = "period,listener,track,source,territory,plays\n"


def test_every_fault_is_listed_with_file_row_and_field_and_nothing_changes(
    example, tmp_path: Path
) -> None:
    before = example("payouts", "2026-10", "--json").out
    bad = tmp_path / "bad.csv"
    bad.write_text(
        f"{HEADER}2026-13,u9,g1,app,DE,3\n2026-10,u9,g1,app,DE,-4\n2026-10,,g1,app,DE,1\n"
    )

    ran = example("usage", "import", bad)

    assert ran.code == 4
    assert "3 faults; nothing was changed" in ran.err
    for place in ("row 2, period", "row 3, plays", "row 4, listener"):
        assert f"{bad}, {place}" in ran.err
    assert example("payouts", "2026-10", "--json").out == before


def test_importing_the_same_file_again_changes_nothing(example) -> None:
    from tests.cli.conftest import EXAMPLE

    ran = example("usage", "import", EXAMPLE / "usage.csv")

    assert ran.code == 0
    assert "already here; nothing changed" in ran.err


def test_a_dry_run_of_an_import_writes_nothing(example, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text(f"{HEADER}2026-11,u1,g1,app,DE,3\n")

    ran = example("usage", "import", more, "--dry-run")

    assert "would be imported; nothing was written" in ran.err
    assert example("payouts", "2026-11").code == 3


def test_a_closed_month_refuses_late_usage(closed, tmp_path: Path) -> None:
    late = tmp_path / "late.csv"
    late.write_text(f"{HEADER}2026-10,u7,g1,app,DE,3\n")

    ran = closed("usage", "import", late)

    assert ran.code == 3
    assert "2026-10 is closed" in ran.err


def test_outside_a_workspace_the_error_says_what_to_do(tantieme) -> None:
    ran = tantieme("payouts", "2026-10")

    assert ran.code == 3
    assert "is not a workspace; run 'tantieme" in ran.err


def test_faulty_settings_are_all_listed(example, tmp_path: Path) -> None:
    settings = tmp_path / "home" / "workspace.toml"
    settings.write_text('rule = "dice"\npublishing_ppm = 2000000\ncolour = "red"\n')

    ran = example("payouts", "2026-10")

    assert ran.code == 4
    assert {"rule", "publishing_ppm", "colour"} <= {
        line.split(", ")[1].split(":")[0] for line in ran.err.splitlines()[1:]
    }


def test_a_bug_of_ours_ends_with_one_sentence_and_no_traceback(example, monkeypatch) -> None:
    monkeypatch.setattr("cli.jobs.payout.compute_each", lambda *_, **__: 1 / 0)

    ran = example("payouts", "2026-10")

    assert ran.code == 1
    assert "fault of ours" in ran.err
    assert "Traceback" not in ran.err


def test_who_brought_what_is_late_is_kept_and_a_rehearsal_is_not(closed, tmp_path: Path) -> None:
    late, again = tmp_path / "late.csv", tmp_path / "again.csv"
    late.write_text(f"{HEADER}2026-10,u7,g1,app,DE,3\n")
    again.write_text("track,recording,share_ppb,low_ppb,high_ppb,provider\n")
    again.write_text(again.read_text() + "g1,r1,1000000000,,,example\n")
    for more in (("--dry-run",), (), ()):
        assert closed("usage", "import", late, "--late", "--as", "Carl", *more).code == 0
        assert closed("shares", "import", again, "--correct", "--as", "Mara", *more).code == 0

    acts = json.loads(closed("approve", "2026-11", "--list", "--json").out)["acts"]

    mine = [each for each in acts if each["name"] in {"Carl", "Mara"}]
    assert [(each["act"], each["subject"], each["note"]) for each in mine] == [
        ("imported", "late.csv", "usage of 2026-10, late: 1 row"),
        ("imported", "example", "corrected shares of 1 track"),
    ]
