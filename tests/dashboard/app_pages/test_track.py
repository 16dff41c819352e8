from dataclasses import replace
from unittest.mock import patch

import pytest

from dashboard import reads
from db.queries import EVERYONE, TracksPage, Viewer, Window
from tests.dashboard.app_pages.alts import alts
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
    assert list(app.table[1].value["Overlap"]) == ["0.310"]


def test_provenance_names_run_seed_and_prompt(open_page: OpenPage) -> None:
    facts = open_page("track", track=HARBOUR).markdown[0].value

    assert "0:31" in facts
    assert "opening of ann-1" in facts
    assert ":gray[Seed] 0" in facts
    assert HARBOUR in facts


def test_how_it_was_found_names_method_mapping_and_provider(open_page: OpenPage) -> None:
    facts = open_page("track", track=HARBOUR).table[0].value

    assert "`trak`" in str(facts)
    assert "`gated-1`" in str(facts)
    assert "`tantieme`" in str(facts)


@pytest.mark.parametrize(("track", "said"), [(HARBOUR, True), (SILENT, False)])
def test_shares_that_the_month_was_not_paid_by_are_not_taken_for_those_it_was(
    open_page: OpenPage, where: reads.Place, track: str, said: bool
) -> None:
    line = "These are not the shares October 2026 was paid by."
    assert line not in texts(open_page("track", track=track))

    earned = replace(reads.earnings(EVERYONE, where, CLOSED, "pro_rata"), provider="tantieme:i0")
    with patch("dashboard.reads.earnings", return_value=earned):
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


def test_the_picker_holds_so_many_tracks_and_the_one_that_the_address_names(
    open_page: OpenPage, where: reads.Place
) -> None:
    page = reads.tracks_page(EVERYONE, where, None, Window())
    few = TracksPage(rows=page.rows[:1], count=10**6)
    with patch("dashboard.reads.tracks_page", return_value=few):
        app = open_page("track", track=LANTERN)

    assert app.title[0].value == "Track 03"
    assert len(app.selectbox(key="track_picker").options) == 2
    assert "1 of 1,000,000 tracks are listed" in texts(app)


WORKS = [
    {
        "work": work,
        "recordings": {recording: mean},
        "items": 3,
        "mean": mean,
        "low": mean - 1,
        "high": mean + 1,
        "p": p,
        "cleared": cleared,
    }
    for work, recording, mean, p, cleared in (
        ("kiln", "ben-1", 9.0, 0.0001, True),
        ("paper-lantern", "cho-1", 1.0, 0.4, False),
        ("low-tide", "ann-2", 3.5, 0.04, False),
    )
]


def test_what_did_not_clear_stands_there_with_its_score_and_chance(open_page: OpenPage) -> None:
    found = {"track": HARBOUR, "works": WORKS}
    with patch("dashboard.reads.evidence", return_value=found):
        app = open_page("track", track=HARBOUR)
    (table,) = (each.value for each in app.dataframe if "Chance" in each.value)

    assert "2 of 3 works were examined and did not clear; 1 did" in texts(app)
    assert list(table["Work"]) == ["Low *Tide*", "Paper Lantern"]
    assert list(table["Score"]) == ["3.5", "1.0"]
    assert list(table["Interval"]) == ["2.5 to 4.5", "0.0 to 2.0"]
    assert list(table["Chance"]) == ["4.0 %", "40.0 %"]


def test_whoever_disagrees_is_given_the_command_and_nothing_is_written(
    open_page: OpenPage, where: reads.Place
) -> None:
    before = where.file("ledger.db").read_bytes()
    app = open_page("track", track=HARBOUR)
    app.text_input(key=f"why_{HARBOUR}").set_value("it's mine").run()

    said = f"""dispute {HARBOUR} --payee ann --reason 'it'"'"'s mine'"""
    assert "Is this wrong?" in [each.label for each in app.expander]
    assert any(code.value.endswith(said) for code in app.code)
    assert app.selectbox(key=f"contests_{HARBOUR}").options == ["Ann Aalto", "Ben Brandt"]
    assert not app.get("link_button")
    assert where.file("ledger.db").read_bytes() == before


def test_a_payee_contests_for_itself_and_can_write_to_whom_the_workspace_names(
    open_page: OpenPage,
) -> None:
    cho = Viewer("cho", frozenset({"cho"}))
    with (
        patch("dashboard.identity.viewer", return_value=cho),
        patch("dashboard.reads.contact", return_value="books@example.test"),
    ):
        app = open_page("track", track=HARBOUR)

    assert app.selectbox(key=f"contests_{HARBOUR}").options == ["cho"]
    assert any(f"dispute {HARBOUR} --payee cho " in code.value for code in app.code)
    (letter,) = app.get("link_button")
    assert letter.proto.url.startswith("mailto:books@example.test?subject=Dispute%20of%20track")
    assert "dispute%20t0000000a%20--payee%20cho" in letter.proto.url


def test_a_payee_is_shown_nothing_of_the_recordings_of_others(open_page: OpenPage) -> None:
    cho, found = Viewer("cho", frozenset({"cho"})), {"track": HARBOUR, "works": WORKS}
    with (
        patch("dashboard.identity.viewer", return_value=cho),
        patch("dashboard.reads.evidence", return_value=found),
    ):
        app = open_page("track", track=KILN)

    said = texts(app) + str([table.value.to_csv() for table in app.dataframe])
    assert not app.exception
    assert "No recording of yours is held to have shaped it." in said
    assert "1 of your 1 works were examined and did not clear" in said
    assert "Paper Lantern" in said
    assert "Brandt" not in said
    assert "Tide" not in said


def test_every_chart_says_what_it_shows(open_page: OpenPage) -> None:
    assert len(alts(open_page("track", track=KILN))) == 2


def test_without_tracks_the_page_names_what_makes_them(open_page: OpenPage) -> None:
    with patch("dashboard.reads.tracks_page", return_value=TracksPage(rows=(), count=0)):
        app = open_page("track")

    assert not app.exception
    assert "tantieme generate -n 10" in [code.value for code in app.code]
