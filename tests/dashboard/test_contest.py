import shlex
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard import considered, contest


@pytest.mark.parametrize("reason", ["mine", "it's mine; rm -rf /", "$(whoami)", "two\nlines"])
def test_what_is_typed_is_one_word_of_the_command(reason: str) -> None:
    words = shlex.split(contest.command("t1", "ann", reason))

    assert words == ["dispute", "t1", "--payee", "ann", "--reason", reason]


def test_a_letter_carries_the_command_whole() -> None:
    line = contest.command("t1", "ann", "50 % & more?")

    letter = urlsplit(contest.mailto("books@example.test", "t1", line))

    assert (letter.scheme, letter.path) == ("mailto", "books@example.test")
    assert f"tantieme {line}" in parse_qs(letter.query)["body"][0]
    assert parse_qs(letter.query)["subject"] == ["Dispute of track t1"]


def test_works_that_did_not_clear_come_closest_first() -> None:
    works = [
        {"work": name, "cleared": cleared, "p": p, "mean": 1.0}
        for name, cleared, p in (("a", False, 0.5), ("b", True, 0.001), ("c", False, 0.02))
    ]

    assert [each["work"] for each in considered.not_cleared({"works": works})] == ["c", "a"]
    assert considered.not_cleared({}) == []
