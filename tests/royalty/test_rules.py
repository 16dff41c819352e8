"""The rules, run on DuckDB, against exact fractions and the properties they state."""

from __future__ import annotations

from random import Random

import ibis
import pytest
from duckdb import Error as DuckDBError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from royalty.division import settle
from royalty.errors import RoyaltyError
from royalty.rules import RULES, PoolTotals
from royalty.rules.arithmetic import LISTENER_PLAYS_MAX, MICROS_MAX, PLAYS_MAX
from tests import oracle
from tests.oracle import PPM, World
from tests.royalty.worlds import (
    CHAIN,
    T1,
    T2,
    T3,
    TOLERANCE_MICROS,
    TRACKS,
    arrow_tables,
    divided,
    run,
    totals,
    worlds,
)

EVERY_RULE = pytest.mark.parametrize("rule", sorted(RULES))
some_worlds = settings(max_examples=25)
many_worlds = settings(max_examples=60)


def with_rate(world: World, rate_ppm: int) -> World:
    return World(world.plays, world.fees, rate_ppm)


@pytest.mark.parametrize(
    ("rule", "world", "expected"),
    [
        ("pro_rata", T1, {"A": 16_363_636, "B": 3_636_364}),
        ("user_centric", T1, {"A": 9_000_000, "B": 11_000_000}),
        ("pro_rata", with_rate(T1, 700_000), {"A": 11_454_545, "B": 2_545_455}),
        ("user_centric", with_rate(T1, 700_000), {"A": 6_300_000, "B": 7_700_000}),
        ("pro_rata", T2, {"A": 12_352_891, "B": 4_924_740, "C": 902_869}),
        ("user_centric", T2, {"A": 7_738_792, "B": 3_732_625, "C": 6_709_083}),
        ("pro_rata", T3, {"H": 630_000, "X": 6_370_000}),
        ("user_centric", T3, {"H": 6_300_000, "X": 700_000}),
        ("pro_rata", CHAIN, {"g1": 2_800_000, "g2": 11_200_000}),
        ("user_centric", CHAIN, {"g1": 5_600_000, "g2": 8_400_000}),
    ],
)
def test_a_rule_gives_the_worked_examples_to_the_micro(
    rule: str, world: World, expected: dict[str, int]
) -> None:
    assert divided(rule, world) == expected


@EVERY_RULE
def test_a_rule_runs_as_an_expression_of_any_ibis_connection(rule: str) -> None:
    usage, revenue = (ibis.memtable(table) for table in arrow_tables(T2))

    expression = RULES[rule].divide(usage, revenue, T2.rate_ppm)

    assert settle(ibis.duckdb.connect().to_pyarrow(expression), T2.pool) == divided(rule, T2)


def test_both_rules_coincide_where_listeners_play_and_pay_alike() -> None:
    alike = World({**CHAIN.plays, ("u2", "g2"): 10}, CHAIN.fees, CHAIN.rate_ppm)

    assert divided("pro_rata", alike) == divided("user_centric", alike)


@EVERY_RULE
@many_worlds
@given(world=worlds())
@example(world=World({("u1", "A"): 10**7}, {"u1": MICROS_MAX}, 999_999))
@example(
    world=World(
        {("u1", "A"): 9_999_991, ("u1", "B"): 9, ("u2", "B"): 1},
        {"u1": MICROS_MAX - 1, "u2": 1},
        999_999,
    )
)
def test_a_rule_agrees_with_the_slow_twin_to_the_micro(rule: str, world: World) -> None:
    assert divided(rule, world) == oracle.revenue(rule, world)


@EVERY_RULE
@some_worlds
@given(world=worlds())
def test_a_rule_is_within_a_micro_of_exact_fractions_and_sums_to_the_pool(
    rule: str, world: World
) -> None:
    exact = oracle.exact(rule, world)

    amounts = divided(rule, world)

    assert sum(amounts.values()) == (world.pool if exact else 0)
    assert amounts.keys() == exact.keys()
    assert all(abs(amounts[track] - exact[track]) <= TOLERANCE_MICROS for track in exact)


@EVERY_RULE
@some_worlds
@given(world=worlds())
def test_a_rule_returns_floors_and_what_was_cut_off(rule: str, world: World) -> None:
    exact = oracle.exact(rule, world)
    pairs = len(world.plays) + len(exact)

    for row in run(rule, world).to_pylist():
        shown = row["micros"] * PPM + row["remainder"]
        lost_ppm = exact[row["track"]] * PPM - shown

        assert 0 <= row["remainder"] < PPM
        assert 0 <= lost_ppm < pairs


@some_worlds
@given(world=worlds())
def test_the_totals_of_a_pool_agree_with_the_slow_twin(world: World) -> None:
    pool = totals(world)

    assert pool == PoolTotals(
        gross_micros=sum(world.fees.values()),
        pool_micros=world.pool,
        idle_micros=world.idle,
        plays=sum(world.played.values()),
        listener_plays_max=max(world.heard.values(), default=0),
    )


@EVERY_RULE
def test_idle_money_is_divided_pro_rata(rule: str) -> None:
    idle = World(T1.plays, {**T1.fees, "u9": 11 * PPM}, PPM)
    before = divided(rule, T1)

    after = divided(rule, idle)

    assert totals(idle).idle_micros == 11 * PPM
    assert after["A"] - before["A"] == pytest.approx(9 * PPM, abs=1)
    assert after["B"] - before["B"] == pytest.approx(2 * PPM, abs=1)


@EVERY_RULE
@pytest.mark.parametrize("plays", [{}, {("u1", "A"): 0}])
def test_a_pool_without_plays_gives_no_track_anything(
    rule: str, plays: dict[tuple[str, str], int]
) -> None:
    assert divided(rule, World(plays, {"u1": PPM})) == {}


# Bounds: exact up to them, refused beyond, never wrapped around.


@pytest.mark.parametrize("rate_ppm", [PPM, 999_999, 1])
def test_pro_rata_is_exact_at_its_bounds(rate_ppm: int) -> None:
    plays = {("u1", "A"): PLAYS_MAX - 7, ("u2", "B"): 6, ("u3", "C"): 1}
    world = World(plays, {"u1": MICROS_MAX - 1, "u9": 1}, rate_ppm)

    assert divided("pro_rata", world) == oracle.revenue("pro_rata", world)


@EVERY_RULE
@pytest.mark.parametrize(
    "world",
    [
        World({("u1", "A"): 2**62, ("u1", "B"): 2**62}, {"u1": MICROS_MAX - 1}),
        World({("u1", "A"): 2**40 + 1, ("u1", "B"): 2**40}, {"u1": 2**62}),
    ],
)
def test_beyond_its_bounds_a_rule_fails_and_does_not_wrap_around(rule: str, world: World) -> None:
    with pytest.raises(DuckDBError, match=r"(?i)overflow|conversion|out of range"):
        divided(rule, world)


@pytest.mark.parametrize(
    "world",
    [
        World({("u1", "A"): 1}, {"u1": MICROS_MAX, "u2": 1}),
        World({("u1", "A"): LISTENER_PLAYS_MAX, ("u1", "B"): 1}, {"u1": 1}),
        World({(f"u{n}", "A"): LISTENER_PLAYS_MAX for n in range(301)}, {"u1": 1}),
        World({("u1", "A"): 1}, {"u1": -1}),
    ],
)
def test_totals_beyond_the_bounds_are_refused(world: World) -> None:
    with pytest.raises(RoyaltyError, match="divide the period's revenue into smaller pools"):
        totals(world)


def test_the_largest_pool_within_the_bounds_is_accepted() -> None:
    world = World({(f"u{n}", "A"): LISTENER_PLAYS_MAX for n in range(300)}, {"u1": MICROS_MAX})

    assert totals(world).plays == PLAYS_MAX


# The fairness properties that the rules' docstrings state.


def taking_part(world: World, listeners: set[str]) -> World:
    """The world with none but these listeners."""
    return World(
        {pair: count for pair, count in world.plays.items() if pair[0] in listeners},
        {listener: fee for listener, fee in world.fees.items() if listener in listeners},
        world.rate_ppm,
    )


@some_worlds
@given(world=worlds(listeners_max=1))
def test_with_one_listener_both_rules_are_one(world: World) -> None:
    assert divided("pro_rata", world) == divided("user_centric", world)


@EVERY_RULE
@some_worlds
@given(world=worlds(), seed=st.randoms())
def test_neither_the_order_of_rows_nor_listeners_names_matter(
    rule: str, world: World, seed: Random
) -> None:
    names = [f"u{n}" for n in range(1, 6)]
    renamed = dict(zip(names, seed.sample(names, k=5), strict=True))
    plays = [((renamed[who], track), count) for (who, track), count in world.plays.items()]
    fees = [(renamed[who], fee) for who, fee in world.fees.items()]
    seed.shuffle(plays)
    seed.shuffle(fees)

    assert divided(rule, World(dict(plays), dict(fees), world.rate_ppm)) == divided(rule, world)


@EVERY_RULE
@some_worlds
@given(world=worlds(), order=st.permutations(TRACKS))
def test_renaming_tracks_renames_amounts_within_a_micro(
    rule: str, world: World, order: list[str]
) -> None:
    renamed = dict(zip(TRACKS, order, strict=True))
    plays = {(who, renamed[track]): count for (who, track), count in world.plays.items()}
    before = divided(rule, world)

    after = divided(rule, World(plays, world.fees, world.rate_ppm))

    # Only a tie for the last micro is broken by the name.
    assert all(abs(after[renamed[track]] - before[track]) <= 1 for track in before)


@EVERY_RULE
@some_worlds
@given(world=worlds(), times=st.integers(2, 9))
def test_multiplying_all_plays_changes_nothing(rule: str, world: World, times: int) -> None:
    louder = {pair: count * times for pair, count in world.plays.items()}

    assert divided(rule, World(louder, world.fees, world.rate_ppm)) == divided(rule, world)


@some_worlds
@given(world=worlds(), times=st.integers(2, 9))
def test_user_centric_ignores_how_much_one_listener_plays(world: World, times: int) -> None:
    everyone_active = World(
        world.plays,
        {who: fee for who, fee in world.fees.items() if who in world.heard},
        world.rate_ppm,
    )
    louder = {
        (who, track): count * (times if who == "u1" else 1)
        for (who, track), count in world.plays.items()
    }

    assert divided("user_centric", everyone_active) == divided(
        "user_centric", World(louder, everyone_active.fees, world.rate_ppm)
    )


def test_pro_rata_does_not() -> None:
    louder = {**T1.plays, ("u2", "B"): 1000}

    assert divided("pro_rata", World(louder, T1.fees)) != divided("pro_rata", T1)


@EVERY_RULE
@some_worlds
@given(world=worlds(), part=st.integers(1, 99))
def test_dividing_a_track_in_two_changes_nothing_for_the_others(
    rule: str, world: World, part: int
) -> None:
    plays = {pair: count for pair, count in world.plays.items() if pair[1] != "A"}
    for (who, track), count in world.plays.items():
        if track == "A":
            plays[who, "A1"] = count * part // 100
            plays[who, "A2"] = count - count * part // 100
    before = divided(rule, world)

    after = divided(rule, World(plays, world.fees, world.rate_ppm))

    assert all(abs(after[track] - before[track]) <= 1 for track in before if track != "A")


@EVERY_RULE
@some_worlds
@given(world=worlds(), more=st.integers(1, 1000))
def test_more_plays_never_bring_a_track_less(rule: str, world: World, more: int) -> None:
    played = dict(world.plays)
    played["u1", "A"] = played.get(("u1", "A"), 0) + more
    # A listener who was idle spreads the fee over all tracks, and one who starts to play need not.
    active = World(world.plays, {who: world.fees[who] for who in world.fees if who in world.heard})
    before = divided(rule, active).get("A", 0)

    after = divided(rule, World(played, active.fees)).get("A", 0)

    assert after >= before - TOLERANCE_MICROS


@some_worlds
@given(world=worlds(rate=st.just(PPM)), split=st.sets(st.sampled_from(["u1", "u2", "u3", "u4"])))
def test_user_centric_adds_up_over_groups_of_listeners(world: World, split: set[str]) -> None:
    active = taking_part(world, set(world.heard))
    parts = [taking_part(active, split), taking_part(active, set(active.heard) - split)]
    whole = divided("user_centric", active)

    sums = [divided("user_centric", part) for part in parts]

    assert all(
        abs(whole[track] - sum(part.get(track, 0) for part in sums)) <= 3 * TOLERANCE_MICROS
        for track in whole
    )


@some_worlds
@given(
    world=worlds(),
    fakes=st.lists(st.tuples(st.integers(1, 20 * PPM), st.integers(1, 10**6)), max_size=4),
)
def test_under_user_centric_fake_listeners_gain_at_most_the_fees_they_pay(
    world: World, fakes: list[tuple[int, int]]
) -> None:
    honest = taking_part(world, set(world.heard))
    plays = {**honest.plays, **{(f"bot{n}", "X"): count for n, (_, count) in enumerate(fakes)}}
    fees = {**honest.fees, **{f"bot{n}": fee for n, (fee, _) in enumerate(fakes)}}
    paid = sum(fee for fee, _ in fakes)

    farmed = divided("user_centric", World(plays, fees, world.rate_ppm))

    assert farmed.get("X", 0) <= paid + TOLERANCE_MICROS


def test_under_pro_rata_a_fake_listener_gains_many_times_the_fee() -> None:
    assert divided("pro_rata", T3)["X"] > 6 * T3.fees["bot"]


@EVERY_RULE
def test_a_track_that_only_non_payers_play_is_listed(rule: str) -> None:
    world = World({**T1.plays, ("guest", "C"): 10}, T1.fees)

    amounts = divided(rule, world)

    assert (amounts["C"] > 0) == (rule == "pro_rata")
    assert sum(amounts.values()) == world.pool


@EVERY_RULE
def test_a_rule_says_which_properties_it_has_and_lacks(rule: str) -> None:
    promise = RULES[rule].divide.__doc__

    assert "Has: conservation" in promise
    assert "Lacks: " in promise
