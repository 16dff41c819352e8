"""How fast the pages are where the books are large: `python -m benchmarks.dashboard`.

A synthetic month (`benchmarks.months`) is divided by two rules and closed. Then every page's script
runs under Streamlit's own test runner, once with empty caches and once with full ones, and a
browser opens each page of a served dashboard twice and says when the second one stands still. Rows
are those of tables; bytes are all that the server sent for the page, of which Streamlit's own files
are left out. `--scratch DIR` keeps the workspace for another time: making it takes longest.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pyarrow.parquet as pq
import streamlit as st
from playwright.sync_api import Browser, Page, WebSocket, sync_playwright
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

import dashboard
from benchmarks.divided import ENGINE_MEMORY, THREADS, home_of
from benchmarks.months import PERIOD, Size, write_month
from benchmarks.report import table
from benchmarks.workspaces import write_workspace
from cli.jobs.payout import close_period
from cli.workspace import Workspace
from dashboard import reads
from db import schema, snapshots
from db.engine import Books, reading
from db.queries import EVERYONE, ROWS_MAX, Window, earnings, tracks_page
from royalty.period import Period

RESULTS = Path(__file__).parent / "results"
APP = Path(dashboard.__file__).with_name("app.py")
RULE = "pro_rata"  # by which the month is closed; `close_period` divides it by another too
SIZE = Size(
    rows=2_000_000,
    listeners=200_000,
    tracks=1_000_000,
    recordings=60_000,
    payees=100_000,
    shares=2,
)
SCRIPT_MAX, PAINT_MAX = 1.0, 4.0  # seconds, of a run with full caches and of a second opening
PATIENCE = 180  # seconds
READY = (
    '[data-testid="stApp"]'
    '[data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What one run of a page's script took."""

    cold_seconds: float  # nothing in the caches
    cold_cpu_seconds: float  # of all threads; a busy machine does not change these much
    warm_seconds: float
    warm_cpu_seconds: float
    rows: int  # in all of its tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """What a browser saw of a page that it opened for the second time."""

    seconds: float
    sent_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One page's figures."""

    page: str
    script: Script
    paint: Paint

    @property
    def misses(self) -> list[str]:
        """Name the limits that the page does not keep."""
        kept = {
            "cold script": self.script.cold_seconds <= SCRIPT_MAX,
            "script": self.script.warm_seconds <= SCRIPT_MAX,
            "paint": self.paint.seconds <= PAINT_MAX,
            "rows": self.script.rows <= ROWS_MAX,
        }
        return [name for name, well in kept.items() if not well]


def scaled(by: int) -> Size:
    """Take so many times less of everything but shares."""
    named = ("rows", "listeners", "tracks", "recordings", "payees")
    fewer = {name: getattr(SIZE, name) // by for name in named}
    return Size(**fewer, shares=SIZE.shares)


def closed_workspace(scratch: Path, size: Size) -> Workspace:
    """Make a workspace whose month is closed; one that is there already stays."""
    month = write_month(scratch, size)
    workspace = write_workspace(home_of(month), month)
    spill = scratch / "spill"
    engine = f"duckdb?memory_limit={ENGINE_MEMORY}&threads={THREADS}&temp_directory={spill}"
    close_period(workspace, Period.parse(PERIOD), RULE, engine=engine)
    return workspace


def addresses(books: Books) -> dict[str, dict[str, str]]:
    """Name the pages with what their addresses ask for: the largest of each kind."""
    period = Period.parse(PERIOD)
    earned = earnings(EVERYONE, books, period, RULE, Window(limit=1))
    tracks = tracks_page(EVERYONE, books, earned.id, Window(limit=1))
    asked = {
        "statement": {"payee": earned.payees[0].id},
        "track": {"track": tracks.rows[0].id},
        "recordings": {"recording": earned.recordings[0].id},
    }
    pages = sorted(path.stem for path in APP.with_name("app_pages").glob("[a-z]*.py"))
    return {page: {"period": PERIOD, **asked.get(page, {})} for page in pages}


def run_script(page: str, asked: Mapping[str, str]) -> Script:
    """Run a page with empty caches, and at once again."""
    st.cache_data.clear()
    reads.statement.clear()
    (cold, cold_cpu), app = _run(page, asked)
    (warm, warm_cpu), _ = _run(page, asked)
    return Script(
        cold_seconds=cold,
        cold_cpu_seconds=cold_cpu,
        warm_seconds=warm,
        warm_cpu_seconds=warm_cpu,
        rows=sum(len(each.value) for each in (*app.dataframe, *app.table)),
    )


def _run(page: str, asked: Mapping[str, str]) -> tuple[tuple[float, float], AppTest]:
    """Time a run of the whole app at a page, as an address opens it: wall and CPU seconds."""
    app = AppTest.from_file(APP, default_timeout=PATIENCE)
    app.query_params.update(asked)
    if page != "overview":
        app.switch_page(f"app_pages/{page}.py")
    wall, cpu = time.perf_counter(), time.process_time()
    app.run()
    took = time.perf_counter() - wall, time.process_time() - cpu
    if app.exception:
        raise RuntimeError(f"{page}: {app.exception[0].value}")
    return took, app


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve the pages of a workspace on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)]
    environment = {**os.environ, "TANTIEME_HOME": str(home)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    url = f"http://127.0.0.1:{port}"
    try:
        while not _healthy(url):
            if process.poll() is not None:
                raise RuntimeError("the server ended before it answered")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _healthy(url: str) -> bool:
    try:
        with urlopen(f"{url}/_stcore/health", timeout=5) as answer:  # noqa: S310  our own server
            return bool(answer.read() == b"ok")
    except (URLError, TimeoutError):
        return False


def paint(browser: Browser, address: str) -> Paint:
    """Open an address twice, in tabs of their own, and measure the second."""
    _opened(browser, address)
    return _opened(browser, address)


def _opened(browser: Browser, address: str) -> Paint:
    page, sent = browser.new_page(viewport={"width": 1360, "height": 1800}), [0]

    def count(frame: str | bytes) -> None:
        sent[0] += len(frame)

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", count)

    page.on("websocket", listen)
    start = time.perf_counter()
    page.goto(address, timeout=PATIENCE * 1000)
    _settle(page)
    found = Paint(seconds=time.perf_counter() - start, sent_bytes=sent[0])
    page.close()
    return found


def _settle(page: Page) -> None:
    page.wait_for_selector(READY, timeout=PATIENCE * 1000)
    if page.get_by_test_id("stException").count():
        raise RuntimeError(f"{page.url} shows an exception")


def measure(workspace: Workspace) -> list[Measured]:
    """Measure every page of a workspace."""
    os.environ["TANTIEME_HOME"] = str(workspace.home)
    asked = addresses(workspace.books())
    _run("overview", asked["overview"])  # what is imported is not counted
    scripts = {page: run_script(page, each) for page, each in asked.items()}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with served(workspace.home) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        paints = {
            page: paint(browser, f"{url}/{_path(page)}?{urlencode(each)}")
            for page, each in asked.items()
        }
        browser.close()
    return [Measured(page=page, script=scripts[page], paint=paints[page]) for page in asked]


def _path(page: str) -> str:
    return "" if page == "overview" else page


def counted(books: Books) -> dict[str, int]:
    """Count what lies in the closed month."""
    head, id_ = schema.payout.c, f"{PERIOD}/{RULE}"
    with reading(books) as connection:
        rows = {
            name: connection.scalar(select(func.count()).where(of.c.payout == id_)) or 0
            for name, of in (
                ("payees paid", schema.payout_payee),
                ("tracks played", schema.payout_track),
            )
        }
        parties = connection.scalar(select(func.count()).select_from(schema.party)) or 0
        stated = connection.scalar(select(func.count()).select_from(schema.track_share)) or 0
        snapshot = connection.scalar(
            select(head.snapshot).where(head.period == PERIOD, head.rule == RULE)
        )
    lines = pq.read_metadata(snapshots.checked(books, str(snapshot))).num_rows
    return {"parties": parties, "tracks": stated, **rows, "allocations": lines}


def markdown(sizes: Mapping[str, int], found: list[Measured], load: float) -> str:
    """Write the results down, with what misses its limit."""
    said = ", ".join(f"{count:,} {name}" for name, count in sizes.items())
    heads = (
        "page",
        "cold script s",
        "its CPU s",
        "script s",
        "its CPU s",
        "paint s",
        "rows",
        "kB",
        "misses",
    )
    rows = [
        (
            each.page,
            f"{each.script.cold_seconds:.2f}",
            f"{each.script.cold_cpu_seconds:.2f}",
            f"{each.script.warm_seconds:.2f}",
            f"{each.script.warm_cpu_seconds:.2f}",
            f"{each.paint.seconds:.2f}",
            f"{each.script.rows:,}",
            f"{each.paint.sent_bytes / 1000:,.0f}",
            ", ".join(each.misses) or "nothing",
        )
        for each in found
    ]
    return (
        f"A month of {said}.\n\n{table(heads, rows)}\n\n"
        f"Limits: {SCRIPT_MAX:g} s for a script, {PAINT_MAX:g} s for a warm paint, {ROWS_MAX:,} "
        f"rows. {os.cpu_count()} cores, load {load:.1f} when it ended.\n"
    )


def main() -> None:
    """Make the workspace, measure the pages and save what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", type=Path, help="where the workspace is made, and stays")
    parser.add_argument("--smaller", type=int, default=1, help="so many times fewer of everything")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        scratch = (arguments.scratch or Path(name)).resolve()
        workspace = closed_workspace(scratch, scaled(arguments.smaller))
        sizes, found = counted(workspace.books()), measure(workspace)
    load = os.getloadavg()[0]
    arguments.out.mkdir(parents=True, exist_ok=True)
    document = {"sizes": sizes, "load": load, "pages": [asdict(each) for each in found]}
    (arguments.out / "dashboard.json").write_text(json.dumps(document, indent=1) + "\n")
    text = markdown(sizes, found, load)
    (arguments.out / "dashboard.md").write_text(text)
    print(text)  # noqa: T201


if __name__ == "__main__":
    main()
