"""Artist, accountant and auditor walk the demonstration, as a user of `make dashboard` does."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cli.main import main
from dashboard import reads
from db.queries import EVERYONE, Earnings
from royalty.reports.xlsx import statement_xlsx
from tests.dashboard.browsing import (
    LOADED,
    Watch,
    content,
    go,
    headline,
    opened,
    saved,
    served,
    settle,
)
from tests.dashboard.conftest import CLOSED

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(demonstration: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> reads.Place:
    home = tmp_path_factory.mktemp("walked") / "home"
    shutil.copytree(demonstration[0], home)
    return reads.Place(str(home), None)


@pytest.fixture(scope="module")
def pages(demo: reads.Place) -> Iterator[str]:
    with served(Path(demo.home)) as address:
        yield address


@pytest.fixture(scope="module")
def earned(demo: reads.Place) -> Earnings:
    (rule,) = {reads.standing(EVERYONE, demo, CLOSED).rule}
    return reads.earnings(EVERYONE, demo, CLOSED, rule)


def test_an_artist_finds_which_tracks_paid_and_hears_why(
    pages: str, page: Page, demo: reads.Place, earned: Earnings
) -> None:
    payee = earned.payees[0]
    statement = reads.statement(EVERYONE, demo, payee.id, CLOSED)
    watch = Watch(page)

    opened(page, f"{pages}/?period=2026-10")
    expect(headline(page)).to_have_text(earned.pool.rounded)
    page.get_by_role("link", name=payee.name, exact=True).first.click()
    page.wait_for_url("**/statement*")
    settle(page)
    expect(headline(page)).to_have_text(statement.closing.rounded)
    page.get_by_text("Every step, to the checkpoint and beyond").click()
    page.get_by_role("link", name="What shaped this track").last.click()
    page.wait_for_url("**/track*track=*")
    settle(page)

    player = page.locator("audio").first
    page.wait_for_function(LOADED, arg=player.element_handle())
    expect(page.get_by_text("Similarity, not influence")).to_be_visible()
    assert watch.faults == []


def test_an_accountant_compares_rules_and_takes_a_workbook(
    pages: str, page: Page, demo: reads.Place, earned: Earnings
) -> None:
    payee = earned.payees[0].id
    watch = Watch(page)

    opened(page, f"{pages}/rules?period=2026-10")
    expect(headline(page)).to_have_text(re.compile("€"))
    opened(page, f"{pages}/statement?period=2026-10&payee={payee}")
    workbook = content(saved(page, "Download XLSX"))

    assert workbook == statement_xlsx(reads.statement(EVERYONE, demo, payee, CLOSED))
    assert watch.faults == []


def test_an_auditor_walks_a_posting_back_and_checks_a_pack_without_the_books(
    pages: str, page: Page, demo: reads.Place, earned: Earnings, tmp_path: Path
) -> None:
    payee = earned.payees[0].id
    watch = Watch(page)

    opened(page, f"{pages}/audit?period=2026-10")
    expect(headline(page)).to_have_text("€0.00")
    go(page, "Ledger")
    page.get_by_text(re.compile(r"^Posting [\d.]+ walks back$")).click()
    expect(page.get_by_text("1. Posting")).to_be_visible()
    opened(page, f"{pages}/statement?period=2026-10&payee={payee}")
    root = reads.standing(EVERYONE, demo, CLOSED).root
    expect(page.get_by_text(f"verify --root {root}")).to_be_visible()
    assert watch.faults == []

    pack = tmp_path / "pack.zip"
    asked = ("export", str(CLOSED), "--payee", payee, "--format", "evidence", "--output", str(pack))
    assert main(["--home", demo.home, *asked]) == 0
    assert main(["--home", str(tmp_path / "none"), "verify", str(pack), "--root", str(root)]) == 0
