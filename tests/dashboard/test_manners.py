"""How the pages behave towards those who do not see them, do not point, or are not online."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browsing import Watch, go, opened
from tests.dashboard.conftest import HARBOUR, KILN

pytestmark = pytest.mark.browser

NAMES = ["Statement", "Tracks", "Track", "Recordings", "Rules", "Quality", "Audit", "Ledger"]
PICTURES = "img, audio, [data-testid=stVegaLiteChart]"
UNNAMED = """pictures => pictures
  .filter(it => it.offsetParent !== null && !it.closest('[aria-hidden=true]'))
  .filter(it => !it.alt && !it.ariaLabel)
  .map(it => it.outerHTML.slice(0, 120))"""
FOCUSED = """() => {
  const it = document.activeElement;
  return it.ariaLabel || it.innerText.trim().split('\\n').pop() || it.tagName;
}"""
STEPS = 60  # as many times as Tab is pressed


def test_every_page_names_its_pictures_and_asks_nobody_else(url: str, page: Page) -> None:
    watch = Watch(page)
    opened(page, f"{url}/?period=2026-10")
    unnamed = {"Overview": page.locator(PICTURES).evaluate_all(UNNAMED)}
    for name in NAMES:
        go(page, name)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        unnamed[name] = page.locator(PICTURES).evaluate_all(UNNAMED)

    assert [name for name, found in unnamed.items() if found] == []
    assert watch.faults == []


def test_an_address_opens_a_page_on_its_track_without_a_fault(url: str, page: Page) -> None:
    watch = Watch(page)

    opened(page, f"{url}/track?track={HARBOUR}")

    expect(page.get_by_role("heading", level=1)).to_have_text("Track 01")
    assert watch.faults == []


def test_the_keyboard_reaches_the_menu_the_period_and_every_link_in_order(
    url: str, page: Page
) -> None:
    opened(page, f"{url}/?period=2026-10")
    expect(page.get_by_role("link", name="Track 01")).to_be_visible()
    reached = []
    for _ in range(STEPS):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))

    order = ["Overview", "Ledger", "Period", "Rule", "Ann Aalto", "Ben Brandt", "Track 01"]
    assert list(dict.fromkeys(name for name in reached if name in order)) == order


def test_the_keyboard_opens_what_it_reaches(url: str, page: Page) -> None:
    opened(page, f"{url}/track?track={KILN}&period=2026-10")
    folded = page.locator("summary", has_text="Is this wrong?")
    folded.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text(re.compile(f"dispute {KILN} --payee"))).to_be_visible()
