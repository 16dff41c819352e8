from unittest.mock import patch

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import components
from royalty.money import Money
from royalty.period import Period
from tests.oracle import PPB


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (456_000_000, PPB, "45.6 %"),
        (1_000_000_000, PPB, "100.0 %"),
        (45_650_000, 100_000_000, "45.7 %"),
        (1, PPB, "< 0.1 %"),
        (0, PPB, "0.0 %"),
        (0, 0, "–"),  # noqa: RUF001
        (10**17 + 1, 10**18, "10.0 %"),
    ],
)
def test_a_percentage_is_exact_to_a_tenth_and_never_hides_a_small_part(
    part: int, whole: int, shown: str
) -> None:
    assert components.percent(part, whole) == shown


def test_a_period_reads_as_people_write_it() -> None:
    assert components.days(Period(2028, 2)) == "1–29 February 2028"  # noqa: RUF001


def test_only_a_name_that_two_have_carries_its_id() -> None:
    names = components.distinct({"a": "Bach", "b": "Bach", "c": "Haydn"})

    assert names == {"a": "Bach · a", "b": "Bach · b", "c": "Haydn"}


@pytest.mark.parametrize(
    ("duration_ms", "shown"), [(0, "0:00"), (34_999, "0:34"), (605_000, "10:05")]
)
def test_a_duration_reads_as_on_a_player(duration_ms: int, shown: str) -> None:
    assert components.clock(duration_ms) == shown


def test_markdown_in_a_title_stays_text() -> None:
    assert components.plain("*1999* [live]: $x") == r"\*1999\* \[live\]\: \$x"


def test_a_refusal_becomes_a_sentence_and_the_command_to_run() -> None:
    def refused() -> None:
        from dashboard import components
        from royalty.errors import NotReady

        with components.refusals():
            raise NotReady("nothing is here; run 'tantieme demo'")

    app = AppTest.from_function(refused).run()

    assert app.info[0].value == "Nothing is here; run `tantieme demo`."
    assert [code.value for code in app.code] == ["tantieme demo"]


def test_a_bug_of_ours_is_not_dressed_up_as_a_refusal() -> None:
    def broken() -> None:
        from dashboard import components

        with components.refusals():
            raise ZeroDivisionError

    app = AppTest.from_function(broken).run()

    assert app.exception


def test_a_choice_stands_in_the_address_as_an_id() -> None:
    app = AppTest.from_function(_picker).run()

    assert app.markdown[0].value == "a"

    app.selectbox[0].select("b").run()

    assert app.markdown[0].value == "b"
    assert app.query_params["artist"] == "b"


@pytest.mark.parametrize(("asked", "chosen"), [("b", "b"), ("nobody", "a"), ("", "a")])
def test_an_address_chooses_and_an_unknown_id_falls_back(asked: str, chosen: str) -> None:
    app = AppTest.from_function(_picker)
    app.query_params["artist"] = asked
    app.run()

    assert app.markdown[0].value == chosen


def _picker() -> None:
    import streamlit as st

    from dashboard import components

    st.markdown(components.choose("artist", "Artist", {"a": "Ann", "b": "Ben"}))


@pytest.mark.parametrize(
    ("ends_ms", "seconds", "said"),
    [
        ((0, 2000), (0, 2), "0:00 – 0:02"),  # noqa: RUF001
        ((61_900, 63_001), (61, 64), "1:01 – 1:04"),  # noqa: RUF001
        ((3000, 3000), (3, 4), "0:03 – 0:04"),  # noqa: RUF001
    ],
)
def test_a_stretch_is_widened_to_what_a_player_can_play(ends_ms, seconds, said) -> None:
    assert components.seconds(ends_ms) == seconds
    assert components.stretch(ends_ms) == said


def test_a_file_keeps_formulas_from_being_run() -> None:
    rows = pd.DataFrame({"name": ["=1+1", "Ann, Aalto"], "plays": [3, 4]})

    assert components.csv(rows) == b'name,plays\n\'=1+1,3\n"Ann, Aalto",4\n'


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (Money(1_000_000, "EUR"), "+€0.50 since September"),
        (Money(2_000_000, "EUR"), "-€0.50 since September"),
        (Money(1_000_000, "USD"), ""),
    ],
)
def test_an_amount_says_how_it_changed_in_its_own_currency(before: Money, said: str) -> None:
    assert components.since(Money(1_500_000, "EUR"), before, Period(2026, 9)) == said


@pytest.mark.parametrize(
    ("count", "page", "first", "said"),
    [
        (60, 1, 0, "1 to 25 of 60"),
        (60, 3, 50, "51 to 60 of 60"),
        (25, 1, 0, "1 to 25 of 25"),
        (60, 9, 50, "51 to 60 of 60"),  # fewer pages than there were before
    ],
)
def test_a_page_begins_where_the_one_before_it_ends(
    count: int, page: int, first: int, said: str
) -> None:
    with (
        patch("streamlit.pagination", return_value=page),
        patch("streamlit.caption") as caption,
    ):
        assert components.pager("tracks", count, 25) == first
    caption.assert_called_once_with(said)
