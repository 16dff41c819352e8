import pytest

from db import queries
from db.books.tracks import record_tracks
from db.engine import Books
from db.queries import EVERYONE, Viewer, Window
from royalty.errors import NotFound
from royalty.money import Money
from tests.db import world

PAYOUT = "2026-10/pro_rata"
BOB = Viewer("bob", frozenset({"bob"}))
LAB = Viewer("lab", frozenset({"lab"}))
DAN = Viewer("dan", frozenset({"dan"}))


def euros(micros: int) -> Money:
    return Money(micros, "EUR")


def test_the_tracks_of_a_month_come_with_what_they_earned_the_most_first(computed: Books) -> None:
    page = queries.tracks_page(EVERYONE, computed, PAYOUT)

    assert [(row.id, row.earned, row.plays) for row in page.rows] == [
        ("t1", euros(9_500_000), 8),
        ("t2", euros(500_000), 2),
    ]
    assert [row.unattributed_ppb for row in page.rows] == [10**8, None]
    assert page.count == 2


@pytest.mark.parametrize(
    ("search", "found"), [("TRACK", ["t1"]), ("T2", ["t2"]), ("", ["t1", "t2"]), ("%", [])]
)
def test_a_search_looks_at_titles_and_ids_and_counts_what_it_finds(
    computed: Books, search: str, found: list[str]
) -> None:
    for payout in (PAYOUT, None):
        page = queries.tracks_page(EVERYONE, computed, payout, Window(search=search))

        assert [row.id for row in page.rows] == found
        assert page.count == len(found)


def test_a_window_takes_its_rows_only_and_counts_all(computed: Books) -> None:
    record_tracks(computed, [world.track(f"t{number}") for number in range(3, 9)])

    page = queries.tracks_page(EVERYONE, computed, None, Window(offset=2, limit=3))

    assert [row.id for row in page.rows] == ["t3", "t4", "t5"]
    assert page.count == 8


def test_a_payee_sees_the_tracks_it_earned_by_and_its_own_part_of_them(computed: Books) -> None:
    for viewer, micros in ((BOB, 2_000_000), (LAB, 4_500_000)):
        page = queries.tracks_page(viewer, computed, PAYOUT)

        assert [(row.id, row.earned) for row in page.rows] == [("t1", euros(micros))]
        assert page.count == 1
    assert [row.plays for row in queries.tracks_page(BOB, computed, PAYOUT).rows] == [None]
    assert queries.track(BOB, computed, "t1").row.plays is None
    assert queries.tracks_page(DAN, computed, PAYOUT).rows == ()
    assert queries.tracks_page(BOB, computed, PAYOUT, Window(search="nowhere")).count == 0


def test_no_page_has_more_than_ten_thousand_rows() -> None:
    with pytest.raises(ValueError, match="up to 10000 rows"):
        Window(limit=10_001)


def test_a_payout_that_is_none_is_refused(computed: Books) -> None:
    with pytest.raises(NotFound, match="no payout '2026-10/best'"):
        queries.tracks_page(EVERYONE, computed, "2026-10/best")
