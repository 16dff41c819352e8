"""One walk through the pages in a real browser, with everything it asks for watched."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect, sync_playwright

from dashboard import reads
from db.queries import EVERYONE, ROWS_MAX, Difference, Window
from royalty.differences import moved
from royalty.reports.csv import statement_csv
from royalty.reports.json import statement_json
from tests.dashboard.conftest import APP, CLOSED, HARBOUR, KILN

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY = (
    '[data-testid="stApp"]'
    '[data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'
)
LOADED = "element => element.readyState >= 1 && element.duration > 0"
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS / 2)


class Watch:
    """What a page did that it should not have done."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        page.on(
            "console",
            lambda said: self.faults.append(said.text) if said.type == "error" else None,
        )
        page.on("request", lambda request: self._request(request.url))

    def _request(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.faults.append(f"left the machine: {url}")


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve the pages of a workspace on a free port, as `tantieme dashboard` does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)]
    environment = {**os.environ, "TANTIEME_HOME": str(home), "PYTHONPATH": str(APP.parents[1])}
    environment.pop("TANTIEME_DATABASE_URL", None)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_healthy(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, TimeoutError):
            pass
        time.sleep(0.2)
    pytest.fail("the dashboard did not become healthy within a minute")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        message = "Chromium is missing; run 'apt-get install chromium'"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def url(home: Path, browser: Browser) -> Iterator[str]:  # noqa: ARG001  no server without one
    with served(home) as address:
        yield address


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A fresh page; what it looked like at the end is kept beside the test's other files."""
    page = browser.new_page(viewport={"width": 1360, "height": 1800})
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.screenshot(path=tmp_path / "last.png")
    page.close()


def settle(page: Page) -> None:
    page.wait_for_selector(READY, timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    settle(page)


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def test_the_pages_show_the_ledgers_numbers_and_never_leave_the_machine(
    url: str, page: Page, where: reads.Place
) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")
    first = payout.payees[0]
    statement = reads.statement(EVERYONE, where, first.id, CLOSED)
    watch = Watch(page)

    page.goto(f"{url}/?period=2026-10")
    settle(page)

    expect(page.get_by_role("heading", level=1)).to_have_text(payout.pool.rounded)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(payout.unattributed.rounded)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)

    page.get_by_role("link", name=first.name).click()
    page.wait_for_url("**/statement*")
    settle(page)

    expect(page.get_by_role("heading", level=1)).to_have_text(statement.closing.rounded)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("2026-10")
    expect(page).to_have_url(re.compile(rf"[?&]payee={first.id}(&|$)"))

    with page.expect_download() as csv:
        page.get_by_role("button", name="Download CSV").click()
    with page.expect_download() as json:
        page.get_by_role("button", name="Download JSON").click()

    assert content(csv.value) == statement_csv(statement)
    assert content(json.value) == statement_json(statement)
    assert csv.value.suggested_filename == f"2026-10_{first.id}.csv"

    go(page, "Track")
    players = page.locator("audio")

    expect(page.get_by_role("heading", level=1)).to_have_text("Track 01")
    expect(players).to_have_count(3)
    for number in range(3):
        page.wait_for_function(LOADED, arg=players.nth(number).element_handle())
    players.first.evaluate("element => { element.muted = true; return element.play(); }")
    page.wait_for_function("element => element.currentTime > 0", arg=players.first.element_handle())
    expect(page.get_by_text("Similarity, not influence")).to_be_visible()

    go(page, "Overview")

    expect(page.get_by_role("heading", level=1)).to_have_text(payout.pool.rounded)
    assert watch.faults == []


def test_the_rules_page_sets_two_rules_beside_each_other_and_previews_a_blend(
    url: str, page: Page, where: reads.Place
) -> None:
    gained = moved(differences(where), "EUR")
    watch = Watch(page)

    page.goto(f"{url}/?period=2026-10")
    settle(page)
    page.get_by_role("link", name=re.compile("rules, side by side")).click()
    page.wait_for_url("**/rules*")
    settle(page)

    expect(page.get_by_role("heading", level=1)).to_have_text(gained.rounded)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("2026-10")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
    expect(page.get_by_text("Preview, not stored")).to_be_visible()

    page.get_by_role("slider").press("ArrowRight")
    page.wait_for_url(re.compile(r"[?&]part=55(&|$)"))
    settle(page)

    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
    assert watch.faults == []


def differences(where: reads.Place) -> tuple[Difference, ...]:
    one, other = (
        reads.payout(EVERYONE, where, CLOSED, rule) for rule in ("pro_rata", "user_centric")
    )
    return reads.differences(EVERYONE, where, (one.snapshot, other.snapshot), (one, other))


def test_the_period_outlives_a_change_of_page(url: str, page: Page) -> None:
    page.goto(f"{url}/?period=2026-10")
    settle(page)

    go(page, "Statement")

    expect(page.get_by_text("Why this amount")).to_be_visible()
    expect(page.get_by_role("combobox", name="Period")).to_have_value("2026-10")


def test_an_address_opens_a_page_on_its_track(url: str, page: Page) -> None:
    page.goto(f"{url}/track?track={HARBOUR}")
    settle(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("Track 01")


def test_a_click_on_a_passage_plays_it_and_where_it_came_from(url: str, page: Page) -> None:
    page.goto(f"{url}/track?track={KILN}")
    settle(page)
    players = page.locator("audio")
    cell = page.get_by_label("Track: 0:02 – 0:04; Recording: 0:00 – 0:02")  # noqa: RUF001

    expect(page.get_by_text("0:02 – 0:04 of this track").first).to_be_visible()  # noqa: RUF001
    cell.click()
    expect(page.get_by_text("0:00 – 0:02 of Kiln")).to_be_visible()  # noqa: RUF001
    settle(page)

    for number, start in ((1, 2), (2, 0)):
        player = players.nth(number).element_handle()
        page.wait_for_function(LOADED, arg=player)
        page.wait_for_function(f"element => element.currentTime == {start}", arg=player)
    track = players.nth(1)
    track.evaluate("element => { element.muted = true; return element.play(); }")
    page.wait_for_function(
        "element => element.currentTime > 3.5 && element.paused", arg=track.element_handle()
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_stand(url: str, browser: Browser, scheme: str, tmp_path: Path) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{url}/?period=2026-10", timeout=PATIENCE_MS)
    settle(page)
    page.screenshot(path=tmp_path / f"{scheme}.png")
    paper = page.get_by_test_id("stApp").evaluate("it => getComputedStyle(it).backgroundColor")
    page.close()

    assert paper == {"light": "rgb(252, 251, 248)", "dark": "rgb(22, 24, 23)"}[scheme]


def test_the_track_page_is_pictured_for_the_readme(browser: Browser) -> None:
    """Write the README's picture: the Track page of a finished demonstration.

    Runs where `TANTIEME_SCREENSHOT` names the file to write and `TANTIEME_HOME` a workspace made by
    `tantieme demo`; it takes the track of which most is attributed. For example:

        TANTIEME_HOME=demo-home TANTIEME_SCREENSHOT=docs/track.png \
            python -m pytest tests/dashboard/test_journey.py -k pictured
    """
    target, home = os.environ.get("TANTIEME_SCREENSHOT"), os.environ.get("TANTIEME_HOME")
    if not target or not home:
        pytest.skip("the README's picture is made with TANTIEME_SCREENSHOT and TANTIEME_HOME set")
    page = browser.new_page(viewport={"width": 1280, "height": 1120})
    with served(Path(home).resolve()) as address:
        page.goto(f"{address}/track?track={clearest_track(reads.place())}", timeout=PATIENCE_MS)
        settle(page)
        page.wait_for_function(LOADED, arg=page.locator("audio").first.element_handle())
        page.wait_for_selector('[data-testid="stVegaLiteChart"] svg', timeout=PATIENCE_MS)
        page.screenshot(path=target)
        page.close()

    assert Path(target).stat().st_size > 20_000


def clearest_track(where: reads.Place) -> str:
    rows = reads.tracks_page(EVERYONE, where, None, Window(limit=ROWS_MAX)).rows
    reads.books(where).engine.dispose()
    known = [row for row in rows if row.unattributed_ppb is not None]
    return min(known, key=lambda row: (row.unattributed_ppb or 0, row.id)).id
