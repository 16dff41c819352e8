"""The Quality page in a real browser: reached by the menu, drawn, and asking nobody else."""

import json
import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.dashboard.evaluation_documents import every_document
from tests.dashboard.test_journey import CHROMIUM, PATIENCE_MS, QUIET, Watch, go, served, settle

pytestmark = pytest.mark.browser


def test_the_menu_leads_to_figures_and_their_charts(home: Path, tmp_path: Path) -> None:
    if CHROMIUM is None:
        message = "Chromium is missing; run 'apt-get install chromium'"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    evaluated = tmp_path / "home"
    shutil.copytree(home, evaluated)
    (evaluated / "evaluation").mkdir()
    for document in every_document():
        path = evaluated / "evaluation" / f"{document['id']}.json"
        path.write_text(json.dumps(document), encoding="utf-8")

    with sync_playwright() as playwright, served(evaluated) as url:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1360, "height": 2600})
        page.set_default_timeout(PATIENCE_MS)
        watch = Watch(page)
        page.goto(f"{url}/?period=2026-10")
        settle(page)
        go(page, "Quality")

        expect(page.get_by_role("heading", level=1)).to_have_text("LDS 0.71")
        expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(5)
        expect(page.get_by_text("ceiling 0.88").first).to_be_visible()
        expect(page.get_by_text("queries share their favourites")).to_be_visible()
        page.screenshot(path=tmp_path / "quality.png")
        assert watch.faults == []
        browser.close()
