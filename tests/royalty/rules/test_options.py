"""What the rules' options do, and which of them are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import get_type_hints

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from royalty.rules import RULES
from royalty.rules.arithmetic import PLAYS_MAX
from tests import oracle
from tests.oracle import EQUALLY, PPB, PPM, World
from tests.royalty.rules.changed import louder, tracks_named
from tests.royalty.rules.counterexamples import T1
from tests.royalty.rules.dividing import divided, divided_all
from tests.royalty.rules.drawn import worlds
from tests.royalty.rules.properties import Change, breach

a_list = settings(max_examples=2, phases=[Phase.generate])
some_worlds = st.lists(worlds(booked=False), min_size=8, max_size=20)
PLAIN = {"artist_boost": 1, "active_boost": 1}


@pytest.mark.parametrize(
    ("rule", "settings", "fault"),
    [
        ("pro_rata", {"minimum": 5}, "no option 'minimum'.*minimum_plays, minimum_listeners"),
        ("user_equal", {"minimum_plays": 5}, "has no option 'minimum_plays'; it has none"),
        (
            "pro_rata",
            {"minimum_plays": -1},
            "minimum_plays must be a whole number from 0 to 3000000",
        ),
        ("pro_rata", {"minimum_plays": 1.5}, "minimum_plays must be a whole number .*, not 1.5"),
        ("pro_rata", {"minimum_plays": True}, "minimum_plays must be a whole number .*, not True"),
        ("artist_centric", {"how": "clip"}, "how must be one of cap, normalise"),
        ("artist_centric", {"order": None}, "order must be one of cap_first, boost_first"),
        ("artist_centric", {"listener_plays": 0}, "whole number from 1 to 100000, not 0"),
        ("artist_centric", {"artist_boost": 4}, "whole number from 1 to 3, not 4"),
        ("artist_centric", {"active_boost": 0}, "whole number from 1 to 4, not 0"),
        ("hybrid", {"informativeness_ppm": PPM + 1}, "whole number from 0 to 1000000, not 1000001"),
        ("hybrid", {"base": "hybrid"}, "base must be one of pro_rata, user_centric"),
    ],
)
def test_an_option_that_is_none_or_wrong_is_refused(
    rule: str, settings: dict[str, object], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        RULES[rule].choose(settings)


THRESHOLDS = [
    (rule, name)
    for rule, names in {
        "pro_rata": ("minimum_plays", "minimum_listeners"),
        "artist_centric": ("artist_plays", "artist_listeners"),
    }.items()
    for name in names
]


@pytest.mark.parametrize(("rule", "name"), THRESHOLDS)
def test_a_threshold_may_be_the_most_plays_of_a_pool_and_no_more(rule: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a whole number from 0 to {PLAYS_MAX}"):
        RULES[rule].choose({name: 10**20})

    options = RULES[rule].choose({name: PLAYS_MAX})
    assert divided(rule, T1, **{name: getattr(options, name)}) == oracle.revenue(
        rule, T1, **{name: PLAYS_MAX}
    )


def test_every_option_that_is_a_number_has_bounds_and_stands_in_them() -> None:
    for rule in RULES.values():
        for name, kind in get_type_hints(rule.options, include_extras=True).items():
            if get_type_hints(rule.options)[name] is int:
                (within,) = kind.__metadata__
                assert within.least <= getattr(rule.options(), name) <= within.most


def test_options_are_chosen_by_name_and_the_rest_stay_as_they_are() -> None:
    options = RULES["artist_centric"].choose({"listener_plays": 500, "order": "boost_first"})

    assert (options.listener_plays, options.order, options.how) == (500, "boost_first", "cap")


# Thresholds of pro rata.

PAST = {"A": (1000, 5), "B": (999, 500), "C": (10**6, 4)}
THREE = World({("u1", "A"): 1, ("u1", "B"): 1, ("u2", "C"): 2}, {"u1": 12}, history=PAST)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"A": 3, "B": 3, "C": 6}),
        ({"minimum_plays": 1000}, {"A": 4, "C": 8}),
        ({"minimum_listeners": 5}, {"A": 6, "B": 6}),
        ({"minimum_plays": 1000, "minimum_listeners": 5}, {"A": 12}),
        ({"minimum_plays": 10**6, "minimum_listeners": 5}, {}),
    ],
)
def test_twelve_months_decide_who_takes_part(
    options: dict[str, int], expected: dict[str, int]
) -> None:
    assert divided("pro_rata", THREE, **options) == expected


def test_each_pool_has_its_own_eligible_tracks() -> None:
    beside = World({("u1", "B"): 1}, {"u1": 7}, history=PAST)

    assert divided("pro_rata", replace(THREE, beside=[beside]), minimum_plays=1000) == {
        "A": 4,
        "C": 8,
    }
    assert divided("pro_rata", replace(beside, beside=[THREE]), minimum_plays=1000) == {}


def test_thresholds_cost_pro_rata_what_it_says_of_divided_tracks_and_louder_plays() -> None:
    world = World({("u1", "A"): 10, ("u1", "B"): 10, ("u2", "C"): 20}, {"u1": PPM, "u2": PPM})
    merged = Change(world, tracks_named(world, {"B": "A"}), names={"B": "A"})
    twice = Change(world, louder(world, 2, ("u1", "u2")))

    for name, change in (("sybil_proof", merged), ("scale_invariant", twice)):
        options = {"minimum_plays": 20}
        amounts = divided_all("pro_rata", change.worlds, **options)
        assert name in RULES["pro_rata"].has
        assert breach(name, change, amounts) > PPM // 2
        assert breach(name, change, divided_all("pro_rata", change.worlds)) == 0


# Caps and boosts of artist centric.


@a_list
@given(some_worlds)
def test_without_boosts_and_below_the_cap_artist_centric_is_pro_rata(worlds: list[World]) -> None:
    assert divided_all("artist_centric", worlds, listener_plays=100_000, **PLAIN) == divided_all(
        "pro_rata", worlds
    )


@pytest.mark.parametrize("order", ["cap_first", "boost_first"])
@a_list
@given(worlds=some_worlds)
def test_normalised_without_boosts_it_is_user_centric_with_one_fee(
    order: str, worlds: list[World]
) -> None:
    equal = [replace(world, fees=dict.fromkeys(sorted(world.heard), PPM)) for world in worlds]
    normalised = divided_all("artist_centric", equal, how="normalise", order=order, **PLAIN)

    for first, second in zip(normalised, divided_all("user_centric", equal), strict=True):
        assert first.keys() == second.keys()
        assert all(abs(first[track] - second[track]) <= 1 for track in first)


def test_the_month_s_other_pools_count_for_an_artist_s_boost() -> None:
    parts = {"A": {"ann": PPB}, "B": {"bob": PPB}}
    here = World({("u1", "A"): 10, ("u2", "B"): 10}, {"u1": 30}, credits=parts)
    elsewhere = World({("u3", "A"): 10}, {"u3": 5}, credits=parts)
    options = {"artist_plays": 20, "artist_listeners": 2}

    assert divided("artist_centric", here, **options) == {"A": 15, "B": 15}
    assert divided("artist_centric", replace(here, beside=[elsewhere]), **options) == {
        "A": 20,
        "B": 10,
    }


def test_an_artist_s_boost_counts_pools_that_another_rule_divides() -> None:
    parts = {"g1": {"ann": 600_000_000, "": 400_000_000}, "g3": {"bob": PPB}}
    app = World(
        {("u1", "g1"): 60, ("u2", "g3"): 60}, {"u1": 10 * PPM, "u2": 10 * PPM}, credits=parts
    )
    licence = World({("u3", "g1"): 200}, {"u3": PPM}, credits=parts)
    month = replace(app, beside=[licence])
    options = {"artist_plays": 100, "artist_listeners": 2}

    assert divided("artist_centric", month, **options) == {"g1": 12_307_692, "g3": 7_692_308}
    assert divided("alone artist_centric", month, **options) == {"g1": 12_307_692, "g3": 7_692_308}
    assert divided("artist_centric", app, **options) == {"g1": 10 * PPM, "g3": 10 * PPM}


def test_nobody_s_part_of_a_track_and_a_track_without_shares_are_never_boosted() -> None:
    parts = {"A": {"ann": PPB}, "B": {"": PPB}}
    plays = {(f"u{n}", track): 10 for n in range(3) for track in "ABC"}
    world = World(plays, {"u1": 400}, credits=parts)

    amounts = divided("artist_centric", world, artist_plays=1, artist_listeners=1)

    assert amounts == {"A": 200, "B": 100, "C": 100}


def test_boosts_are_listed_by_artist() -> None:
    assert oracle.boosted_artists(THREE, 2, 1) == {"C"}
    assert RULES["artist_centric"].boosts is not None
    assert all(RULES[rule].boosts is None for rule in RULES if rule != "artist_centric")


# What a hybrid trusts attribution with.


@pytest.mark.parametrize("base", ["pro_rata", "user_centric"])
@a_list
@given(worlds=some_worlds, ppm=st.integers(0, PPM))
def test_a_hybrid_is_its_base_and_a_fixed_part(base: str, worlds: list[World], ppm: int) -> None:
    mixed = divided_all("hybrid", worlds, informativeness_ppm=ppm, base=base)

    for world, amounts in zip(worlds, mixed, strict=True):
        assert abs(amounts.get(EQUALLY, 0) * PPM - (PPM - ppm) * world.pool) <= 2 * PPM
        whole = oracle.exact(base, world)
        assert all(abs(amounts.get(t, 0) * PPM - ppm * whole[t]) <= 2 * PPM for t in whole)


def test_at_its_ends_a_hybrid_is_its_base_or_a_training_fee() -> None:
    assert divided("hybrid", T1, informativeness_ppm=PPM) == divided("pro_rata", T1)
    assert divided("hybrid", T1, informativeness_ppm=PPM, base="user_centric") == divided(
        "user_centric", T1
    )
    assert divided("hybrid", T1, informativeness_ppm=0) == divided("training_fee", T1)
