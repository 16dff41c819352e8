"""The pages in a real browser: how they are served, opened, waited for and watched."""

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
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Download,
    Locator,
    Page,
    Request,
    expect,
    sync_playwright,
)

import dashboard

APP = Path(dashboard.__file__).with_name("app.py")
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
HERE = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
# Opened at /track, Streamlit's page first looks for its server below /track, as it stands there
# where a proxy serves it under a path; it is told 404, and finds it at the root. Nothing is wrong.
PROBE = re.compile(r"http://127\.0\.0\.1:\d+/[a-z]+/_stcore/(health|host-config)")
expect.set_options(timeout=PATIENCE_MS / 2)


class Watch:
    """What a page did that it should not have done."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("console", self._said)
        page.on("request", lambda request: self._request(request.url))

    def _failed(self, request: Request) -> None:
        """A player that has read how long its sound is leaves the rest for when it plays."""
        if (request.resource_type, request.failure) != ("media", "net::ERR_ABORTED"):
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _said(self, said: ConsoleMessage) -> None:
        if said.type == "error" and not PROBE.fullmatch(said.location["url"]):
            self.faults.append(f"{said.text} {said.location['url']}")

    def _request(self, url: str) -> None:
        if not url.startswith(HERE):
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


@pytest.fixture(scope="session")
def url(home: Path) -> Iterator[str]:
    """Where the small workspace is served, once for all tests of a process."""
    if CHROMIUM is None:
        missing()
    with served(home) as address:
        yield address


@pytest.fixture(scope="module")  # not longer: while it lives, no test can run an event loop
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


def missing() -> None:
    """Skip where nobody can mend it; where every change is tested, fail."""
    message = "Chromium is missing; run 'apt-get install chromium'"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


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


def opened(page: Page, address: str) -> None:
    """Open an address and wait until its page is drawn."""
    page.goto(address, timeout=PATIENCE_MS)
    settle(page)


def go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    settle(page)


def headline(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def saved(page: Page, button: str) -> Download:
    """Click a button that gives a file, and wait for the file."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return download.value


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()
