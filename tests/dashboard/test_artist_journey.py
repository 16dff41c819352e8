"""An artist, from the month's money to what shaped one track, in three clicks."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard import reads
from db.queries import EVERYONE
from royalty.reports.csv import statement_csv
from royalty.reports.json import statement_json
from royalty.reports.pdf import statement_pdf
from royalty.statement import Statement
from tests.dashboard.browsing import LOADED, Watch, content, go, headline, opened, saved, settle
from tests.dashboard.conftest import CLOSED, HARBOUR

pytestmark = pytest.mark.browser


def test_an_artist_walks_from_the_month_to_what_shaped_a_track(
    url: str, page: Page, where: reads.Place
) -> None:
    earned = reads.earnings(EVERYONE, where, CLOSED, "pro_rata")
    first = earned.payees[0]
    statement = reads.statement(EVERYONE, where, first.id, CLOSED)
    watch = Watch(page)

    opened(page, f"{url}/?period=2026-10")
    expect(headline(page)).to_have_text(earned.pool.rounded)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(earned.unattributed.rounded)

    page.get_by_role("link", name=first.name).click()
    page.wait_for_url("**/statement*")
    settle(page)
    expect(headline(page)).to_have_text(statement.closing.rounded)
    expect(page).to_have_url(re.compile(rf"[?&]payee={first.id}(&|$)"))
    files_hold(page, statement)

    page.get_by_text("Every step, to the checkpoint and beyond").click()
    expect(page.get_by_text("1. Line")).to_be_visible()
    page.get_by_role("link", name="What shaped this track").last.click()
    page.wait_for_url(f"**/track*track={HARBOUR}*")
    settle(page)
    expect(headline(page)).to_have_text("Track 01")
    heard(page)
    expect(page.get_by_text("Similarity, not influence")).to_be_visible()
    page.get_by_text("Is this wrong?").click()
    expect(page.get_by_text(f"dispute {HARBOUR} --payee {first.id} --reason")).to_be_visible()

    go(page, "Overview")
    expect(headline(page)).to_have_text(earned.pool.rounded)
    assert watch.faults == []


def files_hold(page: Page, statement: Statement) -> None:
    """Check that every file is the statement's, and that others can read the one for people."""
    files = {ending: saved(page, f"Download {ending.upper()}") for ending in ("pdf", "csv", "json")}
    assert content(files["csv"]) == statement_csv(statement)
    assert content(files["json"]) == statement_json(statement)
    assert content(files["pdf"]) == statement_pdf(statement)
    assert files["pdf"].suggested_filename == f"2026-10_{statement.payee}.pdf"
    read = read_pdf(Path(files["pdf"].path()))
    for said in (statement.payee_name, statement.closing.rounded, "October 2026"):
        assert said in read


def read_pdf(file: Path) -> str:
    command = ["pdftotext", "-layout", str(file), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def heard(page: Page) -> None:
    """Check that all of a track's players have their sound, and that the first plays it."""
    players = page.locator("audio")
    expect(players).to_have_count(3)
    for player in players.all():
        page.wait_for_function(LOADED, arg=player.element_handle())
    players.first.evaluate("element => { element.muted = true; return element.play(); }")
    page.wait_for_function("element => element.currentTime > 0", arg=players.first.element_handle())
