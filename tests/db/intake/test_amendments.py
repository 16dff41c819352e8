# ruff: noqa: E501  one case a line reads best
from datetime import date
from pathlib import Path

import pytest

from db import queries
from db.engine import Books
from db.intake.amendments import Amendment
from db.intake.catalogue import read_catalogue, record
from db.queries import EVERYONE
from tests.db import world

TERMS = "party,royalty_rate_ppm,valid_from,valid_to,territory,advance,reserve_ppm,minimum_payment,withholding_ppm,currency\n"
INTERESTS = "subject,subject_id,right,party,ppm,territory,valid_from,valid_to\n"


def amended(
    books: Books, folder: Path, *, dry_run: bool = False, **files: str
) -> list[tuple[str, ...]]:
    """Import some files after the smallest catalogue, and say what that amends."""
    named = {f"{name}.csv": text for name, text in files.items()}
    read = read_catalogue(world.write(folder / "more", named))
    return [short(each) for each in record(books, read, {}, dry_run=dry_run).amended]


def short(each: Amendment) -> tuple[str, ...]:
    begin = each.row["valid_from"]
    return (each.act, each.row["party"], each.row["territory"], str(begin), *each.before)


def test_a_file_with_a_renewal_only_ends_the_agreement_before(
    catalogued: Books, tmp_path: Path
) -> None:
    renewal = f"{TERMS}ann,800000,2027-01-01,,,,,,,\n"

    assert amended(catalogued, tmp_path, terms=renewal) == [
        ("ended", "ann", "WW", "None"),
        ("added", "ann", "WW", "2027-01-01"),
    ]
    assert queries.terms(EVERYONE, catalogued, date(2026, 11, 1)) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("ann,900000,,,,,,,,\n", []),
        ("ann,800000,,,,,,,,\n", [("changed", "ann", "WW", "None", "royalty_rate_ppm")]),
        ("ann,900000,,2027-01-01,,,,,,\nann,800000,2027-01-01,,,,,,,\n", [("changed", "ann", "WW", "None", "valid_to"), ("added", "ann", "WW", "2027-01-01")]),
        ("ann,900000,,,,,,,,\nann,700000,,,DE,,,,,\n", [("added", "ann", "DE", "None")]),
        ("bob,700000,,,,,,,,\n", [("added", "bob", "WW", "None")]),
    ],
    ids=["the same", "another rate", "an end and what follows", "another territory", "another party"],
)  # fmt: skip
def test_agreements_are_changed_added_or_as_they_were(
    catalogued: Books, tmp_path: Path, rows: str, expected: list[tuple[str, ...]]
) -> None:
    assert sorted(amended(catalogued, tmp_path, terms=TERMS + rows)) == sorted(expected)


def test_what_is_said_of_a_party_first_is_known_for_that(catalogued: Books, tmp_path: Path) -> None:
    files = {"terms.csv": f"{TERMS}ann,900000,,,,,,,,\nann,700000,,,DE,,,,,\nbob,700000,,,,,,,,\n"}
    receipt = record(catalogued, read_catalogue(world.write(tmp_path / "more", files)), {})

    assert {each.row["party"]: each.first for each in receipt.amended} == {
        "ann": False,
        "bob": True,
    }


def test_interests_that_a_file_leaves_out_are_ended(catalogued: Books, tmp_path: Path) -> None:
    sold = f"{INTERESTS}recording,r2,master,ann,300000,,,\nrecording,r2,master,bob,500000,,,\n"

    assert amended(catalogued, tmp_path, interests=sold) == [
        ("added", "ann", "WW", "None"),
        ("changed", "bob", "WW", "None", "ppm"),
    ]
    assert amended(
        catalogued, tmp_path, interests=f"{INTERESTS}recording,r2,master,ann,300000,,,\n"
    ) == [("ended", "bob", "WW", "None")]


def test_a_rehearsal_says_the_same_and_changes_nothing(catalogued: Books, tmp_path: Path) -> None:
    renewal = f"{TERMS}ann,800000,2027-01-01,,,,,,,\n"

    said = amended(catalogued, tmp_path, dry_run=True, terms=renewal)

    assert len(said) == 2
    assert amended(catalogued, tmp_path, terms=renewal) == said
