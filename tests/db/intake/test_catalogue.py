# ruff: noqa: E501  one case a line reads best
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db import queries, schema
from db.engine import Books, reading
from db.intake.catalogue import AudioFacts, faults, read_catalogue, record
from db.intake.receipt import Receipt
from db.queries import EVERYONE
from royalty.errors import BadInput, Conflict
from tests.db import world

FILES = {
    "recordings.csv": world.RECORDINGS,
    "parties.csv": world.PARTIES,
    "interests.csv": world.INTERESTS,
    "terms.csv": world.TERMS,
}
DAY = date(2026, 10, 1)


def take(books: Books, folder: Path, *, placebo: bool = False, **changed: str) -> Receipt:
    """Import the catalogue with some files changed."""
    files = FILES | {f"{name}.csv": text for name, text in changed.items()}
    return record(books, read_catalogue(world.write(folder / "in", files)), {}, placebo=placebo)


def refused(books: Books, folder: Path, **changed: str) -> list[str]:
    with pytest.raises(BadInput) as fault:
        take(books, folder, **changed)
    prefix = f"{folder / 'in'}/"
    return [str(problem).removeprefix(prefix) for problem in fault.value.problems]


def test_a_folder_becomes_recordings_parties_interests_and_terms(
    books: Books, tmp_path: Path
) -> None:
    receipt = take(books, tmp_path)

    assert receipt.rows == {"recordings": 2, "parties": 3, "interests": 2, "terms": 1}
    first, second = queries.recordings(EVERYONE, books)
    assert (first.recording.isrc, first.recording.iswc) == ("DEA122600001", "T0345246801")
    assert (second.recording.work, second.artist_name) == ("r2", "Bob")
    assert second.recording.licensed_from == date(2026, 1, 1)
    assert [party.payee for party in queries.parties(EVERYONE, books)] == ["lab", "bob", "lab"]
    assert [interest.ppm for interest in queries.interests(EVERYONE, books, DAY)] == [
        10**6,
        800_000,
    ]
    assert [terms.royalty_rate_ppm for terms in queries.terms(EVERYONE, books, DAY)] == [900_000]


def test_interests_and_terms_need_no_files(books: Books, tmp_path: Path) -> None:
    files = {name: FILES[name] for name in ("recordings.csv", "parties.csv")}
    record(books, read_catalogue(world.write(tmp_path, files)), {})

    assert queries.interests(EVERYONE, books, DAY) == []


def test_a_folder_has_at_least_one_of_the_files(tmp_path: Path) -> None:
    [problem] = read_catalogue(tmp_path).problems

    files = "recordings.csv, parties.csv, interests.csv, terms.csv"
    assert str(problem) == f"{tmp_path}: has none of {files}"


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_folder_need_not_have_all_of_the_files(books: Books, tmp_path: Path, name: str) -> None:
    take(books, tmp_path)
    alone = world.write(tmp_path / "alone", {name: FILES[name]})

    assert record(books, read_catalogue(alone), {}).already


def test_what_was_heard_is_kept_and_may_be_rendered_anew(books: Books, tmp_path: Path) -> None:
    files = read_catalogue(world.write(tmp_path, FILES))
    heard = AudioFacts(content_sha256="a" * 64, duration_ms=1000)
    record(books, files, {"r1": heard})
    again = record(
        books,
        files,
        {"r1": AudioFacts(content_sha256="a" * 64, duration_ms=1001, audio_sha256="b")},
    )

    assert not again.already
    assert queries.recordings(EVERYONE, books)[0].audio_sha256 == "b"

    with pytest.raises(Conflict, match="recording r1 is in the books with another content_sha256"):
        record(books, files, {"r1": AudioFacts(content_sha256="c" * 64, duration_ms=1000)})


def test_every_fault_of_every_file_is_listed_and_nothing_is_imported(
    books: Books, tmp_path: Path
) -> None:
    problems = refused(
        books,
        tmp_path,
        recordings=world.RECORDINGS
        + "r1,,,nobody,,T-034.524.680-2,,2026-02-01,2026-01-01\nr 3,bad,Three,ann,,,,yesterday,\nr4\n",
        parties=world.PARTIES
        + "ann,Ann,artist,,,lab\ncy,Cy,,00052210041,1,ghost\ndi,Di,artist,,,ann\n",
        interests=world.INTERESTS
        + "recording,r1,master,bob,1,WW,,\nwork,w1,master,bob,5,,,\nwork,w9,publishing,eve,0,,,\n",
        terms=world.TERMS + "ann,1000001,-1,,,,eur,2026-01-01,\nghost,,,,,,,,\n",
    )

    assert problems == [
        "interests.csv, row 2, ppm: interests in recording r1 add up to 1000001 ppm",
        "interests.csv, row 4, ppm: interests in recording r1 add up to 1000001 ppm",
        "interests.csv, row 5, right: a work has a publishing right, not master",
        "interests.csv, row 6, party: there is no party 'eve'",
        "interests.csv, row 6, ppm: '0' is not a whole number from 1 to 1000000",
        "interests.csv, row 6, subject_id: there is no work 'w9'",
        "parties.csv, row 5: overlaps row 2: same id",
        "parties.csv, row 6, ipi: '00052210041' is not an IPI name number: its check digits are wrong",
        "parties.csv, row 6, isni: '1' is not an ISNI: 16 digits, the last a check",
        "parties.csv, row 6, kind: is empty",
        "parties.csv, row 6, payee: there is no party 'ghost'",
        "parties.csv, row 7, payee: 'ann' is paid through 'lab'; name the party that is paid",
        "recordings.csv, row 4, artist: there is no party 'nobody'",
        "recordings.csv, row 4, iswc: 'T-034.524.680-2' is not an ISWC: its check digit is wrong",
        "recordings.csv, row 4, licensed_to: 2026-01-01 is not after licensed_from, 2026-02-01",
        "recordings.csv, row 4, title: is empty",
        "recordings.csv, row 5, id: 'r 3' is not an id: up to 200 bytes without spaces, slashes or unseen characters",
        "recordings.csv, row 5, isrc: 'bad' is not an ISRC, such as DE-A12-26-00001",
        "recordings.csv, row 5, licensed_from: 'yesterday' is not a day, such as 2026-10-01",
        "recordings.csv, row 6: has 1 cells, the header 9",
        "terms.csv, row 3, advance: '-1' is negative",
        "terms.csv, row 3, currency: 'eur' is not a currency, such as EUR",
        "terms.csv, row 3, royalty_rate_ppm: '1000001' is not a whole number from 0 to 1000000",
        "terms.csv, row 4, party: there is no party 'ghost'",
    ]
    with reading(books) as connection:
        assert connection.scalar(select(func.count()).select_from(schema.party)) == 0


def test_faults_are_listed_before_any_recording_too(books: Books, tmp_path: Path) -> None:
    files = FILES | {"recordings.csv": world.RECORDINGS + "r3,bad,Three,nobody,,,,,\n"}

    found = faults(books, read_catalogue(world.write(tmp_path, files)))

    assert [(problem.row, problem.field) for problem in found] == [(4, "isrc"), (4, "artist")]
    assert faults(books, read_catalogue(world.write(tmp_path, FILES))) == []
    take(books, tmp_path)
    other = {"recordings.csv": world.RECORDINGS.replace("r1,", "p1,", 1)}
    placebos = read_catalogue(world.write(tmp_path, FILES | other))
    assert {problem.field for problem in faults(books, placebos, placebo=True)} == {"work"}


def test_a_row_that_is_there_twice_has_that_one_fault(books: Books, tmp_path: Path) -> None:
    row = "eve,900000,,,,,,,\n"

    assert refused(books, tmp_path, terms=world.TERMS.splitlines()[0] + "\n" + row + row) == [
        "terms.csv, row 2, party: there is no party 'eve'",
        "terms.csv, row 3: overlaps row 2: same party, territory and valid_from",
    ]


@pytest.mark.parametrize("territory", ["Germany", "de", "D1", "DEU"])
def test_a_territory_has_two_capital_letters(books: Books, tmp_path: Path, territory: str) -> None:
    interests = world.INTERESTS.replace("WW", territory)

    assert refused(books, tmp_path, interests=interests) == [
        f"interests.csv, row 3, territory: '{territory}' is not a territory, such as DE; WW is the world"
    ]


def test_a_folder_in_a_files_place_is_one_fault(tmp_path: Path) -> None:
    world.write(tmp_path, {"parties.csv": world.PARTIES})
    (tmp_path / "recordings.csv").mkdir()

    [problem] = read_catalogue(tmp_path).problems

    assert problem.message == "cannot be read: Is a directory"


def test_the_same_rows_again_change_nothing(books: Books, tmp_path: Path) -> None:
    first, again = take(books, tmp_path), take(books, tmp_path)

    assert (first.already, again.already) == (False, True)


def test_a_changed_interest_ends_the_old_one_in_recorded_time(books: Books, tmp_path: Path) -> None:
    take(books, tmp_path)
    take(books, tmp_path, interests=world.INTERESTS.replace("800000", "700000"))

    now = queries.interests(EVERYONE, books, DAY)
    assert {(each.subject_id, each.ppm) for each in now} == {("r1", 1_000_000), ("r2", 700_000)}
    with reading(books) as connection:
        rows = connection.execute(
            select(schema.interest).where(schema.interest.c.subject_id == "r2").order_by("id")
        ).all()
    assert [row.ppm for row in rows] == [800_000, 700_000]
    assert rows[0].recorded_to == rows[1].recorded_at
    assert rows[1].recorded_to is None


def test_an_interest_that_a_file_leaves_out_ends_and_other_subjects_stay(
    books: Books, tmp_path: Path
) -> None:
    take(books, tmp_path)
    one_left = world.INTERESTS.splitlines()[0] + "\nrecording,r2,master,ann,5,,,\n"
    take(books, tmp_path, interests=one_left)

    now = queries.interests(EVERYONE, books, DAY)
    assert {(each.subject_id, each.party) for each in now} == {("r1", "ann"), ("r2", "ann")}


def test_interests_and_terms_hold_from_their_first_day_to_before_their_last(
    books: Books, tmp_path: Path
) -> None:
    interests = world.INTERESTS.replace("bob,800000,WW,,", "bob,800000,WW,2026-10-01,2026-11-01")
    take(books, tmp_path, interests=interests)

    held = {
        day: len(queries.interests(EVERYONE, books, day))
        for day in (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1))
    }

    assert list(held.values()) == [1, 2, 2, 1]


def test_interests_that_follow_each_other_may_each_be_the_whole(
    books: Books, tmp_path: Path
) -> None:
    interests = world.INTERESTS.replace(
        "ann,1000000,,,", "ann,1000000,,,2026-06-01\nrecording,r1,master,bob,1000000,,2026-06-01,"
    )

    assert not take(books, tmp_path, interests=interests).already


def test_a_licence_may_be_renewed_and_nothing_else_of_a_recording_changed(
    books: Books, tmp_path: Path
) -> None:
    take(books, tmp_path)
    take(
        books, tmp_path, recordings=world.RECORDINGS.replace("2026-01-01,", "2026-01-01,2027-01-01")
    )

    assert queries.recordings(EVERYONE, books)[1].recording.licensed_to == date(2027, 1, 1)

    with pytest.raises(Conflict, match="recording r2 is in the books with another title"):
        take(books, tmp_path, recordings=world.RECORDINGS.replace("Paper Boats", "Boats"))
    with pytest.raises(Conflict, match="party lab is in the books with another name"):
        take(books, tmp_path, parties=world.PARTIES.replace("Lab,", "Laboratory,"))


def test_a_work_is_either_trained_on_or_held_back(books: Books, tmp_path: Path) -> None:
    take(books, tmp_path)
    other = world.RECORDINGS.replace("r1,DEA122600001", "p1,").replace("r2,", "p2,")
    header = world.INTERESTS.splitlines()[0]

    with pytest.raises(BadInput, match="work w1 is among those trained on already"):
        take(books, tmp_path, placebo=True, recordings=other, interests=header)


def test_two_spellings_of_one_works_iswc_are_a_fault(books: Books, tmp_path: Path) -> None:
    more = world.RECORDINGS + "r3,,Again,ann,w1,T-000.000.001-0,,,\n"

    assert refused(books, tmp_path, recordings=more) == [
        "recordings.csv, row 4, iswc: work w1 has ISWC T0345246801 in another row"
    ]


def test_a_dry_run_writes_nothing(books: Books, tmp_path: Path) -> None:
    files = read_catalogue(world.write(tmp_path, FILES))

    assert not record(books, files, {}, dry_run=True).already
    assert queries.recordings(EVERYONE, books) == []


def test_a_file_that_is_not_utf_8_is_one_fault(tmp_path: Path) -> None:
    world.write(tmp_path, FILES)
    (tmp_path / "parties.csv").write_bytes(b"id,name\n\xff,x\n")

    assert "is not CSV in UTF-8" in "".join(map(str, read_catalogue(tmp_path).problems))


def test_a_file_of_nothing_but_a_byte_order_mark_has_no_columns(tmp_path: Path) -> None:
    folder = world.write(tmp_path, FILES)
    (folder / "parties.csv").write_bytes(b"\xef\xbb\xbf")

    missing = [p for p in read_catalogue(folder).problems if p.source.endswith("parties.csv")]

    assert {problem.message for problem in missing} == {"the column is missing"}


@pytest.mark.parametrize("title", ["two\nlines", "nul\0", "\x1b[2J", "x" * 1001])
def test_a_title_is_one_line(books: Books, tmp_path: Path, title: str) -> None:
    row = f'r3,,"{title}",ann,,,,,\n'

    [problem] = refused(books, tmp_path, recordings=world.RECORDINGS + row)

    assert problem.startswith("recordings.csv, row 4, title: ")
    assert "is not one line of at most 1000 characters" in problem


def test_a_row_with_a_fault_is_not_held_against_others(books: Books, tmp_path: Path) -> None:
    odd = "recording,r1,mastr,ann,1000000,,,\nrecording,r1,master,cy,x,,,\n"

    assert refused(books, tmp_path, interests=world.INTERESTS + odd) == [
        "interests.csv, row 4, right: 'mastr' is none of master, publishing",
        "interests.csv, row 5, party: there is no party 'cy'",
        "interests.csv, row 5, ppm: 'x' is not a whole number from 1 to 1000000",
    ]


def test_an_interest_that_overlaps_another_is_said_to(books: Books, tmp_path: Path) -> None:
    more = "recording,r2,master,bob,5,WW,,\n"

    assert refused(books, tmp_path, interests=world.INTERESTS + more) == [
        "interests.csv, row 4: overlaps row 3: same subject, right, party, territory and valid_from"
    ]


def test_an_id_has_no_character_that_is_not_seen(books: Books, tmp_path: Path) -> None:
    parties = world.PARTIES + "ann\u200b,Ann,artist,,,\n"

    [problem] = refused(books, tmp_path, parties=parties)

    assert "row 5, id: 'ann\\u200b', with an unseen U+200B, is not an id" in problem


def test_semicolons_between_cells_are_one_fault(books: Books, tmp_path: Path) -> None:
    said = refused(books, tmp_path, parties=world.PARTIES.replace(",", ";"))

    assert [problem for problem in said if problem.startswith("parties.csv")] == [
        "parties.csv, row 1: columns are separated by semicolons; separate them by commas"
    ]
