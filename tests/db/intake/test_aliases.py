from pathlib import Path

import pytest
from sqlalchemy import select

from db import queries, schema
from db.engine import Books, reading
from db.intake import aliases
from db.intake.receipt import Receipt
from db.queries import EVERYONE
from royalty.errors import BadInput


def take(books: Books, folder: Path, *rows: str, dry_run: bool = False) -> Receipt:
    path = folder / "aliases.csv"
    path.write_text("\n".join(["noun,alias,id", *rows, ""]))
    return aliases.record(books, path, dry_run=dry_run)


def standing(books: Books) -> dict[str, str]:
    return {row.alias: row.id for row in queries.aliases(EVERYONE, books)}


def test_aliases_stand_once_confirmed_and_the_same_again_are_no_news(
    catalogued: Books, tmp_path: Path
) -> None:
    rows = ("party,Robert,bob", 'recording,"Boats, of Paper",r2', "party,Robert,bob")
    first, again = take(catalogued, tmp_path, *rows), take(catalogued, tmp_path, *rows)

    assert (first.already, again.already) == (False, True)
    assert standing(catalogued) == {"Robert": "bob", "Boats, of Paper": "r2"}


def test_an_alias_that_now_means_another_ends_the_old_row(
    catalogued: Books, tmp_path: Path
) -> None:
    take(catalogued, tmp_path, "party,Robert,bob", "party,Annie,ann")
    take(catalogued, tmp_path, "party,Robert,lab")

    assert standing(catalogued) == {"Annie": "ann", "Robert": "lab"}
    with reading(catalogued) as connection:
        robert = select(schema.alias).where(schema.alias.c.alias == "Robert").order_by("id")
        old, new = connection.execute(robert)
    assert (old.noun_id, old.recorded_to) == ("bob", new.recorded_at)
    assert (new.noun_id, new.recorded_to) == ("lab", None)


def test_a_recording_and_a_party_may_go_by_the_same_name(catalogued: Books, tmp_path: Path) -> None:
    take(catalogued, tmp_path, "party,Boats,bob", "recording,Boats,r2")

    assert [(row.noun, row.id, row.name) for row in queries.aliases(EVERYONE, catalogued)] == [
        ("party", "bob", "Bob"),
        ("recording", "r2", "Paper Boats"),
    ]


def test_a_file_of_guesses_is_a_file_of_aliases(catalogued: Books, tmp_path: Path) -> None:
    path = tmp_path / "guesses.csv"
    path.write_text("noun,alias,id,likeness,name\nparty,Bobb,bob,85,'Bob'\nparty,Anne,ann,x,\n")

    aliases.record(catalogued, path)

    assert standing(catalogued) == {"Bobb": "bob", "Anne": "ann"}


def test_every_fault_is_listed_and_nothing_recorded(catalogued: Books, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        take(
            catalogued,
            tmp_path,
            "party,Robert,bob",
            "work,Opus,w1",
            "recording,Boats,r9",
            "recording,r1,r2",
            "recording,r1,r1",
            "recording,DE-A12-26-00001,r2",
            "recording,DE-A12-26-00001,r1",
            "party,Robert,ann",
            "party,,ann",
        )

    prefix = f"{tmp_path / 'aliases.csv'}, "
    assert [str(each).removeprefix(prefix) for each in refused.value.problems] == [
        "row 3, noun: 'work' is none of recording, party",
        "row 4, id: there is no recording 'r9'",
        "row 5, alias: 'r1' is the id of another; it cannot be an alias",
        "row 6, alias: 'r1' is the id; it cannot be an alias",
        "row 6, id: row 5 says that 'r1' is r2",
        "row 7, alias: 'DE-A12-26-00001' is an identifier of r1, 'Harbour Lights' by Ann",
        "row 8, id: row 7 says that 'DE-A12-26-00001' is r2",
        "row 9, id: row 2 says that 'Robert' is bob",
        "row 10, alias: is empty",
    ]
    assert standing(catalogued) == {}


def test_a_dry_run_confirms_nothing(catalogued: Books, tmp_path: Path) -> None:
    assert not take(catalogued, tmp_path, "party,Robert,bob", dry_run=True).already
    assert standing(catalogued) == {}
