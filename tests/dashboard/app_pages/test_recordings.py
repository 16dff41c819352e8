from dataclasses import replace
from unittest.mock import patch

from dashboard import reads
from db.queries import EVERYONE, ROWS_MAX, RecordingsPage, Viewer, Window
from tests.dashboard.app_pages.alts import alts
from tests.dashboard.conftest import CLOSED, KILN, OpenPage, texts

BEN = Viewer("ben", frozenset({"ben"}))
PAYOUT = "2026-10/pro_rata"


def test_a_recording_shows_the_tracks_it_shaped_and_what_they_brought(
    open_page: OpenPage, where: reads.Place
) -> None:
    used = reads.used(EVERYONE, where, "ben-1", PAYOUT)

    app = open_page("recordings", recording="ben-1")
    links = [each.proto.query_string for each in app.get("page_link")]

    assert not app.exception
    assert app.title[0].value == (used.amount + used.other).rounded
    assert f"{used.amount.rounded} by 2 tracks that it shaped" in texts(app)
    assert [each for each in links if "track=" in each] == [
        f"track={track.track}" for track in used.tracks
    ]
    assert "**30.0 %**" in texts(app)  # of Track 02
    assert "18.0 – 42.0 %" in texts(app)  # noqa: RUF001
    assert len(app.get("audio")) == 1


def test_the_months_stand_in_a_chart_and_a_table(open_page: OpenPage) -> None:
    app = open_page("recordings", recording="ben-1")
    (table,) = (each.value for each in app.dataframe if "Month" in each.value)

    assert list(table["Month"]) == ["2026-10"]
    assert alts(app)[0].startswith("Kiln earned most in October 2026, €")
    assert [each.proto.label for each in app.get("download_button")] == [
        "Download months as CSV",
        "Download tracks as CSV",
    ]


def test_it_opens_on_the_recording_that_earned_most(
    open_page: OpenPage, where: reads.Place
) -> None:
    first = reads.payout(EVERYONE, where, CLOSED, "pro_rata").recordings[0]

    app = open_page("recordings")

    assert app.selectbox(key="recording_picker").value == first.id


def test_the_month_before_stands_beside_this_one(open_page: OpenPage, where: reads.Place) -> None:
    month = reads.standing(EVERYONE, where, CLOSED)
    rows = [month, replace(month, period=CLOSED.before(1))]
    used = reads.used(EVERYONE, where, "ben-1", PAYOUT)
    both = [replace(used, period=CLOSED.before(1)), used]
    with (
        patch("dashboard.reads.periods", return_value=rows),
        patch(
            "dashboard.reads.earnings",
            return_value=reads.earnings(EVERYONE, where, CLOSED, "pro_rata"),
        ),
        patch("dashboard.reads.used", side_effect=both),
    ):
        app = open_page("recordings", recording="ben-1")

    assert f"In September 2026 it was {(used.amount + used.other).rounded}." in texts(app)


def test_what_it_may_not_be_used_for_is_said_with_the_reason(open_page: OpenPage) -> None:
    standing = {"training": None, "output": "taken down from 2026-10-02: *asked*"}
    with patch("dashboard.reads.not_to_be_used", return_value=standing):
        said = texts(open_page("recordings", recording="ben-1"))

    assert "Training: allowed" in said
    assert r"Pay for output: not allowed] taken down from 2026-10-02\: \*asked\*" in said


def test_a_payee_finds_own_recordings_only_whatever_the_address_says(
    open_page: OpenPage, where: reads.Place
) -> None:
    ann = reads.used(EVERYONE, where, "ann-1", PAYOUT)
    with patch("dashboard.identity.viewer", return_value=BEN):
        app = open_page("recordings", recording="ann-1")

    assert not app.exception
    assert app.selectbox(key="recording_picker").options == ["Kiln, Ben Brandt"]
    assert ann.amount.rounded not in texts(app)
    assert "your part" in texts(app)
    assert "plays" not in texts(app)
    assert KILN in str([each.proto.query_string for each in app.get("page_link")])


def test_a_search_finds_by_artist(open_page: OpenPage) -> None:
    app = open_page("recordings")
    app.text_input(key="recording_search").set_value("CHO").run()

    assert app.selectbox(key="recording_picker").options == ["Paper Lantern, Cho Chen"]

    app.text_input(key="recording_search").set_value("nobody").run()
    assert not app.exception
    assert "anything like “nobody”" in texts(app)


def test_a_month_that_was_not_divided_names_the_command(open_page: OpenPage) -> None:
    with patch("dashboard.reads.periods", return_value=[]):
        app = open_page("recordings")

    assert not app.exception
    assert "tantieme demo" in [code.value for code in app.code]


def test_an_empty_catalogue_names_the_command(open_page: OpenPage) -> None:
    nothing = RecordingsPage(rows=(), count=0)
    with (
        patch("dashboard.reads.recordings_page", return_value=nothing),
        patch("dashboard.reads.earnings", side_effect=AssertionError),
        patch("dashboard.reads.periods", return_value=[]),
    ):
        app = open_page("recordings")

    assert [code.value for code in app.code] == ["tantieme catalogue import FOLDER"]


def test_no_read_hands_more_rows_to_the_page_than_it_may(
    open_page: OpenPage, where: reads.Place
) -> None:
    used = reads.used(EVERYONE, where, "ben-1", PAYOUT)
    many = tuple(replace(used.tracks[0], track=f"t{n}") for n in range(ROWS_MAX))
    asked: list[Window] = []
    page = reads.recordings_page(EVERYONE, where, Window())

    def read(*given: object) -> RecordingsPage:
        asked.append(given[-1])  # type: ignore[arg-type]
        return replace(page, count=10**5)

    with (
        patch("dashboard.reads.used", return_value=replace(used, tracks=many, count=10**6)),
        patch("dashboard.reads.recordings_page", side_effect=read),
    ):
        app = open_page("recordings", recording="ben-1")

    assert not app.exception
    assert max(len(each.value) for each in app.dataframe) == 1_000
    assert max(window.limit for window in asked) == 200
    assert "The first 4 of 100,000" in texts(app)
