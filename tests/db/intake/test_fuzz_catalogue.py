# ruff: noqa: E501  one row a word reads best
"""A catalogue's folder: whatever one of its files holds, all of it comes in or nothing does."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as Settings  # noqa: N812  a class
from hypothesis import strategies as st

from db.intake import catalogue
from db.intake.receipt import Receipt
from royalty.errors import BadInput
from tests.db import world
from tests.db.intake import mutations
from tests.db.intake.fuzzing import Bench, few
from tests.db.intake.mutations import Made

SOUND = {
    "recordings.csv": (
        "id,isrc,title,artist,work,iswc,file,licensed_from,licensed_to",
        (
            "q1,DEA122600009,Lights,ann,w1,T-034.524.680-1,,, q2,,Boats,bob,,,,2026-01-01,"
            " q3,,=Three,cy,w3,,a/b.mid,2026-01-01,2027-01-01"
        ),
    ),
    "parties.csv": (
        "id,name,kind,ipi,isni,payee",
        "ann,Ann,artist,00052210040,,lab bob,Bob,artist,,, lab,Lab,label,,, cy,Cy,artist,,0000000121032683,",
    ),
    "interests.csv": (
        "subject,subject_id,right,party,ppm,territory,valid_from,valid_to",
        (
            "recording,q1,master,ann,1000000,,, recording,q2,master,bob,800000,WW,,"
            " work,w3,publishing,cy,500000,DE,2026-01-01,2026-06-01"
        ),
    ),
    "terms.csv": (
        "party,royalty_rate_ppm,advance,reserve_ppm,minimum_payment,withholding_ppm,currency,valid_from,valid_to,territory,recoupment,reserve_months,jurisdiction,most_favoured",
        (
            "ann,900000,,,,,,,,,,,,"
            " cy,,100.50,1000,25,150000,EUR,2026-01-01,2026-06-01,,deal-1,6,US,true"
            " cy,800000,,,,,EUR,2026-03-01,,DE,,,,false"
        ),
    ),
}
FOLDERS = st.one_of(
    *(
        st.tuples(st.just(name), mutations.files(header, rows, whole=True))
        for name, (header, rows) in SOUND.items()
    )
)


def holds(bench: Bench, name: str, made: Made, *, accepted: bool = False) -> None:
    for other, (header, rows) in SOUND.items():
        text = "\n".join([header, *rows.split(" "), ""])
        (bench.inbox / other).write_text(text, encoding="utf-8")
    (bench.inbox / name).write_bytes(made.content)
    outcome = bench.accepts(
        lambda folder: catalogue.record(bench.books, catalogue.read_catalogue(folder), {}),
        bench.inbox,
    )
    assert isinstance(outcome, Receipt) or not accepted
    if isinstance(outcome, Receipt):
        assert made.suffix == ".csv"
        bench.put_back()


def test_the_folder_is_sound(bench: Bench) -> None:
    content = "\n".join([SOUND["terms.csv"][0], *SOUND["terms.csv"][1].split(" "), ""])

    holds(bench, "terms.csv", Made(content=content.encode()), accepted=True)


@pytest.mark.parametrize(
    "size", [few, pytest.param(Settings(few, max_examples=20_000), marks=pytest.mark.full)]
)
def test_a_catalogue_comes_in_whole_or_not_at_all(bench: Bench, size: Settings) -> None:
    size(given(FOLDERS)(lambda drawn: holds(bench, *drawn)))()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b.mid", "C:\\x.mid", "a\0b", "x" * 300]
)
def test_a_file_named_outside_its_folder_is_a_fault(bench: Bench, name: str) -> None:
    recordings = world.RECORDINGS + f"r3,,Three,ann,,,{name},,\n"
    files = {"recordings.csv": recordings, "parties.csv": world.PARTIES}
    folder = world.write(bench.inbox, files | {"interests.csv": world.INTERESTS})

    problems = catalogue.read_catalogue(folder).problems

    assert [(Path(p.source).name, p.row, p.field) for p in problems] == [
        ("recordings.csv", 4, "file")
    ]
    with pytest.raises(BadInput):
        catalogue.record(bench.books, catalogue.read_catalogue(folder), {})
