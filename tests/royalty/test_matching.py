import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.matching import likeness, plain, readings

NAMES = st.text(st.sampled_from("abcé ÉB.,-()'1"), max_size=14)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Für Elise", "Für Elise", 100),
        ("Für Elise", "FUR ELISE", 99),
        ("Beethoven, Ludwig van", "Ludwig van Beethoven", 99),
        ("Don't Stop!", "Dont stop", 99),
        ("Simon & Garfunkel", "Simon and Garfunkel", 99),
        ("Łódź Ødegård", "lodz odegard", 99),
        ("Harbour Lights (Live in Kiel)", "Harbour Lights", 96),
        ("Harbour Lights [2011] feat. Bob", "Harbour Lights", 96),
        ("Ann feat. Bob - Harbour Lights", "Ann - Harbour Lights", 96),
        ("Ann - Harbour Lights", "Harbour Lights", 91),
        ("Bach, J. S.", "Johann Sebastian Bach", 90),
        ("Beethoven", "Ludwig van Beethoven", 80),
        ("Beethovn", "Beethoven", 94),
        ("J. S.", "Johann Sebastian", 31),
        ("Live", "Harbour Lights (Live)", 80),
        ("?!", "...", 0),
        ("", "", 100),
        ("", "a", 0),
    ],
)
def test_how_alike_names_are(one: str, other: str, alike: int) -> None:
    assert likeness(one, other) == alike


@given(NAMES, NAMES)
def test_it_does_not_matter_which_name_comes_first(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)


@given(NAMES, NAMES)
def test_only_the_same_letters_are_wholly_alike(one: str, other: str) -> None:
    assert likeness(one, one) == 100
    assert (likeness(one, other) == 100) == (one == other)
    assert 0 <= likeness(one, other) <= 100


@given(st.text(max_size=12))
def test_a_plain_name_is_plain_already(name: str) -> None:
    assert plain(plain(name)) == plain(name)


def test_words_of_any_script_are_words() -> None:
    assert plain("Чайковский, Пётр") == "петр чаиковскии"
    assert plain("坂本 龍一") == "坂本 龍一"


def test_a_name_is_read_whole_without_remarks_and_in_parts() -> None:
    assert readings("Ann feat. Bob - Harbour (Live)") == {
        "ann bob feat harbour live": 0,
        "ann harbour": 3,
        "ann": 8,
        "harbour": 8,
    }
