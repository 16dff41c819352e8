from pathlib import Path

import pytest

from db import queries
from db.engine import Books
from db.intake import aliases
from db.intake.catalogue import read_catalogue, record
from db.intake.corrections import FIELDS, Correction, correct
from db.queries import EVERYONE
from db.refusals import REFUSALS
from royalty.errors import BadInput
from tests.db import world
from tests.db.intake.test_catalogue import FILES

HEADER = "noun,id,field,value,reason\n"


def take(books: Books, folder: Path, *rows: str, dry_run: bool = False) -> list[Correction]:
    path = folder / "corrections.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return correct(books, path, dry_run=dry_run)


def refused(books: Books, folder: Path, *rows: str) -> list[str]:
    with pytest.raises(BadInput) as fault:
        take(books, folder, *rows)
    prefix = f"{folder / 'corrections.csv'}, "
    said = [str(each).removeprefix(prefix) for each in fault.value.problems]
    return sorted(said, key=lambda problem: "to confirm" in problem)  # what is asked for is last


def test_each_field_is_written_over_and_the_change_kept_with_its_reason(
    catalogued: Books, tmp_path: Path
) -> None:
    changes = take(
        catalogued,
        tmp_path,
        "recording,r1,title,Harbour Light,misprint",
        "recording,r1,artist,bob,wrong credit",
        "recording,r1,isrc,,was never assigned",
        "work,w1,iswc,T-000.000.001-0,registered anew",
        "party,bob,name,Bob B.,as he asked",
        "party,bob,kind,composer,as he asked",
        "party,bob,ipi,52210040,registered",
        "party,bob,isni,0000 0001 2103 2683,registered",
        "party,bob,payee,lab,signed",
    )

    assert [(each.field, each.before, each.after) for each in changes] == [
        ("title", "Harbour Lights", "Harbour Light"),
        ("artist", "ann", "bob"),
        ("isrc", "DEA122600001", None),
        ("iswc", "T0345246801", "T0000000010"),
        ("name", "Bob", "Bob B."),
        ("kind", "artist", "composer"),
        ("ipi", None, "00052210040"),
        ("isni", None, "0000000121032683"),
        ("payee", "bob", "lab"),
    ]
    recording = queries.recordings(EVERYONE, catalogued)[0].recording
    assert (recording.title, recording.artist, recording.isrc, recording.iswc) == (
        "Harbour Light", "bob", None, "T0000000010",
    )  # fmt: skip
    bob = queries.parties(EVERYONE, catalogued)[1]
    assert (bob.name, bob.kind, bob.payee, bob.ipi) == ("Bob B.", "composer", "lab", "00052210040")
    kept = queries.corrections(EVERYONE, catalogued)
    assert [(row.noun_id, row.field, row.before, row.after, row.reason) for row in kept] == [
        (each.noun_id, each.field, each.before, each.after, each.reason) for each in changes
    ]


def test_the_same_again_is_no_change(catalogued: Books, tmp_path: Path) -> None:
    rows = ("party,bob,name,Rob,asked", "party,bob,name,Rob,asked twice", "party,lab,name,Lab,so")
    first, again = take(catalogued, tmp_path, *rows), take(catalogued, tmp_path, *rows)

    assert [each.reason for each in first] == ["asked twice"]
    assert again == []
    assert len(queries.corrections(EVERYONE, catalogued)) == 1


def test_every_fault_is_listed_with_its_field_and_nothing_is_changed(
    catalogued: Books, tmp_path: Path
) -> None:
    said = refused(
        catalogued,
        tmp_path,
        "party,bob,name,Rob,fine",
        "song,r1,title,x,why",
        "recording,r9,title,x,why",
        "recording,r1,iswc,T-034.524.680-1,why",
        "recording,r1,isrc,bad,why",
        "work,w1,iswc,T-034.524.680-2,why",
        "party,bob,ipi,00052210041,why",
        "party,bob,isni,1,why",
        "party,bob,kind,,why",
        "party,ann,name,Anne,",
        "party,bob,name,Robert,why",
        "party,,,,",
    )

    assert said == [
        "row 3, noun: 'song' is none of recording, work, party",
        "row 4, id: there is no recording 'r9'",
        "row 5, field: 'iswc' is none of title, artist, isrc",
        "row 6, value: 'bad' is not an ISRC, such as DE-A12-26-00001",
        "row 7, value: 'T-034.524.680-2' is not an ISWC: its check digit is wrong",
        "row 8, value: '00052210041' is not an IPI name number: its check digits are wrong",
        "row 9, value: '1' is not an ISNI: 16 digits, the last a check",
        "row 10, value: is empty",
        "row 11, reason: is empty",
        "row 12, value: row 2 says 'Rob'",
        "row 13, field: is empty",
        "row 13, id: is empty",
        "row 13, reason: is empty",
        "row 13, value: is empty",
    ]
    assert queries.parties(EVERYONE, catalogued)[1].name == "Bob"
    assert queries.corrections(EVERYONE, catalogued) == []


def test_nobody_ends_up_paid_through_one_who_is_paid_through_another(
    catalogued: Books, tmp_path: Path
) -> None:
    assert refused(catalogued, tmp_path, "party,bob,payee,ann,why") == [
        "row 2, value: 'ann' is paid through 'lab'; name the party that is paid"
    ]
    assert refused(catalogued, tmp_path, "party,lab,payee,bob,why") == [
        "row 2, id: 'ann' is paid through 'lab'; correct that, too"
    ]

    take(catalogued, tmp_path, "party,lab,payee,bob,sold", "party,ann,payee,bob,sold")

    assert {each.payee for each in queries.parties(EVERYONE, catalogued)} == {"bob"}


def test_who_has_terms_that_only_a_payee_has_is_not_paid_through_another(
    catalogued: Books, tmp_path: Path
) -> None:
    folder = tmp_path / "terms"
    terms = world.TERMS.splitlines()[0] + "\nbob,900000,,,25.00,,,,\n"
    world.write(folder, {**FILES, "terms.csv": terms})
    record(catalogued, read_catalogue(folder), {})

    assert refused(catalogued, tmp_path, "party,bob,payee,lab,why") == [
        (
            "row 2, value: its terms have minimum_payment: "
            "'bob' is paid through 'lab'; put it in the terms of 'lab'"
        )
    ]


def test_a_party_is_named_by_id_or_alias_and_never_by_a_guess(
    catalogued: Books, tmp_path: Path
) -> None:
    row = "recording,r1,artist,Bobb,wrong credit"
    fault, asked = refused(catalogued, tmp_path, row)

    assert fault == "row 2, value: there is no party 'Bobb'; did you mean bob, 'Bob' (85)?"
    assert "1 guess to confirm" in asked
    assert queries.recordings(EVERYONE, catalogued)[0].recording.artist == "ann"

    [guesses] = (catalogued.home / "reports").iterdir()
    aliases.record(catalogued, guesses)

    assert [each.after for each in take(catalogued, tmp_path, row)] == ["bob"]


def test_a_dry_run_says_the_changes_and_makes_none(catalogued: Books, tmp_path: Path) -> None:
    [change] = take(catalogued, tmp_path, "party,bob,name,Rob,asked", dry_run=True)

    assert (change.before, change.after) == ("Bob", "Rob")
    assert queries.parties(EVERYONE, catalogued)[1].name == "Bob"
    assert queries.corrections(EVERYONE, catalogued) == []


@pytest.mark.parametrize("noun", sorted(FIELDS))
def test_the_database_allows_exactly_these_fields(noun: str) -> None:
    [only] = [each for each in REFUSALS if (each.table, each.name) == (noun, "only")]
    renewed = {"audio_sha256", "duration_ms", "licensed_from", "licensed_to"}

    allowed = set(only.sentence.split(": ")[1].split(", "))

    assert allowed - renewed == set(FIELDS[noun])
