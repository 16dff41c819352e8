"""How much a page reads and sends is bounded by the page, and not by the size of the books."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

import dashboard
from dashboard import reads
from db.queries import ROWS_MAX
from tests.dashboard.conftest import HARBOUR, OpenPage

PAGES = sorted(path.stem for path in Path(dashboard.__file__).parent.glob("app_pages/[a-z]*.py"))
STATEMENTS_MAX = 200  # of SQL, with empty caches; three of them open each transaction


@pytest.fixture
def asked(where: reads.Place) -> Iterator[list[str]]:
    """What is asked of the books while a test runs."""
    statements: list[str] = []
    engine = reads.books(where).engine

    def note(*told: object) -> None:
        statements.append(str(told[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_a_bounded_number_of_times_for_a_bounded_number_of_rows(
    open_page: OpenPage, asked: list[str], page: str
) -> None:
    reads.st.cache_data.clear()
    reads.statement.clear()

    app = open_page(page, track=HARBOUR)

    assert not app.exception
    assert 0 < len(asked) <= STATEMENTS_MAX
    assert sum(len(each.value) for each in (*app.dataframe, *app.table)) <= ROWS_MAX
