"""Every page pictured, in light and in dark, and read back as somebody sees it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from dashboard import reads
from db.queries import EVERYONE, ROWS_MAX, Window
from tests.dashboard.browsing import LOADED, PATIENCE_MS, opened, served

pytestmark = pytest.mark.browser

TARGET, DEMONSTRATION = os.environ.get("TANTIEME_SCREENSHOT"), os.environ.get("TANTIEME_HOME")
NAMES = [
    *("overview", "statement", "tracks", "track", "recordings"),
    *("rules", "quality", "audit", "ledger"),
]
WIDTH_PX, HEIGHT_PX = 1280, 1900  # as much of a page as is pictured
COLOURS = 256  # enough for charts and text; the files stay small
LARGEST_BYTES = 150_000
SMALLEST_BYTES = 15_000
DRAWN = """() => !document.querySelector('[data-testid=stSkeleton]')
    && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(
        it => it.querySelector('svg, canvas'))"""
LENGTH_PX = "() => document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"


@pytest.fixture(scope="module")
def demonstration(browser: Browser) -> Iterator[str]:  # noqa: ARG001  no server without one
    if not TARGET or not DEMONSTRATION:
        pytest.skip("pictures are made with TANTIEME_SCREENSHOT and TANTIEME_HOME set")
    with served(Path(DEMONSTRATION).resolve()) as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_pictured(browser: Browser, demonstration: str, name: str, scheme: str) -> None:
    """Write the picture of a page of a finished demonstration.

    Runs where `TANTIEME_SCREENSHOT` names the folder to write to and `TANTIEME_HOME` a workspace
    made by `tantieme demo`. The README shows the Track page. For example:

        TANTIEME_HOME=demo-home TANTIEME_SCREENSHOT=docs/images \
            python -m pytest tests/dashboard/test_pictures.py
    """
    assert TARGET is not None
    page = browser.new_page(
        viewport={"width": WIDTH_PX, "height": HEIGHT_PX},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.set_default_timeout(PATIENCE_MS)
    opened(page, f"{demonstration}/{address(name)}")
    file = Path(TARGET) / (f"{name}.png" if scheme == "light" else f"{name}-dark.png")
    picture(page, file)
    page.close()

    assert SMALLEST_BYTES < file.stat().st_size < LARGEST_BYTES


def address(name: str) -> str:
    """Name a page as its address does; the track is the one of which most is attributed."""
    if name == "overview":
        return ""
    return f"track?track={clearest_track(reads.place())}" if name == "track" else name


def picture(page: Page, file: Path) -> None:
    """Write what a page looks like from above, once everything on it is drawn."""
    page.wait_for_function(DRAWN)
    for player in page.locator("audio").all():
        page.wait_for_function(LOADED, arg=player.element_handle())
    page.wait_for_timeout(1_000)  # tables are painted, and report nothing when they are
    page.set_viewport_size({"width": WIDTH_PX, "height": min(page.evaluate(LENGTH_PX), HEIGHT_PX)})
    page.screenshot(path=file, animations="disabled")
    with Image.open(file) as seen:
        few = seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def clearest_track(where: reads.Place) -> str:
    rows = reads.tracks_page(EVERYONE, where, None, Window(limit=ROWS_MAX)).rows
    reads.books(where).engine.dispose()
    known = [row for row in rows if row.unattributed_ppb is not None]
    return min(known, key=lambda row: (row.unattributed_ppb or 0, row.id)).id
