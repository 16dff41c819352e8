import pytest

from dashboard import wording
from royalty.rules import PROPERTIES, RULES

BLEND = "pro_rata:0.333333+user_centric:0.666667"


def test_every_rule_has_a_sentence_and_every_property_a_meaning() -> None:
    assert list(wording.SENTENCES) == list(RULES)
    assert list(wording.MEANINGS) == list(PROPERTIES)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("scaled_user_centric", "Scaled user centric"),
        ("pro_rata:0.6+user_centric:0.4", "Pro rata 60 % + user centric 40 %"),
        (BLEND, "Pro rata 33.3333 % + user centric 66.6667 %"),
    ],
)
def test_a_rule_or_blend_reads_as_a_heading(rule: str, name: str) -> None:
    assert wording.rule_name(rule) == name


def test_a_blend_says_of_which_rules_it_is() -> None:
    three = "hybrid:0.2+pro_rata:0.3+user_equal:0.5"

    assert wording.sentence(three) == (
        "Of every pool, 20 % by hybrid, 30 % by pro rata and 50 % by user equal."
    )


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_what_it_says_and_lacks_the_rest(rule: str) -> None:
    has, lacks = wording.properties(rule)

    assert set(has) == RULES[rule].has
    assert sorted([*has, *lacks]) == sorted(PROPERTIES)


def test_a_blend_has_what_all_of_its_rules_have() -> None:
    has, _ = wording.properties(BLEND)

    assert set(has) == RULES["pro_rata"].has & RULES["user_centric"].has
