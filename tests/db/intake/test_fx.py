from datetime import date
from pathlib import Path

import pytest

from db import queries
from db.engine import Books
from db.intake import fx
from db.queries import EVERYONE
from royalty.errors import BadInput
from royalty.fx import FxRate

HEADER = "day,base,quote,rate"


def file_of(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "rates.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def faults(books: Books, path: Path) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(BadInput) as refused:
        fx.record(books, path)
    return [(each.row, each.field, each.message) for each in refused.value.problems]


def test_rates_are_kept_to_nine_places(books: Books, tmp_path: Path) -> None:
    path = file_of(tmp_path, "2026-10-30,USD,EUR,0.123456789", "2026-10-30,EUR,JPY,162")

    receipt = fx.record(books, path)

    assert (receipt.rows, receipt.already) == ({"rates": 2}, False)
    assert queries.rates(EVERYONE, books) == [
        FxRate(day=date(2026, 10, 30), base="EUR", quote="JPY", rate_ppb=162 * 10**9),
        FxRate(day=date(2026, 10, 30), base="USD", quote="EUR", rate_ppb=123_456_789),
    ]


def test_the_same_again_changes_nothing_and_more_is_added(books: Books, tmp_path: Path) -> None:
    first = "2026-10-30,USD,EUR,0.92,ECB"
    fx.record(books, file_of(tmp_path, first, header=f"{HEADER},source"))

    again = fx.record(books, file_of(tmp_path, first, header=f"{HEADER},source"))
    more = fx.record(books, file_of(tmp_path, "2026-10-30,USD,EUR,0.920", "2026-10-31,USD,EUR,1"))

    assert (again.already, more.already) == (True, False)
    assert [each.source for each in queries.rates(EVERYONE, books)] == ["ECB", ""]


def test_another_rate_for_the_same_day_and_pair_is_refused_whole(
    books: Books, tmp_path: Path
) -> None:
    fx.record(books, file_of(tmp_path, "2026-10-30,USD,EUR,0.92"))

    path = file_of(tmp_path, "2026-10-31,USD,EUR,0.91", "2026-10-30,USD,EUR,0.93")
    said = "'0.93' is not 0.92, which 2026-10-30/USD/EUR is; rates never change"

    assert faults(books, path) == [(3, "rate", said)]
    assert len(queries.rates(EVERYONE, books)) == 1


def test_every_fault_is_named_with_its_row_and_field(books: Books, tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        "2026-02-30,USD,EUR,0.92",
        "30.10.2026,USD,EUR,0.92",
        "2026-10-30,usd,EUR,0.92",
        "2026-10-30,EUR,EUR,0.92",
        "2026-10-30,USD,GBP,0.0000000001",
        "2026-10-30,USD,CHF,0.000",
        "2026-10-30,USD,SEK,-1",
        "2026-10-30,USD,DKK,1",
        "2026-10-30,USD,DKK,2",
    )
    decimal = "is not a decimal rate with at most 9 places, such as 0.92"

    assert faults(books, path) == [
        (2, "day", "there is no day 2026-02-30"),
        (3, "day", "'30.10.2026' is not a day, such as 2026-10-30"),
        (4, "base", "'usd' is not a currency, such as EUR"),
        (5, "quote", "'EUR' is the base, too"),
        (6, "rate", f"'0.0000000001' {decimal}"),
        (7, "rate", "'0.000' is not above zero"),
        (8, "rate", f"'-1' {decimal}"),
        (10, None, "has the same day, base, quote as row 9"),
    ]
    assert queries.rates(EVERYONE, books) == []


def test_a_dry_run_writes_nothing(books: Books, tmp_path: Path) -> None:
    receipt = fx.record(books, file_of(tmp_path, "2026-10-30,USD,EUR,0.92"), dry_run=True)

    assert not receipt.already
    assert queries.rates(EVERYONE, books) == []
