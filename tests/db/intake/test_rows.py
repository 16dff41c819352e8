import pytest

from db.intake.rows import read_text


@pytest.mark.parametrize("name", ["Zoë", "اسم", "שם", "名前", "می‌خواهم"])
def test_names_of_every_script_are_read_as_they_are(name: str) -> None:
    assert read_text(name) == name


@pytest.mark.parametrize("name", ["two\nlines", "be\x07ll", "paid to \u202enna", "\u2067x\u2069"])
def test_a_name_steers_no_terminal_and_turns_no_text_round(name: str) -> None:
    with pytest.raises(ValueError, match="without control characters"):
        read_text(name)
