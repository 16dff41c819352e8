"""An auditor: whether the money adds up, who listened narrowly, and how to check without us."""

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard import reads
from db.queries import EVERYONE
from tests.dashboard.browsing import Watch, go, headline, opened, settle
from tests.dashboard.conftest import CLOSED

pytestmark = pytest.mark.browser


def test_an_auditor_adds_up_looks_at_listeners_and_walks_a_posting_back(
    url: str, page: Page, where: reads.Place
) -> None:
    (heard, *_) = reads.heaviest(EVERYONE, where, CLOSED)
    root = reads.standing(EVERYONE, where, CLOSED).root
    watch = Watch(page)

    opened(page, f"{url}/audit?period=2026-10")
    expect(headline(page)).to_have_text("€0.00")
    page.get_by_text("Listeners who played one track most").click()
    expect(page.get_by_text(f"played one track {heard.track_plays} times")).to_be_visible()
    for name in ("lea", "max", "mia", "sam"):
        expect(page.get_by_text(re.compile(rf"\b{name}\b"))).to_have_count(0)
    page.get_by_role("button", name="Check all of the books now").click()
    expect(page.get_by_text("Verified just now")).to_be_visible()

    go(page, "Ledger")
    page.get_by_label("Payee", exact=True).fill("ann")
    page.get_by_label("Payee", exact=True).press("Enter")
    page.wait_for_url(re.compile(r"[?&]of_payee=ann(&|$)"))
    settle(page)
    page.get_by_text(re.compile(r"^Posting [\d.]+ walks back$")).click()
    expect(page.get_by_text("1. Posting")).to_be_visible()
    expect(page.get_by_text(re.compile(r"tantieme --home \S+ trail \d"))).to_be_visible()

    page.get_by_role("link", name="The statement of ann").click()
    page.wait_for_url("**/statement*payee=ann*")
    settle(page)
    expect(page.get_by_text(f"verify --root {root}")).to_be_visible()
    assert watch.faults == []
