from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import queries
from db.engine import Books
from db.intake import revenue
from db.intake.columns import to_micros
from db.queries import EVERYONE
from royalty.errors import BadInput, PeriodClosed
from royalty.money import Money, parse_micros

HEADER = "period,listener,source,territory,currency,net\n"


def write(folder: Path, *rows: str) -> Path:
    path = folder / "revenue.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@given(
    st.lists(st.from_regex(r"\d{1,12}(\.\d{1,6})?", fullmatch=True).filter(str.isascii), min_size=1)
)
def test_columns_of_decimals_are_read_as_one_by_one(texts: list[str]) -> None:
    micros = to_micros(pa.chunked_array([texts])).to_pylist()

    assert micros == [parse_micros(text) for text in texts]


def test_revenue_is_summed_by_currency(books: Books, tmp_path: Path) -> None:
    revenue.record(
        books,
        write(
            tmp_path,
            "2026-10,u1,app,DE,EUR,10.990001",
            "2026-10,u2,app,DE,EUR,0",
            "2026-10,u2,app,DE,USD,1",
        ),
    )

    [row] = queries.periods(EVERYONE, books)
    assert row.revenue == (Money(10_990_001, "EUR"), Money(1_000_000, "USD"))


@pytest.mark.parametrize(
    ("cell", "field"),
    [("-1", "net"), ("1.1234567", "net"), ("1,5", None), ("1e3", "net"), ("", "net"), ("٣", "net")],
)
def test_what_is_no_decimal_amount_is_a_fault(
    books: Books, tmp_path: Path, cell: str, field: str | None
) -> None:
    with pytest.raises(BadInput) as refused:
        revenue.record(books, write(tmp_path, f"2026-10,u1,app,DE,EUR,{cell}"))

    assert {problem.field for problem in refused.value.problems if problem.row} == {field}


def test_a_listener_pays_once_a_period_source_territory_and_currency(
    books: Books, tmp_path: Path
) -> None:
    path = write(tmp_path, "2026-10,u1,app,DE,EUR,1", "2026-10,u1,app,DE,EUR,1")

    with pytest.raises(BadInput, match=r"row 3: has the same .* as row 2"):
        revenue.record(books, path)


def test_a_closed_period_refuses_new_revenue(closed: Books, tmp_path: Path) -> None:
    with pytest.raises(PeriodClosed, match="period 2026-10 is closed"):
        revenue.record(closed, write(tmp_path, "2026-10,u9,app,DE,EUR,1"))


def test_what_a_closed_period_has_is_still_recognised(closed: Books, tmp_path: Path) -> None:
    path = write(tmp_path, "2026-10,u1,app,DE,EUR,12.50", "2026-10,u2,app,DE,EUR,7.5")

    assert revenue.record(closed, path).already
