# ruff: noqa: E501  one case a line reads best
"""Names in a catalogue's folder: known ones become ids, guessed ones are asked for."""

from pathlib import Path

import pytest

from db import queries
from db.engine import Books
from db.intake import aliases
from db.intake.catalogue import read_catalogue, record
from db.intake.receipt import Receipt
from db.queries import EVERYONE
from royalty.errors import BadInput, Conflict
from tests.db import world
from tests.db.intake.test_catalogue import DAY, FILES

INTEREST = "subject,subject_id,right,party,ppm,territory,valid_from,valid_to\n"
PARTY = "id,name,kind,ipi,isni,payee\n"
RECORDING = "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\n"


def take(books: Books, folder: Path, **changed: str) -> Receipt:
    files = FILES | {f"{name}.csv": text for name, text in changed.items()}
    return record(books, read_catalogue(world.write(folder / "in", files)), {})


def refused(books: Books, folder: Path, **changed: str) -> list[str]:
    with pytest.raises(BadInput) as fault:
        take(books, folder, **changed)
    said = [str(problem).removeprefix(f"{folder / 'in'}/") for problem in fault.value.problems]
    return sorted(said, key=lambda problem: "to confirm" in problem)  # what is asked for is last


def confirm(books: Books, folder: Path, *rows: str) -> None:
    path = folder / "aliases.csv"
    path.write_text("\n".join(["noun,alias,id", *rows, ""]))
    aliases.record(books, path)


def test_known_names_are_taken_in_every_column(catalogued: Books, tmp_path: Path) -> None:
    confirm(catalogued, tmp_path, "party,Robert,bob", "party,The-Lab,lab", "recording,Boats,r2")
    take(
        catalogued,
        tmp_path,
        recordings=RECORDING + "r3,,Three,Robert,,,,,\n",
        parties=PARTY + "eve,Eve,artist,,,The-Lab\n",
        interests=INTEREST
        + "recording,Boats,master,52210040,5,,,\nrecording,DEA122600001,master,Robert,7,,,\n",
        terms=world.TERMS.replace("ann,900000", "Robert,800000"),
    )

    assert queries.recordings(EVERYONE, catalogued)[2].recording.artist == "bob"
    assert {each.id: each.payee for each in queries.parties(EVERYONE, catalogued)}["eve"] == "lab"
    held = queries.interests(EVERYONE, catalogued, DAY)
    assert {(each.subject_id, each.party, each.ppm) for each in held} == {
        ("r1", "bob", 7),
        ("r2", "ann", 5),
    }
    agreed = queries.terms(EVERYONE, catalogued, DAY)
    assert {each.party: each.royalty_rate_ppm for each in agreed} == {
        "ann": 900_000,
        "bob": 800_000,
    }


def test_names_may_have_spaces_and_slashes(catalogued: Books, tmp_path: Path) -> None:
    confirm(catalogued, tmp_path, "party,Bob / Rob,bob", "party,The Lab,lab", "recording,A B,r2")

    take(
        catalogued,
        tmp_path,
        recordings=RECORDING + "r3,,Three,Bob / Rob,,,,,\n",
        parties=PARTY + "eve,Eve,artist,,,The Lab\n",
        interests=INTEREST + "recording,A B,master,Bob / Rob,5,,,\n",
        terms=world.TERMS.replace("ann,900000", "Bob / Rob,800000"),
    )

    [held] = [each for each in queries.interests(EVERYONE, catalogued, DAY) if each.ppm == 5]
    assert (held.subject_id, held.party) == ("r2", "bob")


def test_unknown_names_are_faults_that_say_the_best_guess(
    catalogued: Books, tmp_path: Path
) -> None:
    *said, asked = refused(
        catalogued,
        tmp_path,
        recordings=RECORDING + "r3,,Three,Bobb,,,,,\n",
        parties=PARTY + "eve,Eve,artist,,,Lab.\n",
        interests=INTEREST + "recording,paper-boats,master,ghost,5,,,\nwork,paper-boats,publishing,bob,5,,,\n",
    )  # fmt: skip

    assert said == [
        "interests.csv, row 2, party: there is no party 'ghost'",
        "interests.csv, row 2, subject_id: there is no recording 'paper-boats'; did you mean r2, 'Paper Boats' by Bob (99)?",
        "interests.csv, row 3, subject_id: there is no work 'paper-boats'",
        "parties.csv, row 2, payee: there is no party 'Lab.'; did you mean lab, 'Lab' (99)?",
        "recordings.csv, row 2, artist: there is no party 'Bobb'; did you mean bob, 'Bob' (85)?",
    ]
    assert asked.startswith("recordings.csv: 3 guesses to confirm: look through ")
    assert len(queries.recordings(EVERYONE, catalogued)) == 2


def test_what_is_left_of_the_guesses_lets_the_same_folder_in(
    catalogued: Books, tmp_path: Path
) -> None:
    folder = {
        "recordings": RECORDING + "r3,,Three,Bobb,,,,,\n",
        "parties": PARTY + "eve,Eve,artist,,,Lab.\n",
    }
    refused(catalogued, tmp_path, **folder)
    [guesses] = (catalogued.home / "reports").iterdir()

    aliases.record(catalogued, guesses)

    assert not take(catalogued, tmp_path, **folder).already
    assert queries.recordings(EVERYONE, catalogued)[2].recording.artist == "bob"


def test_a_guess_may_mean_what_the_same_folder_brings_in(books: Books, tmp_path: Path) -> None:
    said = refused(
        books, tmp_path, interests=INTEREST + "recording,Harbour-Lights,master,Ann.,5,,,\n"
    )

    assert said[:2] == [
        "interests.csv, row 2, party: there is no party 'Ann.'; did you mean ann, 'Ann' (99)?",
        "interests.csv, row 2, subject_id: there is no recording 'Harbour-Lights'; did you mean r1, 'Harbour Lights' by Ann (99)?",
    ]
    assert queries.parties(EVERYONE, books) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (
            {"interests": INTEREST + "recording,r1,master,ann,600000,,,\nrecording,DEA122600001,master,bob,600000,,,\n"},
            "interests.csv, row 3, subject_id: 'DEA122600001' is r1, whom row 2 calls 'r1'; name both alike",
        ),
        (
            {"interests": INTEREST + "recording,r1,master,ann,5,,,\nrecording,r1,master,52210040,5,DE,,\n"},
            "interests.csv, row 3, party: '52210040' is ann, whom row 2 calls 'ann'; name both alike",
        ),
        (
            {"terms": world.TERMS + "52210040,800000,,,,,,,\n"},
            "terms.csv, row 3, party: '52210040' is ann, whom row 2 calls 'ann'; name both alike",
        ),
    ],
)  # fmt: skip
def test_rows_about_the_same_name_it_alike(
    catalogued: Books, tmp_path: Path, changed: dict[str, str], fault: str
) -> None:
    assert fault in refused(catalogued, tmp_path, **changed)


def test_a_party_may_be_named_in_two_ways_for_two_recordings(
    catalogued: Books, tmp_path: Path
) -> None:
    interests = INTEREST + "recording,r1,master,ann,5,,,\nrecording,r2,master,52210040,5,,,\n"

    take(catalogued, tmp_path, interests=interests)

    held = queries.interests(EVERYONE, catalogued, DAY)
    assert {(each.subject_id, each.party) for each in held} == {("r1", "ann"), ("r2", "ann")}


def test_being_paid_through_another_is_found_behind_an_alias(
    catalogued: Books, tmp_path: Path
) -> None:
    confirm(catalogued, tmp_path, "party,Annie,ann")

    assert refused(catalogued, tmp_path, parties=PARTY + "eve,Eve,artist,,,Annie\n") == [
        "parties.csv, row 2, payee: 'ann' is paid through 'lab'; name the party that is paid"
    ]


def test_a_changed_row_is_told_how_to_be_corrected(catalogued: Books, tmp_path: Path) -> None:
    correct = "what was recorded stays, but 'tantieme catalogue correct FILE' writes it over"
    with pytest.raises(Conflict, match=f"another title; {correct}"):
        take(catalogued, tmp_path, recordings=world.RECORDINGS.replace("Paper Boats", "Boats"))
    with pytest.raises(
        Conflict, match="another work; what was recorded stays: give the changed one"
    ):
        take(catalogued, tmp_path, recordings=world.RECORDINGS.replace("bob,,", "bob,w2,"))
