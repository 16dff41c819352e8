from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import queries, snapshots
from db.engine import Books
from db.intake import revenue
from db.intake.judging import to_micros
from db.queries import EVERYONE
from royalty.errors import BadInput, PeriodClosed
from royalty.money import Money, parse_micros
from royalty.rules.arithmetic import MICROS_MAX
from tests.db.world import OCTOBER

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


def test_revenue_is_summed(books: Books, tmp_path: Path) -> None:
    revenue.record(
        books,
        write(
            tmp_path,
            "2026-10,u1,app,DE,EUR,10.990001",
            "2026-10,u2,app,DE,EUR,0",
            "2026-10,u2,web,DE,EUR,1",
        ),
    )

    [row] = queries.periods(EVERYONE, books)
    assert row.revenue == (Money(11_990_001, "EUR"),)


def test_a_source_has_one_currency_in_a_territory_in_a_file_and_in_the_books(
    books: Books, tmp_path: Path
) -> None:
    mixed = write(
        tmp_path,
        "2026-10,u1,app,DE,EUR,1",
        "2026-10,u2,app,DE,USD,1",
        "2026-11,u1,app,DE,USD,1",
        "2026-1{0},u1,app,DE,eur,x",
        "2026-10,u3,app,DE,USD,1",
        "2026-10,u3,app,US,USD,1",
    )
    with pytest.raises(BadInput, match="row 3, currency: 'USD' is not EUR, of the row") as refused:
        revenue.record(books, mixed)
    listed = [(problem.row, problem.field) for problem in refused.value.problems]
    assert listed == [
        (3, "currency"),
        *((5, f) for f in ("currency", "net", "period")),
        (6, "currency"),
    ]
    assert queries.periods(EVERYONE, books) == []

    revenue.record(books, write(tmp_path, "2026-10,u1,app,DE,EUR,1", "2026-11,u1,app,DE,USD,1"))
    later = write(
        tmp_path,
        "2026-10,u9,app,DE,USD,1",
        "2026-11,u9,app,DE,USD,1",
        "2026-10,u9,web,DE,USD,1",
        "2026-10,u9,app,US,USD,1",
    )

    with pytest.raises(BadInput, match="row 2, currency: 'USD' is not EUR, in which") as refused:
        revenue.record(books, later)
    assert len(refused.value.problems) == 1


def test_several_currencies_in_a_period_are_summed_apart(books: Books, tmp_path: Path) -> None:
    revenue.record(books, write(tmp_path, "2026-10,u1,app,DE,EUR,1", "2026-10,u1,app,US,USD,2.5"))

    [row] = queries.periods(EVERYONE, books)
    assert row.revenue == (Money(1_000_000, "EUR"), Money(2_500_000, "USD"))


def test_a_row_has_at_most_what_can_be_divided(books: Books, tmp_path: Path) -> None:
    for fine in (f"{MICROS_MAX // 10**6}.000000", "0009999999.999999"):
        revenue.record(books, write(tmp_path, f"2026-10,u1,app,DE,EUR,{fine}"), dry_run=True)
    for much in (f"{MICROS_MAX // 10**6}.000001", "100000001", "999999999"):
        with pytest.raises(BadInput, match="row 2, net"):
            revenue.record(books, write(tmp_path, f"2026-10,u1,app,DE,EUR,{much}"))


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


def test_late_revenue_of_a_closed_period_is_kept_beside_what_it_was_closed_with(
    closed: Books, tmp_path: Path
) -> None:
    path = write(tmp_path, "2026-10,u9,app,DE,EUR,1", "2026-10,u9,app,US,USD,1")

    receipt = revenue.record(closed, path, late=True)

    assert (receipt.late, receipt.already) == (True, False)
    assert revenue.record(closed, path, late=True).already
    [row, _] = queries.periods(EVERYONE, closed)
    assert row.revenue == (Money(20_000_000, "EUR"),)
    assert len(queries.inputs(EVERYONE, closed, OCTOBER).revenue) == 1
    with pytest.raises(BadInput, match="row 2, currency: 'USD' is not EUR"):
        revenue.record(closed, write(tmp_path, "2026-10,u8,app,DE,USD,1"), late=True)
    with pytest.raises(BadInput, match="row 2, currency: 'EUR' is not USD"):
        revenue.record(closed, write(tmp_path, "2026-10,u8,app,US,EUR,1"), late=True)


def test_late_revenue_is_bounded_with_all_that_came_before(closed: Books, tmp_path: Path) -> None:
    most = MICROS_MAX // 10**6 - 21  # 20 came in in time
    revenue.record(closed, write(tmp_path, f"2026-10,u8,app,DE,EUR,{most}"), late=True)

    with pytest.raises(BadInput, match="row 2, net: with all that came in"):
        revenue.record(closed, write(tmp_path, "2026-10,u9,app,DE,EUR,1.000001"), late=True)

    assert not revenue.record(closed, write(tmp_path, "2026-10,u9,app,DE,EUR,1"), late=True).already


def test_what_a_closed_period_has_is_still_recognised(closed: Books, tmp_path: Path) -> None:
    path = write(tmp_path, "2026-10,u1,app,DE,EUR,12.50", "2026-10,u2,app,DE,EUR,7.5")

    assert revenue.record(closed, path).already


def test_money_may_be_booked_against_a_track_and_against_no_listener(
    books: Books, tmp_path: Path
) -> None:
    path = tmp_path / "revenue.csv"
    path.write_text(
        HEADER.replace("source", "track,source")
        + "2026-10,u1,t1,api,DE,EUR,1\n2026-10,u1,t2,api,DE,EUR,2\n2026-10,,,api,DE,EUR,3\n"
    )

    receipt = revenue.record(books, path)

    kept = snapshots.read(books, receipt.snapshot or "").to_pylist()
    assert [(row["listener"], row["track"], row["net_micros"]) for row in kept] == [
        ("", "", 3_000_000),
        ("u1", "t1", 1_000_000),
        ("u1", "t2", 2_000_000),
    ]


def test_money_of_one_listener_and_track_comes_once(books: Books, tmp_path: Path) -> None:
    revenue.record(books, write(tmp_path, "2026-10,u1,app,DE,EUR,1"))
    path = tmp_path / "again.csv"
    path.write_text(
        HEADER.replace("source", "track,source")
        + "2026-10,u1,t1,app,DE,EUR,1\n2026-10,u1,,app,DE,EUR,2\n2026-10,u1,t1,app,DE,EUR,3\n"
    )

    with pytest.raises(BadInput, match="row 4: has the same") as refused:
        revenue.record(books, path)
    assert len(refused.value.problems) == 1

    path.write_text(path.read_text().replace("t1,app,DE,EUR,3", "t3,app,DE,EUR,3"))
    with pytest.raises(BadInput, match=r"row 3: its .* came in before") as refused:
        revenue.record(books, path)
    assert len(refused.value.problems) == 1


def test_a_sources_money_adds_up_to_what_can_be_divided(books: Books, tmp_path: Path) -> None:
    most = MICROS_MAX // 10**6
    beyond = ("2026-10,u1,app,DE,EUR,0.000001", f"2026-10,u2,app,FR,EUR,{most}")

    with pytest.raises(BadInput, match=r"net of source app are 100,000,000\.000001") as refused:
        revenue.record(books, write(tmp_path, *beyond))
    assert len(refused.value.problems) == 1
    assert queries.periods(EVERYONE, books) == []

    revenue.record(books, write(tmp_path, beyond[1], "2026-10,u1,web,DE,EUR,1"))
    with pytest.raises(BadInput, match=r"row 2, net: .* of source app are 100,000,000\.000001"):
        revenue.record(books, write(tmp_path, beyond[0]))
