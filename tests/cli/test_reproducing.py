"""A closed month divided again comes to the same bytes, whatever became known since."""

import json
import re
from pathlib import Path

import pytest

from cli.jobs import reproducing
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.period import Period
from tests.cli.conftest import EXAMPLE, Tantieme

OCTOBER = Period(2026, 10)
LATER = {
    "interests": [("bob,1000000,WW", "bob,500000,WW")],
    "recordings": [("cy,w3,,,,", "cy,w3,,,,2026-01-01")],
    "terms": [("ann,1000000", "ann,100000")],
    "parties": [],
}
LATE = "period,listener,track,source,territory,plays\n2026-10,u9,g3,app,DE,500\n"
CORRECTED = (
    "track,recording,share_ppb,low_ppb,high_ppb,provider\n"
    "g2,r1,900000000,900000000,900000000,example\ng2,,100000000,100000000,100000000,example\n"
)


def learn_more(tantieme: Tantieme, folder: Path) -> None:
    """Have everything change that a month is divided by."""
    for name, changes in LATER.items():
        text = (EXAMPLE / f"{name}.csv").read_text()
        for said, changed in changes:
            assert said in text
            text = text.replace(said, changed)
        (folder / f"{name}.csv").write_text(text)
    (folder / "late.csv").write_text(LATE)
    (folder / "corrected.csv").write_text(CORRECTED)
    settings = folder / "home" / "workspace.toml"
    text = settings.read_text().replace("publishing_ppm = 0", "publishing_ppm = 300000")
    settings.write_text(f"{text}\n[rules.pro_rata]\nminimum_plays = 15\n")
    for arguments in (
        ("catalogue", "import", folder),
        ("usage", "import", folder / "late.csv", "--late"),
        ("shares", "import", folder / "corrected.csv", "--correct"),
    ):
        ran = tantieme(*arguments)
        assert ran.code == 0, ran.err


def test_a_month_is_reproduced_to_the_byte_whatever_became_known_since(
    closed: Tantieme, tmp_path: Path
) -> None:
    learn_more(closed, tmp_path)

    ran = closed("audit", "2026-10", "reproduce", "--json")

    found = json.loads(ran.out)
    assert ran.code == 0, ran.out
    assert found["holds"]
    assert found["rule"] == "pro_rata"
    assert [each["what"] for each in found["compared"]] == [
        "rule pro_rata",
        "allocations by pro_rata",
        "transaction 2026-10/revenue/2026-10/app/DE/EUR",
        "transaction 2026-10/allocation/2026-10/app/DE/EUR",
        "root of the month",
        "rule user_centric",
        "allocations by user_centric",
    ]
    books = Workspace(home=tmp_path / "home").books()
    kept = queries.payout(EVERYONE, books, OCTOBER, "user_centric").snapshot
    assert found["compared"][-1]["reproduced"] == kept
    [month] = [row for row in queries.periods(EVERYONE, books) if row.period == OCTOBER]
    assert found["compared"][4]["reproduced"] == month.root


def test_nothing_is_written(closed: Tantieme, tmp_path: Path) -> None:
    kept = {path.name for path in (tmp_path / "home" / "snapshots").iterdir()}

    ran = closed("audit", "2026-10", "reproduce")

    assert ran.code == 0
    assert re.search(r"transactions of its division +all 2 +all 2 +yes", ran.out)
    assert {path.name for path in (tmp_path / "home" / "snapshots").iterdir()} == kept


def test_what_comes_out_otherwise_is_named_with_its_first_rows(
    closed: Tantieme, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide_by = reproducing.divide_by
    monkeypatch.setattr(reproducing, "divide_by", lambda month, _: divide_by(month, "pro_rata"))

    ran = closed("audit", "2026-10", "reproduce")

    assert ran.code == 5
    said = {line.split("  ")[0].strip(): line.rstrip()[-3:].strip() for line in ran.out.split("\n")}
    assert said["allocations by pro_rata"] == "yes"
    assert said["allocations by user_centric"] == "NO"
    assert "First difference by user_centric, only as closed: 2026-10/app/DE/EUR, " in ran.out
    assert "First difference by user_centric, only as divided again: " in ran.out


def test_a_snapshot_that_was_tampered_with_is_refused_by_name(
    closed: Tantieme, tmp_path: Path
) -> None:
    books = Workspace(home=tmp_path / "home").books()
    paid = queries.payout(EVERYONE, books, OCTOBER, "pro_rata")
    [interests] = queries.decided(EVERYONE, books, paid).rights["rights.interests"]
    file = tmp_path / "home" / "snapshots" / f"{interests}.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"?")

    ran = closed("audit", "2026-10", "reproduce")

    assert ran.code != 0
    assert f"rights.interests snapshot {file} is corrupt" in ran.err


def test_a_month_closed_before_settings_were_kept_says_what_is_missing(
    example: Tantieme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.jobs.payout.settings_kept", lambda _: None)
    example("close", "2026-10")

    ran = example("audit", "2026-10", "reproduce")

    assert ran.code == 3
    assert "computed by pro_rata before payouts kept the settings and the rights" in ran.err


def test_an_open_month_has_nothing_to_be_reproduced(example: Tantieme) -> None:
    ran = example("audit", "2026-10", "reproduce")

    assert ran.code == 3
    assert "run 'tantieme close 2026-10'" in ran.err
