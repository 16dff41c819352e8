"""Which fairness properties each rule has, and a world for each that it lacks."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from royalty.rules import PROPERTIES, RULES
from tests import oracle
from tests.oracle import PPM
from tests.royalty.rules.counterexamples import COUNTER_EXAMPLES
from tests.royalty.rules.dividing import divided_all
from tests.royalty.rules.drawn import CHANGES, TRACKS
from tests.royalty.rules.properties import BREACHES, breach

# Amounts of each payee are rounded to the micro in two or three worlds.
ROUNDING_MICROS = 3 * len(TRACKS)
CLEARLY_MICROS = PPM // 100

# Many worlds in a run, few runs, of which the first is trivial. A change is small as it is.
a_few_lists = settings(max_examples=3, phases=[Phase.generate])

# Worlds have few listeners: so that some artists are boosted, and others are not.
BOOSTED = {"artist_plays": 100, "artist_listeners": 2}
HAD = [(name, rule, {}) for name in PROPERTIES for rule in RULES if name in RULES[rule].has]
HAD += [
    (name, "artist_centric", BOOSTED) for name in PROPERTIES if name in RULES["artist_centric"].has
]
LACKED = [(name, rule) for name in PROPERTIES for rule in RULES if name in RULES[rule].lacks]


@pytest.mark.parametrize(("name", "rule", "options"), HAD)
def test_a_rule_has_the_property_that_it_states(
    name: str, rule: str, options: dict[str, int]
) -> None:
    booked = RULES[rule].divides == "bookings"

    @a_few_lists
    @given(st.lists(CHANGES[name](booked=booked), min_size=8, max_size=20))
    def holds(changes) -> None:
        worlds = [world for change in changes for world in change.worlds]
        amounts = divided_all(rule, worlds, **options)
        for place, change in enumerate(changes):
            here = amounts[3 * place : 3 * place + 3]
            assert breach(name, change, here) <= ROUNDING_MICROS, (change, here)

    holds()


@pytest.mark.parametrize(("name", "rule"), LACKED)
def test_a_rule_lacks_every_other_property(name: str, rule: str) -> None:
    change, rules = COUNTER_EXAMPLES[name]

    amounts = divided_all(rule, change.worlds)

    assert rule in rules
    assert breach(name, change, amounts) > CLEARLY_MICROS
    assert breach(name, change, [oracle.exact(rule, world) for world in change.worlds]) > 0


def test_every_property_is_tried_on_every_rule() -> None:
    assert tuple(CHANGES) == tuple(BREACHES) == PROPERTIES
    assert {(name, rule) for name, (_, rules) in COUNTER_EXAMPLES.items() for rule in rules} == set(
        LACKED
    )
