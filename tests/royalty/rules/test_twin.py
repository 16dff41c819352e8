"""The rules against exact fractions: the same integers, and never far from the exact amounts."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from royalty.rules import RULES, PoolTotals
from tests import oracle
from tests.oracle import PPB, PPM, World
from tests.royalty.rules.dividing import compiled, divided_all, facts_of, floored_all, run

ORDERS = [
    {"how": how, "order": order, "listener_plays": plays, "artist_plays": 50, "artist_listeners": 2}
    for how, order, plays in product(["cap", "normalise"], ["cap_first", "boost_first"], [1, 1000])
]
CHOICES = [
    *((rule, {}) for rule in RULES),
    ("pro_rata", {"minimum_plays": 100}),
    ("pro_rata", {"minimum_listeners": 3}),
    *(("artist_centric", options) for options in ORDERS),
    (
        "artist_centric",
        {"artist_boost": 3, "active_boost": 4, "artist_plays": 9, "artist_listeners": 1},
    ),
    *(("hybrid", {"informativeness_ppm": ppm}) for ppm in (0, 333_333, PPM)),
    ("hybrid", {"base": "user_centric"}),
]
EVERY_CHOICE = pytest.mark.parametrize(("rule", "options"), CHOICES, ids=str)
a_few_lists = settings(max_examples=3, phases=[Phase.generate])

LISTENERS = ("u1", "u2", "u3", "u4", "")
TRACKS = ("A", "B", "C", "D")
some_plays = st.just(0) | st.integers(0, 30) | st.integers(0, 10**6)
some_money = st.just(0) | st.integers(0, 3000) | st.integers(0, 20 * PPM) | st.integers(0, 10**12)
some_pairs = st.tuples(st.sampled_from(LISTENERS[:-1]), st.sampled_from(TRACKS))


@st.composite
def credited(draw: st.DrawFn) -> dict[str, dict[str, int]]:
    """Parts of some tracks for Ann, Bob and nobody; other tracks have no shares at all."""
    parts = {}
    for track in draw(st.sets(st.sampled_from(TRACKS))):
        first, second = sorted((draw(st.integers(0, PPB)), draw(st.integers(0, PPB))))
        parts[track] = {"ann": first, "bob": second - first, "": PPB - second}
    return parts


@st.composite
def worlds(draw: st.DrawFn, *, beside: bool = True) -> World:
    """Pools with idle listeners and such as pay nothing, bookings, requests, credits, a past."""
    plays = draw(st.dictionaries(some_pairs, some_plays, max_size=9))
    world = World(
        plays,
        draw(st.dictionaries(st.sampled_from(LISTENERS), some_money, max_size=5)),
        draw(st.sampled_from([PPM, 999_999, 700_000, 333_333, 1, 0])),
        {pair: draw(st.integers(0, count)) for pair, count in list(plays.items())[::2]},
        draw(st.dictionaries(some_pairs, some_money, max_size=2)),
        draw(st.none() | credited()),
        draw(st.none() | st.just({"A": (100, 3), "B": (99, 3), "C": (100, 2)})),
    )
    others = draw(st.lists(worlds(beside=False), max_size=1)) if beside else []
    same = {"credits": world.credits, "history": world.history}
    return replace(world, beside=[replace(other, **same) for other in others])


some_worlds = st.lists(worlds(), min_size=10, max_size=20)


@EVERY_CHOICE
def test_a_rule_gives_its_slow_twins_integers(rule: str, options: dict[str, object]) -> None:
    @a_few_lists
    @given(some_worlds)
    def agrees(worlds: list[World]) -> None:
        for world, amounts in zip(worlds, divided_all(rule, worlds, **options), strict=True):
            assert amounts == oracle.revenue(rule, world, **options), world

    agrees()


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("pro_rata", {"minimum_plays": 100}),
        ("artist_centric", {"artist_plays": 50, "artist_listeners": 2}),
        ("hybrid", {"base": "user_centric"}),
    ],
)
@settings(max_examples=2, phases=[Phase.generate])
@given(worlds=some_worlds)
def test_by_which_rule_other_pools_are_divided_changes_nothing(
    rule: str, options: dict[str, object], worlds: list[World]
) -> None:
    assert divided_all(f"alone {rule}", worlds, **options) == divided_all(rule, worlds, **options)


@EVERY_CHOICE
@settings(max_examples=2, phases=[Phase.generate])
@given(worlds=some_worlds)
def test_a_twin_is_within_a_micro_of_exact_and_sums_to_the_pool(
    rule: str, options: dict[str, object], worlds: list[World]
) -> None:
    for world in worlds:
        exact = oracle.exact(rule, world, **options)
        amounts = oracle.revenue(rule, world, **options)

        assert sum(amounts.values()) == (world.pool if exact else 0)
        assert all(abs(amounts.get(track, 0) - exact[track]) <= 1 for track in exact if amounts)


@EVERY_CHOICE
@settings(max_examples=2, phases=[Phase.generate])
@given(worlds=some_worlds)
def test_a_rule_returns_floors_and_what_they_cut_off(
    rule: str, options: dict[str, object], worlds: list[World]
) -> None:
    quotas = floored_all(rule, worlds, **options)

    assert quotas == [oracle.floored(rule, world, **options) for world in worlds]


@a_few_lists
@given(worlds=some_worlds)
def test_the_totals_of_pools_are_the_twins(worlds: list[World]) -> None:
    totals = {row["pool"]: PoolTotals(**row) for row in run(compiled("totals"), facts_of(worlds))}

    for n, world in enumerate(worlds):
        for pool, each in enumerate([world, *world.beside], 10 * n):
            assert totals[pool] == PoolTotals(
                pool=pool,
                gross_micros=each.spent.total(),
                pool_micros=each.pool,
                idle_micros=each.idle,
                plays=each.played.total(),
                listener_plays_max=max(each.heard.values(), default=0),
            )
