from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.royalty.rules.dividing import connection

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture(scope="session", autouse=True)
def _closing_the_connection() -> Iterator[None]:
    yield
    if connection.cache_info().currsize:
        connection().disconnect()
        connection.cache_clear()


@pytest.fixture
def golden(*, update_golden: bool) -> Callable[[str, bytes], bool]:
    """Compare bytes with the file kept; `pytest --update-golden` keeps the new ones instead."""

    def same(name: str, content: bytes) -> bool:
        if update_golden:
            (GOLDEN / name).write_bytes(content)
        return (GOLDEN / name).read_bytes() == content

    return same
