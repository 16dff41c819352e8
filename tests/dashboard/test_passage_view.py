import json
from dataclasses import replace
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import passage_view, passages, reads
from tests.dashboard.conftest import HARBOUR, KILN, OpenPage, texts


def spans(app: AppTest) -> list[tuple[int, int]]:
    """What each player plays; (0, 0) plays all of it."""
    return [(each.proto.start_time, each.proto.end_time) for each in app.get("audio")]


def picture(app: AppTest) -> dict:
    """The heat picture, the last chart of the page."""
    return json.loads(app.get("vega_lite_chart")[-1].proto.spec)


def test_the_strongest_cell_plays_on_both_sides_before_any_click(open_page: OpenPage) -> None:
    app = open_page("track", track=KILN)

    assert not app.exception
    assert "Which passage came from where" in [each.value for each in app.header]
    assert spans(app)[1:3] == [(2, 4), (1, 4)]
    assert "**0:02 – 0:04** of this track :gray[:small[score 9.5]]" in texts(app)  # noqa: RUF001


def test_the_strongest_passages_each_have_a_pair_of_players(open_page: OpenPage) -> None:
    app = open_page("track", track=KILN)

    assert "Strongest passages" in [each.value for each in app.subheader]
    assert spans(app)[3:7] == [(2, 4), (1, 4), (0, 2), (0, 3)]
    assert r"of Low \*Tide\* :gray[Ann Aalto]" in texts(app)


def test_the_picture_says_how_to_read_it_and_that_nobody_is_paid_by_it(
    open_page: OpenPage,
) -> None:
    app = open_page("track", track=KILN)
    chart = picture(app)

    assert chart["params"][0]["name"] == "cell"
    assert chart["encoding"]["color"]["scale"]["domain"] == [-9.5, 0, 9.5]
    assert "carries no interval, and no money follows from it" in texts(app)


def test_another_recording_can_be_looked_at(open_page: OpenPage) -> None:
    app = open_page("track", track=KILN)

    app.selectbox(key=f"passages_{KILN}").set_value("ann-2").run()

    assert not app.exception
    assert spans(app)[1:3] == [(0, 2), (0, 3)]
    assert picture(app)["encoding"]["color"]["scale"]["domain"] == [-9.5, 0, 9.5]


@pytest.mark.parametrize(
    ("clicked", "heard"),
    [
        ([{"window": 1, "item": 0}], (1, 0)),
        ([], None),
        ([{"window": 7, "item": 0}], None),
        ([{"window": "x"}], None),
    ],
)
def test_a_click_picks_a_cell_that_there_is(where, clicked, heard) -> None:
    found = passages.read(where, KILN)
    cells = passage_view.cells_of(found, found.sources["ben-1"])

    assert passage_view.picked({"selection": {"cell": clicked}}, cells) == heard
    assert passage_view.picked({}, cells) is None


def test_without_passages_the_section_names_the_command(open_page: OpenPage) -> None:
    app = open_page("track", track=HARBOUR)

    assert not app.exception
    assert f"tantieme attribute {HARBOUR}" in [code.value for code in app.code]
    assert len(app.get("audio")) == 3


def test_damaged_passages_leave_the_rest_of_the_page(open_page: OpenPage) -> None:
    with patch("dashboard.passages._parsed", side_effect=ValueError("damaged")):
        app = open_page("track", track=KILN)

    assert not app.exception
    assert "leaves the shares as they are" in texts(app)
    assert "Listen to them" in [each.value for each in app.header]


def test_more_cells_than_a_browser_bears_are_not_drawn(
    open_page: OpenPage, where: reads.Place
) -> None:
    found = passages.read(where, KILN)
    many = tuple((second, second + 1) for second in range(5001))
    ben = replace(found.sources["ben-1"], scores=((1.0, 2.0),) * 5001)
    huge = replace(found, windows=many, sources={"ben-1": ben})
    with patch("dashboard.passages.read", return_value=huge):
        app = open_page("track", track=KILN)

    assert not app.exception
    assert "10,002 passages are too many to draw" in texts(app)
    assert len(app.get("vega_lite_chart")) == 1  # the shares


def test_a_recording_without_sound_says_what_renders_it(
    open_page: OpenPage, where: reads.Place
) -> None:
    found = passages.read(where, KILN)
    silent = {id_: replace(each, audio_sha256=None) for id_, each in found.sources.items()}
    with patch(
        "dashboard.passages.read", return_value=replace(found, sources=silent, strongest=())
    ):
        app = open_page("track", track=KILN)

    assert not app.exception
    assert spans(app)[1:] == [(2, 4), (0, 0), (0, 0)]
    assert "tantieme catalogue import" in texts(app)
