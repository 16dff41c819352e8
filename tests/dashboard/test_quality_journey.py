"""The Quality page in a real browser: reached by the menu, drawn, and asking nobody else."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browsing import Watch, go, headline, opened
from tests.dashboard.evaluation_documents import every_document

pytestmark = pytest.mark.browser


@pytest.fixture
def evaluated(home: Path) -> Iterator[None]:
    """Evaluate the small workspace for a while; other tests find it as it was."""
    folder = home / "evaluation"
    folder.mkdir()
    for document in every_document():
        path = folder / f"{document['id']}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
    yield
    shutil.rmtree(folder)


@pytest.mark.usefixtures("evaluated")
def test_the_menu_leads_to_figures_and_their_charts(url: str, page: Page) -> None:
    watch = Watch(page)
    opened(page, f"{url}/?period=2026-10")
    go(page, "Quality")

    expect(headline(page)).to_have_text("LDS 0.71")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(5)
    expect(page.get_by_text("ceiling 0.88").first).to_be_visible()
    expect(page.get_by_text("queries share their favourites")).to_be_visible()
    assert watch.faults == []
