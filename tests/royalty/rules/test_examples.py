"""Examples worked out by hand, to the micro."""

from __future__ import annotations

from dataclasses import replace

import pytest

from royalty.division import divide
from tests.oracle import EQUALLY, PPB, PPM, UNBOOKED, World
from tests.royalty.rules.counterexamples import T1
from tests.royalty.rules.dividing import divided
from tests.royalty.worlds import CHAIN, T2, T3

T1_SEVENTY = replace(T1, rate_ppm=700_000)

# The two large tracks pass the threshold, the small one does not.
THRESHOLD = World(
    {("u1", "t1"): 9000, ("u1", "t2"): 1000, ("u2", "t2"): 500, ("u2", "t3"): 500},
    {"u1": 1000 * PPM},
)
# A's artist has the plays and the listeners for the boost; B's has too few plays, C's both.
BOOSTED = World(
    {("u1", "A"): 1500, ("u1", "B"): 500, ("u2", "A"): 100, ("u2", "C"): 100, ("u3", "B"): 50},
    {"u1": 1000 * PPM},
    active={("u2", "A"): 100, ("u3", "B"): 50},
)
QUALIFIES = {"artist_listeners": 2}
API = World(
    {("u1", "g1"): 1, ("u2", "g2"): 3}, {}, 500_000, booked={("u1", "g1"): 40, ("u2", "g2"): 3}
)


@pytest.mark.parametrize(
    ("rule", "world", "expected"),
    [
        ("pro_rata", T1, {"A": 16_363_636, "B": 3_636_364}),
        ("pro_rata", T1_SEVENTY, {"A": 11_454_545, "B": 2_545_455}),
        ("pro_rata", T2, {"A": 12_352_891, "B": 4_924_740, "C": 902_869}),
        ("pro_rata", T3, {"H": 630_000, "X": 6_370_000}),
        ("pro_rata", CHAIN, {"g1": 2_800_000, "g2": 11_200_000}),
        ("pro_rata", THRESHOLD, {"t1": 818_181_818, "t2": 136_363_636, "t3": 45_454_546}),
        ("user_centric", T1, {"A": 9_000_000, "B": 11_000_000}),
        ("user_centric", T1_SEVENTY, {"A": 6_300_000, "B": 7_700_000}),
        ("user_centric", T2, {"A": 7_738_792, "B": 3_732_625, "C": 6_709_083}),
        ("user_centric", T3, {"H": 6_300_000, "X": 700_000}),
        ("user_centric", CHAIN, {"g1": 5_600_000, "g2": 8_400_000}),
        ("user_equal", T1, {"A": 5_000_000, "B": 15_000_000}),
        ("user_equal", T1_SEVENTY, {"A": 3_500_000, "B": 10_500_000}),
        ("user_equal", T2, {"A": 7_143_500, "B": 5_518_500, "C": 5_518_500}),
        ("user_equal", T3, {"H": 6_300_000, "X": 700_000}),
        ("scaled_user_centric", T1, {"A": 9_000_000, "B": 11_000_000}),
        ("scaled_user_centric", T1_SEVENTY, {"A": 9_000_000, "B": 5_000_000}),
        ("scaled_user_centric", T3, {"H": 6_000_000, "X": 1_000_000}),
        ("per_generation", API, {"g1": 20, "g2": 1}),
        ("streamed_track", API, {"g1": 20, "g2": 1}),
        ("training_fee", T1_SEVENTY, {EQUALLY: 14_000_000}),
        ("hybrid", T1, {EQUALLY: 10_000_000, "A": 8_181_818, "B": 1_818_182}),
    ],
)
def test_a_rule_divides_the_worked_examples(
    rule: str, world: World, expected: dict[str, int]
) -> None:
    assert divided(rule, world) == expected


def test_below_the_threshold_a_track_has_nothing_and_the_others_have_its_part() -> None:
    amounts = divided("pro_rata", THRESHOLD, minimum_plays=1000)

    assert amounts == {"t1": 857_142_857, "t2": 142_857_143}


@pytest.mark.parametrize(
    ("how", "order", "expected"),
    [
        # u1 counts half: A 750 twice, B 250; u2 A 100 four times, C 100; u3 B 50 twice. Of 2350.
        ("cap", "cap_first", {"A": 808_510_638, "B": 148_936_170, "C": 42_553_192}),
        # u1 has 3500 boosted plays, which count 2/7: A 8800/7, B 1700/7, C 100. Of 1600.
        ("cap", "boost_first", {"A": 785_714_286, "B": 151_785_714, "C": 62_500_000}),
        # All count 1000 before the boosts: A 1500 + 2000, B 250 + 2000, C 500. Of 6250.
        ("normalise", "cap_first", {"A": 560_000_000, "B": 360_000_000, "C": 80_000_000}),
        # And after them: A 6000/7 + 800, B 1000/7 + 1000, C 200. Of 3000.
        ("normalise", "boost_first", {"A": 552_380_952, "B": 380_952_381, "C": 66_666_667}),
    ],
)
def test_artist_centric_caps_and_boosts_in_either_order(
    how: str, order: str, expected: dict[str, int]
) -> None:
    assert divided("artist_centric", BOOSTED, how=how, order=order, **QUALIFIES) == expected


def test_a_boost_weighs_a_track_by_its_artists_parts_of_it() -> None:
    """Ann has 3/4 of A and all of B, 17.5 plays; A weighs 10 * (3/4 * 2 + 1/4), B 10 * 2."""
    parts = {"A": {"ann": 3 * PPB // 4, "": PPB // 4}, "B": {"ann": PPB}, "C": {"cy": PPB}}
    plays = {("u1", "A"): 10, ("u2", "B"): 10, ("u3", "C"): 10}
    world = World(plays, {"u1": 1425 * PPM}, credits=parts)
    alike = dict.fromkeys("ABC", 475 * PPM)

    def amounts(plays: int, listeners: int) -> dict[str, int]:
        return divided("artist_centric", world, artist_plays=plays, artist_listeners=listeners)

    assert amounts(17, 2) == {"A": 525 * PPM, "B": 600 * PPM, "C": 300 * PPM}
    assert amounts(18, 2) == amounts(17, 3) == alike


def test_what_is_booked_against_no_track_waits() -> None:
    world = replace(API, fees={"u3": 20, "": 4})

    assert divided("per_generation", world) == {"g1": 20, "g2": 1, UNBOOKED: 12}


def test_shorts_divide_in_two_steps() -> None:
    """20 % of the money is of Shorts with one piece of music: half of that is the music's."""
    pool = 100_000 * PPM
    music = divide(pool // 5, [1, 1])[0]
    creators = pool - music
    views = World({("u1", "mine"): 1, ("u1", "others"): 99}, {"u1": creators}, 450_000)

    assert music == 10_000 * PPM
    assert divided("pro_rata", views)["mine"] == 405 * PPM


def test_a_hundred_cents_by_thirds() -> None:
    thirds = World({("u1", "A"): 1, ("u1", "B"): 1, ("u1", "C"): 1}, {"u1": 100})

    for rule in ("pro_rata", "user_centric", "user_equal", "scaled_user_centric", "artist_centric"):
        assert divided(rule, thirds) == {"A": 34, "B": 33, "C": 33}
