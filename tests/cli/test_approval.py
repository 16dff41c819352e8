"""Maker and checker: what one computed another approves, and only that is closed."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tantieme


@pytest.fixture
def watched(example: Tantieme, tmp_path: Path) -> Tantieme:
    """The README's world, where months are closed only once approved; Ann computed October."""
    change_settings(tmp_path, "approval = false", "approval = true")
    assert example("payouts", "2026-10", "--as", "ann").code == 0
    return example


def change_settings(tmp_path: Path, setting: str, changed: str) -> None:
    file = tmp_path / "home" / "workspace.toml"
    assert setting in file.read_text()
    file.write_text(file.read_text().replace(setting, changed))


def acts(tantieme: Tantieme) -> list[tuple[str, str]]:
    document = json.loads(tantieme("approve", "2026-10", "--list", "--json").out)
    return [(act["name"], act["act"]) for act in document["acts"]]


def test_a_month_is_prepared_approved_by_another_and_closed(watched: Tantieme) -> None:
    approved = watched("approve", "2026-10", "--as", "bob")
    closed = watched("close", "2026-10", "--as", "ann")

    assert (approved.code, closed.code) == (0, 0)
    assert "prepared by ann: €20.00 to divide among 3 payees" in approved.out
    assert "Closing settles nothing: all that is earned is payable." in approved.out
    assert "bob approves 2026-10 by pro_rata as it stands" in approved.err
    assert acts(watched) == [("ann", "prepared"), ("bob", "approved"), ("ann", "closed")]


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_nobody_approved_is_not_closed(watched: Tantieme, dry: tuple[str, ...]) -> None:
    ran = watched("close", "2026-10", "--as", "cy", *dry)

    assert ran.code == 3
    assert "2026-10 by pro_rata is not approved; someone other than ann and cy" in ran.err
    assert acts(watched) == [("ann", "prepared")]


def test_who_approved_does_not_close_nor_a_rule_that_was_not_approved(watched: Tantieme) -> None:
    watched("approve", "2026-10", "--as", "bob")

    same = watched("close", "2026-10", "--as", "Bob", "--dry-run")
    other = watched("close", "2026-10", "--as", "ann", "--rule", "user-centric", "--dry-run")

    assert (same.code, other.code) == (3, 3)
    assert "is approved by bob only, who closes it" in same.err
    assert "period 2026-10 is not computed with user_centric" in other.err
    assert watched("close", "2026-10", "--as", "ann", "--dry-run").code == 0


def test_a_preview_by_other_settings_is_neither_approved_nor_closed(
    watched: Tantieme, tmp_path: Path
) -> None:
    watched("approve", "2026-10", "--as", "bob")
    change_settings(tmp_path, "publishing_ppm = 0", "publishing_ppm = 300000")

    for command in (("approve", "--as", "cy"), ("close", "--as", "ann", "--dry-run")):
        ran = watched(command[0], "2026-10", *command[1:])
        assert ran.code == 3
        assert "is not of what is in the books and in workspace.toml now" in ran.err
    assert watched("close", "2026-10", "--as", "ann").code == 3
    assert acts(watched) == [("ann", "prepared"), ("bob", "approved")]


def test_usage_that_comes_in_has_to_be_looked_at(watched: Tantieme, tmp_path: Path) -> None:
    watched("approve", "2026-10", "--as", "bob")
    late = tmp_path / "late.csv"
    late.write_text("period,listener,track,source,territory,plays\n2026-10,u3,g1,app,DE,5\n")
    assert watched("usage", "import", late).code == 0

    assert "is not of what is in the books" in watched("approve", "2026-10", "--as", "cy").err
    watched("payouts", "2026-10", "--as", "cy")
    anew = watched("close", "2026-10", "--as", "ann")

    assert anew.code == 3
    assert "was computed anew since bob approved it, with another result" in anew.err
    assert "cy prepared" in watched("approve", "2026-10", "--as", "cy").err
    assert watched("approve", "2026-10", "--as", "ann").code == 0
    assert watched("close", "2026-10", "--as", "bob").code == 0


def test_approving_is_rehearsed_repeated_and_written_as_a_document(watched: Tantieme) -> None:
    first, second, again = (
        json.loads(watched("approve", "2026-10", "--as", "bob", "--json", *more).out)
        for more in (("--dry-run",), (), ())
    )

    assert (first["dry_run"], second["dry_run"]) == (True, False)
    assert [each["already"] for each in (first, second, again)] == [False, False, True]
    assert second | {"content_sha256": "…"} == {
        "schema": 1,
        "period": "2026-10",
        "rule": "pro_rata",
        "approved_by": "bob",
        "prepared_by": ["ann"],
        "already": False,
        "dry_run": False,
        "content_sha256": "…",
        "pool": {"micros": 20_000_000, "currency": "EUR"},
        "suspense": {"micros": 0, "currency": "EUR"},
        "payees": 3,
        "settles": [],
        "variance": None,
    }
    assert acts(watched) == [("ann", "prepared"), ("bob", "approved")]


def test_what_closing_settles_is_shown_and_is_what_closing_posts(
    example: Tantieme, tmp_path: Path
) -> None:
    folder = tmp_path / "agreed"
    folder.mkdir()
    # Ann has earned 3.833334: a tenth of that is kept back, floored, and 1.00 recouped.
    (folder / "terms.csv").write_text(
        "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
        "valid_from,valid_to\nann,1000000,1.00,100000,0,0,EUR,,\nbob,1000000,2.00,0,0,0,EUR,,\n"
    )
    assert example("catalogue", "import", folder).code == 0
    assert example("payouts", "2026-10", "--as", "ann").code == 0

    printed = example("approve", "2026-10", "--as", "bob", "--dry-run").out
    found = json.loads(example("approve", "2026-10", "--as", "bob", "--json").out)["settles"]

    rows = [line.split() for line in printed.partition("Closing settles")[2].splitlines()]
    assert ["advances", "paid", "out", "2", "€3.00"] in rows
    assert ["kept", "in", "reserve", "1", "€0.383333"] in rows
    settled = {each["kind"]: (each["transactions"], each["amount"]["micros"]) for each in found}
    assert settled == {
        "advance": (2, 3_000_000),
        "reserve": (1, 383_333),
        "recoupment": (2, 3_000_000),
    }
    assert example("close", "2026-10", "--as", "ann").code == 0
    parts = json.loads(example("audit", "2026-10", "--json").out)["parts"]
    assert (parts["reserve"]["micros"], parts["recouped"]["micros"]) == (383_333, 3_000_000)


def test_a_name_is_needed_and_one_s_own_work_is_not_approved(watched: Tantieme) -> None:
    assert watched("approve", "2026-10", "--as", " ").code == 2
    ran = watched("approve", "2026-10", "--as", "ann")

    assert ran.code == 3
    assert "ann prepared 2026-10 by pro_rata and cannot approve it, too" in ran.err


def test_a_closed_month_is_not_approved_and_a_month_without_preview_neither(
    example: Tantieme,
) -> None:
    before = example("approve", "2026-10", "--as", "bob")
    example("close", "2026-10", "--as", "ann")
    after = example("approve", "2026-10", "--as", "bob")

    assert (before.code, after.code) == (3, 3)
    assert "tantieme payouts 2026-10" in before.err
    assert "nothing is left to approve" in after.err


def test_who_did_what_is_listed(watched: Tantieme) -> None:
    listed = watched("approve", "2026-10", "--list").out
    nothing = watched("approve", "2026-09", "--list").out

    assert "ann" in listed
    assert "prepared" in listed
    assert "Nobody has done anything in 2026-09 yet" in nothing


def test_where_no_approval_is_wanted_one_alone_closes(example: Tantieme) -> None:
    example("payouts", "2026-10", "--as", "ann")

    assert example("close", "2026-10", "--as", "ann").code == 0
