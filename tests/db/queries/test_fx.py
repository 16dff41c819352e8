from datetime import date
from pathlib import Path

import pytest

from db import queries
from db.engine import Books
from db.intake import fx
from db.queries import EVERYONE


@pytest.fixture
def rated(books: Books, tmp_path: Path) -> Books:
    """Books with two rates of the dollar in euros."""
    path = tmp_path / "rates.csv"
    path.write_text("day,base,quote,rate\n2026-10-30,USD,EUR,0.92\n2026-11-02,USD,EUR,0.91\n")
    fx.record(books, path)
    return books


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2026, 10, 29), None),
        (date(2026, 10, 30), 920_000_000),
        (date(2026, 11, 1), 920_000_000),
        (date(2026, 11, 2), 910_000_000),
        (date(2027, 1, 1), 910_000_000),
    ],
)
def test_the_latest_rate_on_or_before_the_day_is_found(
    rated: Books, day: date, found: int | None
) -> None:
    rate = queries.rate(EVERYONE, rated, "USD", "EUR", day)

    assert (None if rate is None else rate.rate_ppb) == found


def test_no_rate_is_inverted(rated: Books) -> None:
    assert queries.rate(EVERYONE, rated, "EUR", "USD", date(2026, 11, 2)) is None
