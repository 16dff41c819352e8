"""Which months used which run and index."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.jobs import versions
from cli.main import main
from cli.workspace import Workspace
from db.books.runs import record_run
from db.books.tracks import record_tracks
from tests.cli.conftest import EXAMPLE, Tantieme
from tests.db import world

OURS = "tantieme:i0123abcd-00ff00ff:default:pieces:gated"


@pytest.fixture(scope="module")
def october_and_november(closed_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October by imported shares, closed; November by shares of ours, previewed by two rules."""
    later = tmp_path_factory.mktemp("later")
    home = later / "home"
    shutil.copytree(closed_example, home)

    def done(*arguments: object) -> None:
        assert main(["--home", str(home), *map(str, arguments)]) == 0

    for name in ("usage", "revenue"):
        text = (EXAMPLE / f"{name}.csv").read_text()
        (later / f"{name}.csv").write_text(text.replace("2026-10", "2026-11"))
        done(name, "import", later / f"{name}.csv")
    shares = (EXAMPLE / "shares.csv").read_text().replace(",example\n", f",{OURS}\n")
    (later / "shares.csv").write_text(shares)
    done("shares", "import", later / "shares.csv")
    settings = home / "workspace.toml"
    settings.write_text(settings.read_text().replace('provider = ""', f'provider = "{OURS}"'))
    books = Workspace(home=home).books()
    record_run(books, world.run())
    record_tracks(books, [world.track("g1"), world.track("g3")])
    done("payouts", "2026-11", "--rule", "pro-rata", "--rule", "user-equal")
    return home


@pytest.fixture
def two_months(tantieme: Tantieme, october_and_november: Path, tmp_path: Path) -> Tantieme:
    """A copy of them."""
    shutil.copytree(october_and_november, tmp_path / "home")
    return tantieme


@pytest.mark.parametrize("runs", [["run-1", "run-2"], None])
def test_each_month_names_whose_shares_and_which_runs_it_used(
    two_months: Tantieme, monkeypatch: pytest.MonkeyPatch, runs: Sequence[str] | None
) -> None:
    here = {} if runs is None else {"i0123abcd": runs}
    monkeypatch.setattr(versions, "_runs_of_indexes", lambda _: here)

    october, *november = json.loads(two_months("model", "months", "--json").out)["months"]

    assert (october["period"], october["status"], october["rule"]) == (
        "2026-10",
        "closed",
        "pro_rata",
    )
    assert (october["imported"], october["provider"]) == (True, "example")
    assert (october["attribution"], october["index_runs"]) == (None, None)
    assert [each["rule"] for each in november] == ["pro_rata", "user_equal"]
    for each in november:
        assert each["status"] == "open"
        assert each["attribution"] == {
            "index": "i0123abcd-00ff00ff",
            "method": "default",
            "gate": "pieces",
            "mapping": "gated",
        }
        assert each["index_runs"] == runs
        assert each["tracks"] == [{"run": None, "count": 1}, {"run": "run-1", "count": 2}]


def test_the_table_says_what_is_imported_and_what_is_gone(two_months: Tantieme) -> None:
    shown = two_months("model", "months").out

    october, november = (
        next(line for line in shown.split("\n") if line.strip().startswith(month))
        for month in ("2026-10", "2026-11 (open)")
    )
    assert "imported from" in october
    assert "not here any" in november
