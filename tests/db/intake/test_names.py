"""What cells name. Guesses are only ever said and written down; no test may find one applied."""

from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import func, select

from db import schema
from db.engine import Books, now, reading, writing
from db.intake.called import party_called
from db.intake.names import Known, Noun, known, resolved
from db.intake.sheets import ROW, Sheet
from royalty.catalogue import Party


def asked(books: Books, noun: Noun, *cells: str) -> Known:
    with reading(books) as connection:
        return known(connection, cells, noun)


def add_alias(books: Books, noun: str, alias: str, id_: str) -> None:
    row = {"noun": noun, "alias": alias, "noun_id": id_, "recorded_at": now()}
    with writing(books) as connection:
        connection.execute(schema.alias.insert(), row)


def sheet(*cells: str) -> Sheet:
    rows = pa.array(range(2, len(cells) + 2), pa.int64())
    return Sheet(source="shares.csv", table=pa.table({"recording": list(cells), ROW: rows}))


def named(books: Books, *cells: str) -> tuple[list[str], list[str]]:
    with reading(books) as connection:
        found, faults = resolved(
            connection, sheet(*cells), "recording", "recording", home=books.home
        )
    said = [str(fault).replace(f"{books.home}/", "") for fault in faults]
    return found.table["recording"].to_pylist(), said


def test_an_id_an_alias_and_an_identifier_name_for_certain(catalogued: Books) -> None:
    add_alias(catalogued, "recording", "Boats of Paper", "r2")
    add_alias(catalogued, "party", "Robert", "bob")

    recordings = asked(catalogued, "recording", "r1", "Boats of Paper", "DE-A12-26-00001")
    parties = asked(catalogued, "party", "ann", "Robert", "52210040")

    assert recordings.ids == {"r1": "r1", "Boats of Paper": "r2", "DE-A12-26-00001": "r1"}
    assert parties.ids == {"ann": "ann", "Robert": "bob", "52210040": "ann"}
    assert (recordings.guesses, parties.guesses) == ({}, {})


def test_an_alias_of_a_party_names_no_recording(catalogued: Books) -> None:
    add_alias(catalogued, "party", "Robert", "bob")

    assert asked(catalogued, "recording", "Robert").ids == {}


def test_even_an_exact_title_is_only_guessed(catalogued: Books) -> None:
    found = asked(catalogued, "recording", "Harbour Lights", "Bob - PAPER BOATS (Live)", "Nothing")

    assert found.ids == {}
    best = {cell: [(g.id, g.shown, g.likeness) for g in g_] for cell, g_ in found.guesses.items()}
    assert best == {
        "Harbour Lights": [("r1", "'Harbour Lights' by Ann", 100)],
        "Bob - PAPER BOATS (Live)": [("r2", "'Paper Boats' by Bob", 96)],
        "Nothing": [],
    }


def test_an_id_comes_before_an_alias_and_an_alias_before_an_identifier(catalogued: Books) -> None:
    add_alias(catalogued, "recording", "DEA122600001", "r2")
    add_alias(catalogued, "recording", "r1", "r2")

    assert asked(catalogued, "recording", "DEA122600001", "r1").ids == {
        "DEA122600001": "r2",
        "r1": "r1",
    }


def test_an_identifier_that_two_share_names_neither(catalogued: Books) -> None:
    with writing(catalogued) as connection:
        both = schema.recording.update().values(isrc="DEA122600001")
        connection.execute(both)

    found = asked(catalogued, "recording", "DEA122600001")

    assert found.ids == {}
    guesses = found.guesses["DEA122600001"]
    assert [(each.id, each.likeness) for each in guesses] == [("r1", 100), ("r2", 100)]


def test_a_confirmed_alias_is_a_name_to_guess_by_too(catalogued: Books) -> None:
    assert asked(catalogued, "party", "The Kiel Quartett").guesses == {"The Kiel Quartett": ()}

    add_alias(catalogued, "party", "Kiel Quartet", "bob")

    [best] = asked(catalogued, "party", "The Kiel Quartett").guesses["The Kiel Quartett"]
    assert (best.id, best.shown) == ("bob", "'Bob'")


def test_what_a_file_brings_in_is_known_beside_the_books(catalogued: Books) -> None:
    eve = Party(id="eve", name="Eve Kovač", kind="artist", payee="eve", isni="0000000121032683")
    with reading(catalogued) as connection:
        cells = ("eve", "0000 0001 2103 2683", "Kovac, Eve", "ann")
        found = known(connection, cells, "party", beside=[party_called(eve)])

    assert found.ids == {"eve": "eve", "0000 0001 2103 2683": "eve", "ann": "ann"}
    assert [each.id for each in found.guesses["Kovac, Eve"]] == ["eve"]


def test_known_names_in_a_column_become_ids_and_an_empty_cell_stays(catalogued: Books) -> None:
    add_alias(catalogued, "recording", "Boats of Paper", "r2")

    cells, faults = named(catalogued, "r1", "", "Boats of Paper", "DEA122600001", "r1")

    assert (cells, faults) == (["r1", "", "r2", "r1", "r1"], [])
    assert not (catalogued.home / "reports").exists()


def test_every_unknown_cell_is_a_fault_with_the_best_guess(catalogued: Books) -> None:
    cells, faults = named(catalogued, "r1", "harbour lights", "Nothing", "harbour lights")

    assert cells == ["r1", "harbour lights", "Nothing", "harbour lights"]
    meant = "is no recording in the catalogue; did you mean r1, 'Harbour Lights' by Ann (99)?"
    assert faults[:3] == [
        f"shares.csv, row 3, recording: 'harbour lights' {meant}",
        "shares.csv, row 4, recording: 'Nothing' is no recording in the catalogue; import it first",
        f"shares.csv, row 5, recording: 'harbour lights' {meant}",
    ]
    [asked_for] = faults[3:]
    [path] = (catalogued.home / "reports").iterdir()
    name = f"reports/{path.name}"
    assert asked_for == (
        f"shares.csv: 1 guess to confirm: look through {name}, delete what is wrong, "
        f"and run 'tantieme catalogue alias {name}'"
    )


def test_guesses_are_written_best_first_and_the_same_ones_are_one_file(catalogued: Books) -> None:
    for cells in (("Harbor Lights", "paper boats"), ("paper boats", "Harbor Lights", "Nothing")):
        named(catalogued, *cells)

    [path] = (catalogued.home / "reports").iterdir()
    assert path.name.startswith("guesses-")
    assert path.read_text().splitlines() == [
        "noun,alias,id,likeness,name",
        "recording,paper boats,r2,99,'Paper Boats' by Bob",
        "recording,Harbor Lights,r1,96,'Harbour Lights' by Ann",
    ]


def test_guessing_writes_nothing_into_the_books(catalogued: Books) -> None:
    named(catalogued, "paper boats")

    with reading(catalogued) as connection:
        assert connection.scalar(select(func.count()).select_from(schema.alias)) == 0
    assert asked(catalogued, "recording", "paper boats").ids == {}


@pytest.mark.parametrize("noun", ["recording", "party"])
def test_empty_books_know_nobody(books: Books, noun: Noun) -> None:
    assert asked(books, noun, "ann") == Known(ids={}, guesses={"ann": ()})


def test_a_column_without_rows_has_no_faults(catalogued: Books, tmp_path: Path) -> None:
    empty = pa.table({"recording": pa.array([], pa.string()), ROW: pa.array([], pa.int64())})
    with reading(catalogued) as connection:
        found, faults = resolved(
            connection, Sheet(source="x", table=empty), "recording", "recording", home=tmp_path
        )

    assert (len(found.table), faults) == (0, [])
