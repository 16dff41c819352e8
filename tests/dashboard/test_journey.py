"""The Track page under somebody's hands, and every page by day and by night."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import LOADED, opened, settle
from tests.dashboard.conftest import KILN

pytestmark = pytest.mark.browser


def test_a_click_on_a_passage_plays_it_and_where_it_came_from(url: str, page: Page) -> None:
    opened(page, f"{url}/track?track={KILN}")
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
    opened(page, f"{url}/?period=2026-10")
    page.screenshot(path=tmp_path / f"{scheme}.png")
    paper = page.get_by_test_id("stApp").evaluate("it => getComputedStyle(it).backgroundColor")
    page.close()

    assert paper == {"light": "rgb(252, 251, 248)", "dark": "rgb(22, 24, 23)"}[scheme]
