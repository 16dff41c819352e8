"""Rights as the books have them on a day, and what allocation makes of them."""

from datetime import date
from pathlib import Path

import ibis
import pytest

from db import queries
from db.books.withdrawals import withdraw
from db.engine import Books
from db.intake import catalogue
from db.queries import EVERYONE
from royalty.catalogue import PPM, Withdrawal
from royalty.rights import holdings
from tests.db import world
from tests.db.intake.test_agreements import HEADER

FIRST, LATER = date(2026, 10, 1), date(2026, 11, 1)
FILES = {
    "recordings.csv": world.RECORDINGS,
    "parties.csv": world.PARTIES,
    "interests.csv": world.INTERESTS,
    "terms.csv": world.TERMS,
}


def take(books: Books, folder: Path, **changed: str) -> Books:
    files = FILES | {f"{name}.csv": text for name, text in changed.items()}
    catalogue.record(books, catalogue.read_catalogue(world.write(folder / "in", files)), {})
    return books


def licences(books: Books, day: date) -> dict[str, str | None]:
    rows = queries.rights(EVERYONE, books, day).recordings.to_pylist()
    assert all(row["licensed"] == (row["why"] is None) for row in rows)
    return {row["recording"]: row["why"] for row in rows}


def paid(books: Books, publishing_ppm: int, territory: str = "WW") -> dict[str, int]:
    """Divide a million micros that one recording brings, by what is claimed of it."""
    rights = queries.rights(EVERYONE, books, FIRST)
    held = holdings(rights, publishing_ppm, ibis.duckdb.connect().to_pyarrow)
    ends = {row["end"]: row["payee"] for row in held.ends.to_pylist()}
    sums: dict[str, int] = {}
    for claim in held.claims.to_pylist():
        if claim["territory"] == territory:
            to = ends[claim["end"]] or ("unclaimed" if claim["party"] == "" else "platform")
            sums[to] = sums.get(to, 0) + claim["weight"] // PPM**2
    return sums


def test_a_recording_is_licensed_on_the_days_of_its_licence_and_the_reason_is_said(
    books: Books, tmp_path: Path
) -> None:
    bounded = world.RECORDINGS.replace("2026-01-01,\n", "2026-01-01,2026-11-01\n")
    take(books, tmp_path, recordings=bounded)

    assert licences(books, date(2025, 12, 31)) == {
        "r1": None,
        "r2": "its licence begins on 2026-01-01",
    }
    assert licences(books, FIRST) == {"r1": None, "r2": None}
    assert licences(books, LATER) == {"r1": None, "r2": "its licence ended on 2026-10-31"}


@pytest.mark.parametrize(
    ("use", "why"),
    [("output", "opted out of output from 2026-10-01: by choice"), ("training", None)],
)
def test_only_an_output_withdrawal_that_holds_keeps_from_being_paid(
    books: Books, tmp_path: Path, use: str, why: str | None
) -> None:
    facts = {"recording": "r2", "kind": "opt_out", "reason": "by choice", "valid_from": FIRST}
    withdraw(take(books, tmp_path), [Withdrawal(use=use, **facts)], name="ada")

    assert licences(books, date(2026, 9, 30)) == {"r1": None, "r2": None}
    assert licences(books, FIRST) == {"r1": None, "r2": why}
    assert queries.kept_back(EVERYONE, books, use, FIRST) == {
        "r2": f"opted out of {use} from 2026-10-01: by choice"
    }


def test_rates_stand_by_territory_and_the_most_favoured_is_lifted(
    books: Books, tmp_path: Path
) -> None:
    terms = (
        HEADER + "ann,600000,,,,,,,,,,,,true\nbob,700000,,,,,,,,,,,,\nbob,800000,,,,,,,,DE,,,,\n"
    )
    take(books, tmp_path, terms=terms)

    rates = queries.rights(EVERYONE, books, FIRST).rates.to_pylist()

    assert [tuple(row.values()) for row in rates] == [
        ("ann", "DE", 800_000),
        ("ann", "WW", 700_000),
        ("bob", "DE", 800_000),
        ("bob", "WW", 700_000),
    ]


def test_interests_hold_from_day_to_day_and_as_they_are_recorded(
    books: Books, tmp_path: Path
) -> None:
    dated = world.INTERESTS.splitlines()[0] + (
        "\nrecording,r1,master,ann,1000000,,,2026-11-01"
        "\nrecording,r1,master,bob,600000,,2026-11-01,\n"
    )

    def held(day: date) -> list[tuple[str, int]]:
        rows = queries.rights(EVERYONE, books, day).interests.to_pylist()
        return [(row["party"], row["ppm"]) for row in rows if row["subject"] == "r1"]

    take(books, tmp_path, interests=dated)
    assert (held(FIRST), held(LATER)) == ([("ann", 1_000_000)], [("bob", 600_000)])

    take(books, tmp_path, interests=dated.replace("bob,600000", "bob,700000"))
    assert (held(FIRST), held(LATER)) == ([("ann", 1_000_000)], [("bob", 700_000)])


def test_master_and_publishing_are_divided_apart_down_to_an_administrators_part(
    books: Books, tmp_path: Path
) -> None:
    """Oracle K: 1000 is 500 and 500; of the writer's 250 the administrator has 15 %."""
    names = ("label", "artist", "w1", "admin", "w2")
    parties = "id,name,kind,ipi,isni,payee\n" + "".join(f"{name},{name},x,,,\n" for name in names)
    interests = world.INTERESTS.splitlines()[0] + (
        "\nrecording,r,master,label,800000,,,\nrecording,r,master,artist,200000,,,\n"
        "work,w,publishing,w1,425000,,,\nwork,w,publishing,admin,75000,,,\n"
        "work,w,publishing,w2,500000,,,\n"
    )
    recordings = world.RECORDINGS.splitlines()[0] + "\nr,,Song,artist,w,,,,\n"
    take(books, tmp_path, recordings=recordings, parties=parties, interests=interests, terms=HEADER)

    assert paid(books, publishing_ppm=500_000) == {
        "label": 400_000,
        "artist": 100_000,
        "w1": 212_500,
        "admin": 37_500,
        "w2": 250_000,
    }


def test_what_nobody_holds_of_a_right_is_unclaimed(books: Books, tmp_path: Path) -> None:
    recordings = world.RECORDINGS.splitlines()[0] + "\nr2,,Paper Boats,bob,,,,,\n"
    take(books, tmp_path, recordings=recordings, interests=_only_r2(), terms=HEADER)

    assert paid(books, publishing_ppm=250_000) == {
        "bob": 600_000,  # 80 % of the three quarters that are master
        "unclaimed": 150_000 + 250_000,  # the rest of it, and all of publishing
    }


def _only_r2() -> str:
    header, _, row = world.INTERESTS.splitlines()
    return f"{header}\n{row}\n"
