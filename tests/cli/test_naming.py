import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tantieme

HEADERS = {
    "recordings.csv": "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to\n",
    "parties.csv": "id,name,kind,ipi,isni,payee\n",
    "interests.csv": "subject,subject_id,right,party,ppm,territory,valid_from,valid_to\n",
}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder from elsewhere, which calls the example's recording by its title."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name, header in HEADERS.items():
        (folder / name).write_text(header)
    row = "recording,harbour-lights,master,bob,1000000,,,\n"
    (folder / "interests.csv").write_text(HEADERS["interests.csv"] + row)
    return folder


def write(folder: Path, *rows: str) -> Path:
    path = folder / "file.csv"
    path.write_text("\n".join([*rows, ""]))
    return path


def test_from_a_name_nobody_knows_to_one_that_is_confirmed(
    example: Tantieme, elsewhere: Path, tmp_path: Path
) -> None:
    refused = example("catalogue", "import", elsewhere)
    [guesses] = (tmp_path / "home" / "reports").iterdir()
    confirmed = example("catalogue", "alias", guesses)
    imported = example("catalogue", "import", elsewhere)

    assert (refused.code, confirmed.code, imported.code) == (4, 0, 0)
    meant = "there is no recording 'harbour-lights'; did you mean r1, 'Harbour Lights' by Ann (99)?"
    assert f"interests.csv, row 2, subject_id: {meant}" in refused.err
    assert f"run 'tantieme catalogue alias {guesses}'" in refused.err
    assert "1 aliases imported" in confirmed.err
    assert "1 interests" in imported.err


def test_what_is_deleted_from_the_guesses_is_asked_again(
    example: Tantieme, elsewhere: Path, tmp_path: Path
) -> None:
    example("catalogue", "import", elsewhere)
    [guesses] = (tmp_path / "home" / "reports").iterdir()
    guesses.write_text(guesses.read_text().splitlines()[0] + "\n")

    assert example("catalogue", "alias", guesses).code == 0
    assert example("catalogue", "import", elsewhere).code == 4


def test_aliases_that_stand_are_listed(example: Tantieme, tmp_path: Path) -> None:
    file = write(tmp_path, "noun,alias,id", "party,Annie,ann")
    first, again = example("catalogue", "alias", file), example("catalogue", "alias", file)

    assert "nothing changed" not in first.err
    assert "nothing changed" in again.err
    listed = example("catalogue", "alias", "--list").out
    assert [cell in listed for cell in ("Annie", "ann", "Ann", "1 alias")] == [True] * 4
    document = json.loads(example("catalogue", "alias", "--json").out)
    [row] = document["aliases"]
    assert document["schema"] == 1
    assert {key: row[key] for key in ("noun", "alias", "id", "name")} == {
        "noun": "party",
        "alias": "Annie",
        "id": "ann",
        "name": "Ann",
    }


def test_a_dry_run_confirms_nothing(example: Tantieme, tmp_path: Path) -> None:
    file = write(tmp_path, "noun,alias,id", "party,Annie,ann")

    ran = example("catalogue", "alias", file, "--dry-run", "--json")

    assert "nothing was written" in ran.err
    assert json.loads(ran.out)["aliases"] == []


def test_without_a_file_it_has_to_be_said_what_is_wanted(example: Tantieme) -> None:
    ran = example("catalogue", "alias")

    assert ran.code == 2
    assert "Name a FILE of aliases, or say --list." in ran.err


def test_a_correction_is_shown_before_and_after_with_its_reason(
    example: Tantieme, tmp_path: Path
) -> None:
    file = write(
        tmp_path,
        "noun,id,field,value,reason",
        "recording,r1,title,Harbour Light,misprint",
        "recording,r1,isrc,DE-A12-26-00001,assigned",
    )
    dry, real, again = (
        example("catalogue", "correct", file, *more) for more in (["--dry-run"], [], [])
    )

    assert (
        dry.out
        == real.out
        == (
            "recording r1, title: 'Harbour Lights' → 'Harbour Light' (misprint)\n"
            "recording r1, isrc: none → 'DEA122600001' (assigned)\n"
        )
    )
    assert [ran.err for ran in (dry, real, again)] == [
        "2 changes would be made; nothing was written.\n",
        "2 changes made.\n",
        "The books say all of this already; nothing changed.\n",
    ]
    shown = json.loads(example("catalogue", "show", "--json").out)["recordings"][0]
    assert (shown["title"], shown["isrc"]) == ("Harbour Light", "DEA122600001")


def test_changes_are_read_by_machines_too(example: Tantieme, tmp_path: Path) -> None:
    file = write(tmp_path, "noun,id,field,value,reason", "party,ann,name,Anna,asked")

    document = json.loads(example("catalogue", "correct", file, "--json").out)

    change = {"noun": "party", "noun_id": "ann", "field": "name", "before": "Ann", "after": "Anna"}
    assert document == {"schema": 1, "dry_run": False, "changes": [change | {"reason": "asked"}]}


def test_a_faulty_correction_changes_nothing(example: Tantieme, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "noun,id,field,value,reason",
        "party,ann,name,Anna,asked",
        "party,ann,isni,12,asked",
    )

    ran = example("catalogue", "correct", file)

    assert ran.code == 4
    assert f"{file}, row 3, value: '12' is not an ISNI" in ran.err
    still = write(tmp_path, "noun,id,field,value,reason", "party,ann,name,Ann,as it is")
    assert json.loads(example("catalogue", "correct", still, "--json").out)["changes"] == []


def test_the_help_says_what_is_corrected_by_importing_it_again(tantieme: Tantieme) -> None:
    said = " ".join(tantieme("catalogue", "correct", "--help").out.split())

    assert "importing their CSV again with 'tantieme catalogue import'" in said


def test_who_corrected_and_who_confirmed_is_kept(closed: Tantieme, tmp_path: Path) -> None:
    corrected = write(tmp_path, "noun,id,field,value,reason", "party,ann,name,Anna,asked")
    for _ in range(2):
        assert closed("catalogue", "correct", corrected, "--as", "Carl").code == 0
    named = write(tmp_path, "noun,alias,id", "party,Annie,ann")
    for _ in range(2):
        assert closed("catalogue", "alias", named, "--as", "Mara").code == 0

    acts = json.loads(closed("approve", "2026-11", "--list", "--json").out)["acts"]

    said = [(each["name"], each["act"], each["subject"], each["note"]) for each in acts]
    assert said[-2:] == [
        ("Carl", "corrected", "party/ann", "name: Ann → Anna; asked"),
        ("Mara", "aliased", "party/ann", "also called 'Annie'"),
    ]
    assert len([each for each in said if each[0] in {"Carl", "Mara"}]) == 2


def test_a_blank_name_is_nobody_s(example: Tantieme, tmp_path: Path) -> None:
    file = write(tmp_path, "noun,alias,id", "party,Annie,ann")

    ran = example("catalogue", "alias", file, "--as", " ")

    assert (ran.code, "--as takes a name" in ran.err) == (2, True)
