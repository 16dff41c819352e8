from dataclasses import replace
from unittest.mock import patch

from dashboard import reads
from db.queries import EVERYONE, ROWS_MAX, TracksPage, Viewer, Window
from tests.dashboard.conftest import CLOSED, HARBOUR, KILN, LANTERN, SILENT, OpenPage, texts

BEN = Viewer("ben", frozenset({"ben"}))


def links(app: object) -> list[str]:
    found = app.get("page_link")  # type: ignore[attr-defined]
    return [each.proto.query_string for each in found if "track=" in each.proto.query_string]


def test_the_months_tracks_are_ranked_by_what_they_earned_each_with_a_link(
    open_page: OpenPage, where: reads.Place
) -> None:
    payout = reads.payout(EVERYONE, where, CLOSED, "pro_rata")

    app = open_page("tracks")

    assert not app.exception
    assert app.title[0].value == "4"
    assert links(app) == [f"track={track.id}" for track in payout.tracks]
    assert payout.tracks[0].amount.rounded in texts(app)
    assert "45.0 %" in texts(app)  # of Track 01
    assert "not yet" in texts(app)  # of Track 04


def test_a_search_finds_by_title_and_says_so_where_nothing_is_found(open_page: OpenPage) -> None:
    assert links(open_page("tracks", search="track 03")) == [f"track={LANTERN}"]

    app = open_page("tracks", search="*nowhere*")
    assert not app.exception
    assert links(app) == []
    assert r"anything like “\*nowhere\*”" in texts(app)


def test_a_month_that_nothing_divides_shows_all_tracks(open_page: OpenPage) -> None:
    app = open_page("tracks", period="2026-11")

    assert not app.exception
    assert links(app) == [f"track={each}" for each in (HARBOUR, KILN, LANTERN, SILENT)]


def test_a_payee_sees_the_tracks_it_earned_by_and_its_own_part(
    open_page: OpenPage, where: reads.Place
) -> None:
    earned = reads.earnings(BEN, where, CLOSED, "pro_rata")
    own = reads.tracks_page(BEN, where, earned.id, Window()).rows
    with patch("dashboard.identity.viewer", return_value=BEN):
        app = open_page("tracks")

    assert links(app) == [f"track={row.id}" for row in own]
    assert {row.id for row in own} == {HARBOUR, KILN}
    assert sum(row.earned.micros for row in own if row.earned) == earned.attributed.micros
    assert "your own part" in texts(app)


def test_a_page_asks_for_its_own_rows_only(open_page: OpenPage, where: reads.Place) -> None:
    row = reads.tracks_page(EVERYONE, where, None, Window()).rows[0]
    asked: list[Window] = []

    def read(*given: object) -> TracksPage:
        asked.append(given[-1])  # type: ignore[arg-type]
        rows = [replace(row, id=f"t{n}") for n in range(asked[-1].limit)]
        return TracksPage(rows=tuple(rows), count=10**6)

    with patch("dashboard.reads.tracks_page", side_effect=read):
        app = open_page("tracks")

    assert not app.exception
    assert app.title[0].value == "1,000,000"
    assert len(links(app)) == 25
    assert max(window.limit for window in asked) <= 25 < ROWS_MAX
    assert "1 to 25 of 1,000,000" in texts(app)


def test_without_tracks_the_page_names_what_makes_them(open_page: OpenPage) -> None:
    with patch("dashboard.reads.tracks_page", return_value=TracksPage(rows=(), count=0)):
        app = open_page("tracks", period="2026-11")

    assert "tantieme generate -n 10" in [code.value for code in app.code]


def test_what_is_listed_can_be_taken_along(open_page: OpenPage) -> None:
    (button,) = open_page("tracks").get("download_button")

    assert button.proto.label == "Download tracks as CSV"
