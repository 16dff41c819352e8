# ruff: noqa: E501  one case a line reads best
from pathlib import Path

import pytest

from db.engine import Books
from db.intake.catalogue import read_catalogue, record
from royalty.errors import BadInput
from royalty.terms import Terms
from tests.db import world

HEADER = (
    "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,"
    "valid_from,valid_to,territory,recoupment,reserve_months,jurisdiction,most_favoured\n"
)
FILES = {
    "recordings.csv": world.RECORDINGS,
    "parties.csv": world.PARTIES,
    "interests.csv": world.INTERESTS,
}


def read(folder: Path, rows: str, header: str = HEADER):
    return read_catalogue(world.write(folder / "in", FILES | {"terms.csv": header + rows}))


def refused(books: Books, folder: Path, rows: str) -> list[str]:
    with pytest.raises(BadInput) as fault:
        record(books, read(folder, rows), {})
    return [str(each).removeprefix(f"{folder / 'in'}/") for each in fault.value.problems]


def test_an_agreement_says_all_that_is_agreed(tmp_path: Path) -> None:
    row = "bob,600000,300.00,100000,50,150000,USD,2026-01-01,2027-01-01,DE,deal-1,6,US,true\n"

    assert read(tmp_path, row).terms == (
        Terms(
            party="bob",
            royalty_rate_ppm=600_000,
            advance_micros=300_000_000,
            reserve_ppm=100_000,
            minimum_payment_micros=50_000_000,
            withholding_ppm=150_000,
            currency="USD",
            valid_from=world.OCTOBER.start.replace(month=1),
            valid_to=world.OCTOBER.start.replace(year=2027, month=1),
            territory="DE",
            recoupment="deal-1",
            reserve_months=6,
            jurisdiction="US",
            most_favoured=True,
        ),
    )


def test_the_later_columns_may_be_left_out_or_empty(tmp_path: Path) -> None:
    plain = (Terms(party="bob"),)

    assert read(tmp_path, "bob,,,,,,,,,,,,,\n").terms == plain
    assert read(tmp_path, "bob,,,,,,,,\n", world.TERMS.splitlines()[0] + "\n").terms == plain
    some = world.TERMS.splitlines()[0] + ",most_favoured\n"
    assert read(tmp_path, "bob,,,,,,,,,true\n", some).terms == (
        Terms(party="bob", most_favoured=True),
    )


def test_what_is_no_term_is_a_fault(books: Books, tmp_path: Path) -> None:
    assert refused(books, tmp_path, "bob,,,,,,,,,Germany,two words,0,WW,yes\n") == [
        "terms.csv, row 2, jurisdiction: 'WW' is the world; name one country, such as DE",
        "terms.csv, row 2, most_favoured: 'yes' is none of true, false",
        "terms.csv, row 2, recoupment: 'two words' is not an id: up to 200 bytes without spaces, slashes or unseen characters",
        "terms.csv, row 2, reserve_months: '0' is not a whole number from 1 to 120",
        "terms.csv, row 2, territory: 'Germany' is not a territory, such as DE; WW is the world",
    ]


def test_agreements_for_several_territories_hold_at_once(books: Books, tmp_path: Path) -> None:
    rows = "bob,600000,300.00,,,,,,,,,,,\nbob,700000,,,,,,,,DE,,,,\nbob,650000,,,,,,,,FR,,,,\n"

    assert not record(books, read(tmp_path, rows), {}).already
    assert record(books, read(tmp_path, rows), {}).already


def test_two_agreements_for_one_territory_do_not_hold_at_once(books: Books, tmp_path: Path) -> None:
    rows = "bob,,,,,,,2026-01-01,,DE,,,,\nbob,,,,,,,2026-06-01,,DE,,,,\nbob,,,,,,,,2026-02-01,,,,,\nbob,,,,,,,2026-01-15,,,,,,\n"

    assert refused(books, tmp_path, rows) == [
        "terms.csv, row 3, valid_from: other terms of bob hold then too in DE",
        "terms.csv, row 5, valid_from: other terms of bob hold then too",
    ]


def test_agreements_that_follow_each_other_may_say_other_things(
    books: Books, tmp_path: Path
) -> None:
    rows = "bob,,100,,,,,,2026-06-01,,,,,\nbob,,200,50000,,,,2026-06-01,,DE,,,,\n"

    assert not record(books, read(tmp_path, rows), {}).already


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        (
            "bob,,300,100000,5,,USD,,,,deal,6,US,\nbob,,300,100000,5,,USD,,,DE,deal,6,US,\n",
            ["row 3, advance: is agreed once with bob, in the terms for WW that hold then too; leave it empty here"],
        ),
        (
            "bob,,,50000,,,,,,DE,,,,\nbob,,,100000,,,,2026-05-01,,,,,,\n",
            ["row 2, reserve_ppm: is agreed once with bob, in the terms for WW that hold then too; leave it empty here"],
        ),
        (
            "bob,,,,,,,,,FR,,3,,\nbob,,,,,,,,,DE,,,,\n",
            ["row 2, reserve_months: is agreed once with bob, in the terms for DE that hold then too; leave it empty here"],
        ),
        (
            "bob,,0,0,0,0,EUR,,,,,12,,\nbob,,0,,1,,GBP,,,DE,deal,12,US,\n",
            [
                f"row 3, {column}: is agreed once with bob, in the terms for WW that hold then too; leave it empty here"
                for column in ("currency", "jurisdiction", "minimum_payment", "recoupment")
            ],
        ),
    ],
)  # fmt: skip
def test_what_belongs_to_payment_stands_once(
    books: Books, tmp_path: Path, rows: str, faults: list[str]
) -> None:
    assert refused(books, tmp_path, rows) == [f"terms.csv, {fault}" for fault in faults]


def test_what_only_a_payee_can_agree_is_no_term_of_another_party(
    books: Books, tmp_path: Path
) -> None:
    rows = "ann,900000,50,1000,20,150000,,,,,,,US,\nlab,,,,20,150000,,,,,,,US,\n"

    assert refused(books, tmp_path, rows) == [
        f"terms.csv, row 2, {column}: 'ann' is paid through 'lab'; put it in the terms of 'lab'"
        for column in ("jurisdiction", "minimum_payment", "withholding_ppm")
    ]


def test_the_books_know_who_is_paid_through_whom(books: Books, tmp_path: Path) -> None:
    record(books, read(tmp_path, ""), {})
    parties = world.PARTIES.splitlines()[0] + "\n"
    files = FILES | {"parties.csv": parties, "terms.csv": HEADER + "ann,,,,20,,,,,,,,,\n"}
    again = read_catalogue(world.write(tmp_path / "again", files))

    with pytest.raises(BadInput) as fault:
        record(books, again, {})

    assert [each.message for each in fault.value.problems] == [
        "'ann' is paid through 'lab'; put it in the terms of 'lab'"
    ]
