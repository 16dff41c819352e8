from datetime import date

import pytest
from sqlalchemy import update

from db import queries, schema
from db.engine import Books, writing
from db.queries import EVERYONE, Viewer, Window
from royalty.errors import NotFound
from royalty.money import Money
from tests.db.world import OCTOBER

PAYOUT = "2026-10/pro_rata"
BOB = Viewer("bob", frozenset({"bob"}))
LAB = Viewer("lab", frozenset({"lab"}))
DAN = Viewer("dan", frozenset({"dan"}))


def euros(micros: int) -> Money:
    return Money(micros, "EUR")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("harbour", ["r1"]),
        ("ANN", ["r1"]),
        ("dea1226", ["r1"]),
        ("boats", ["r2"]),
        ("", ["r1", "r2"]),
    ],
)
def test_recordings_are_found_by_title_artist_and_isrc(
    catalogued: Books, search: str, found: list[str]
) -> None:
    page = queries.recordings_page(EVERYONE, catalogued, Window(search=search))

    assert [row.recording.id for row in page.rows] == found
    assert page.count == len(found)


def test_a_window_of_recordings_counts_all(catalogued: Books) -> None:
    page = queries.recordings_page(EVERYONE, catalogued, Window(offset=1, limit=1))

    assert [row.recording.id for row in page.rows] == ["r2"]
    assert page.count == 2


@pytest.mark.parametrize(("viewer", "mine"), [(BOB, ["r2"]), (LAB, ["r1"]), (DAN, [])])
def test_a_viewer_sees_the_recordings_in_which_its_parties_have_an_interest(
    computed: Books, viewer: Viewer, mine: list[str]
) -> None:
    rows = queries.recordings_page(viewer, computed).rows

    assert [row.recording.id for row in rows] == mine
    for other in {"r1", "r2"} - set(mine):
        with pytest.raises(NotFound, match=f"no recording '{other}' that {viewer.name} may see"):
            queries.used(viewer, computed, other, PAYOUT)
        with pytest.raises(NotFound):
            queries.not_to_be_used(viewer, computed, other, OCTOBER.start)


def test_an_interest_in_the_work_is_one_in_the_recording(computed: Books) -> None:
    assert queries.recordings_page(DAN, computed).count == 0

    with writing(computed) as connection:
        theirs = schema.interest.c.party == "ann"
        connection.execute(
            update(schema.interest).where(theirs).values(recorded_to="2026-10-01T00:00:00Z")
        )
        connection.execute(
            schema.interest.insert(),
            {
                "subject": "work",
                "subject_id": "w1",
                "right": "publishing",
                "party": "bob",
                "ppm": 10**6,
                "territory": "WW",
                "recorded_at": "2026-10-01T00:00:00Z",
            },
        )

    assert [row.recording.id for row in queries.recordings_page(BOB, computed).rows] == ["r1", "r2"]
    assert queries.recordings_page(LAB, computed).count == 0


def test_a_month_says_which_tracks_a_recording_shaped_and_what_came_of_it(
    computed: Books,
) -> None:
    used = queries.used(EVERYONE, computed, "r2", PAYOUT)

    (track,) = used.tracks
    assert (track.track, track.title, track.plays) == ("t1", "Track t1", 8)
    assert (track.share_ppb, track.low_ppb, track.high_ppb) == (3 * 10**8, 2 * 10**8, 4 * 10**8)
    assert track.amount == used.amount == euros(2_000_000)
    assert (used.low, used.high) == (euros(1_000_000), euros(3_000_000))
    assert used.other == euros(1_000_000)
    assert (used.plays, used.count, used.period, used.rule) == (8, 1, OCTOBER, "pro_rata")


def test_plays_are_counted_once_however_many_share_the_money(computed: Books) -> None:
    assert queries.used(EVERYONE, computed, "r1", PAYOUT).plays == 8  # lab and the platform


def test_a_viewer_who_holds_a_part_sees_own_money_only(computed: Books) -> None:
    shared = Viewer("ann", frozenset({"ann"}))  # holds r1, and Lab is paid for it

    used = queries.used(shared, computed, "r1", PAYOUT)

    assert used.amount == used.other == euros(0)
    assert used.plays is None
    assert used.tracks[0].plays is None
    assert [(track.track, track.amount) for track in used.tracks] == [("t1", euros(0))]


def test_an_unknown_payout_is_refused(computed: Books) -> None:
    with pytest.raises(NotFound, match="no payout '2026-09/pro_rata'"):
        queries.used(EVERYONE, computed, "r1", "2026-09/pro_rata")


def test_it_is_said_what_a_recording_may_not_be_used_for(computed: Books) -> None:
    before, during = (
        queries.not_to_be_used(EVERYONE, computed, "r2", day)
        for day in (date(2025, 12, 31), date(2026, 10, 1))
    )

    assert before["output"] == before["training"] == "its licence begins on 2026-01-01"
    assert during == {"training": None, "output": None}


def test_payees_of_recordings_are_those_who_are_paid(computed: Books) -> None:
    assert queries.payees_of(EVERYONE, computed, ["r1", "r2"]) == {"bob": "Bob", "lab": "Lab"}
    assert queries.payees_of(EVERYONE, computed, ["r1"]) == {"lab": "Lab"}
    assert queries.payees_of(BOB, computed, ["r1", "r2"]) == {"bob": "Bob"}
