from dataclasses import replace
from unittest.mock import patch

import pytest

from dashboard import reads
from db.queries import EVERYONE
from tests.dashboard.conftest import (
    CLOSED,
    HARBOUR,
    KILN,
    LANTERN,
    OPEN,
    SILENT,
    WHY,
    OpenPage,
    texts,
)


def test_recordings_are_ranked_by_share_each_with_its_interval_and_a_player(
    open_page: OpenPage,
) -> None:
    app = open_page("track", track=HARBOUR)
    said = texts(app)

    assert not app.exception
    assert app.title[0].value == "Track 01"
    assert said.index("1. Harbour") < said.index("2. Kiln")
    assert "**40.0 %**" in said
    assert "25.0 – 55.0 %, within one run" in said  # noqa: RUF001
    assert len(app.get("audio")) == 3  # the track and two recordings


def test_the_unattributed_part_stands_with_its_interval_and_reason(open_page: OpenPage) -> None:
    app = open_page("track", track=HARBOUR)

    assert "45.0 % unattributed" in [each.value for each in app.subheader]
    assert "30.0 – 60.0 %, within one run" in texts(app)  # noqa: RUF001
    assert WHY in texts(app)


def test_similarity_stands_apart_and_says_what_it_is_not(open_page: OpenPage) -> None:
    app = open_page("track", track=HARBOUR)

    assert "Similarity, not influence" in [each.value for each in app.subheader]
    assert "nobody is paid by this list" in texts(app)
    assert list(app.table[0].value["Overlap"]) == ["0.310"]


def test_provenance_names_run_seed_and_prompt(open_page: OpenPage) -> None:
    facts = open_page("track", track=HARBOUR).markdown[0].value

    assert "0:31" in facts
    assert "opening of ann-1" in facts
    assert ":gray[Seed] 0" in facts
    assert HARBOUR in facts


def test_how_it_was_found_names_method_mapping_and_provider(open_page: OpenPage) -> None:
    facts = open_page("track", track=HARBOUR).table[1].value

    assert "`trak`" in str(facts)
    assert "`gated-1`" in str(facts)
    assert "`tantieme`" in str(facts)


@pytest.mark.parametrize(("track", "said"), [(HARBOUR, True), (SILENT, False)])
def test_shares_that_the_month_was_not_paid_by_are_not_taken_for_those_it_was(
    open_page: OpenPage, where: reads.Place, track: str, said: bool
) -> None:
    line = "These are not the shares October 2026 was paid by."
    assert line not in texts(open_page("track", track=track))

    payout = replace(reads.payout(EVERYONE, where, CLOSED, "pro_rata"), provider="tantieme:i0")
    with patch("dashboard.reads.payout", return_value=payout):
        assert (line in texts(open_page("track", track=track))) is said
        assert line not in texts(open_page("track", track=track, period=str(OPEN)))


def test_markdown_in_a_title_is_shown_as_it_is_written(open_page: OpenPage) -> None:
    assert r"2. Low \*Tide\*" in texts(open_page("track", track=KILN))


def test_a_recording_without_sound_says_what_renders_it(open_page: OpenPage) -> None:
    app = open_page("track", track=LANTERN)

    assert not app.exception
    assert len(app.get("audio")) == 1
    assert "tantieme catalogue import" in texts(app)


def test_a_track_without_shares_names_the_command(open_page: OpenPage) -> None:
    app = open_page("track", track=SILENT)

    assert not app.exception
    assert any(code.value.endswith(f" attribute {SILENT}") for code in app.code)


def test_a_track_of_which_nothing_is_attributed_says_so(
    open_page: OpenPage, where: reads.Place
) -> None:
    detail = reads.track(EVERYONE, where, HARBOUR)
    with patch("dashboard.reads.track", return_value=replace(detail, shares=[])):
        app = open_page("track", track=HARBOUR)

    assert not app.exception
    assert "No work cleared the placebos" in texts(app)


def test_more_recordings_than_players_stand_in_a_table(
    open_page: OpenPage, where: reads.Place
) -> None:
    detail = reads.track(EVERYONE, where, HARBOUR)
    many = [replace(detail.shares[0], recording=f"r{number}") for number in range(11)]
    with patch("dashboard.reads.track", return_value=replace(detail, shares=many)):
        app = open_page("track", track=HARBOUR)

    assert len(app.get("audio")) == 1 + 8
    assert len(app.dataframe[0].value) == 11


@pytest.mark.parametrize("asked", ["t99999999", "../../etc"])
def test_an_unknown_track_in_the_address_falls_back_to_the_first(
    open_page: OpenPage, asked: str
) -> None:
    app = open_page("track", track=asked)

    assert not app.exception
    assert app.title[0].value == app.selectbox(key="track_picker").options[0]


def test_without_tracks_the_page_names_what_makes_them(open_page: OpenPage) -> None:
    with patch("dashboard.reads.tracks", return_value=[]):
        app = open_page("track")

    assert not app.exception
    assert "tantieme generate -n 10" in [code.value for code in app.code]
