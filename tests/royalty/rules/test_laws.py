"""What holds between rules, between tracks and artists, and between a world and another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from royalty.division import divide
from royalty.rules import RULES, Facts
from tests import oracle
from tests.oracle import PPB, PPM, World
from tests.royalty.rules.changed import only_listeners, with_listeners
from tests.royalty.rules.counterexamples import T1
from tests.royalty.rules.dividing import (
    compiled,
    connection,
    divided,
    divided_all,
    facts_of,
    run,
    totals,
)
from tests.royalty.rules.drawn import LISTENERS, TRACKS, worlds
from tests.royalty.worlds import CHAIN

EVERY_RULE = pytest.mark.parametrize("rule", sorted(RULES))
BY_PLAYS = sorted(rule for rule in RULES if RULES[rule].divides == "plays")
BY_LISTENERS = ["user_centric", "user_equal", "scaled_user_centric"]
a_list = settings(max_examples=2, phases=[Phase.generate])
some_worlds = st.lists(worlds(booked=False), min_size=8, max_size=20)


def alike(first: Mapping[str, int], second: Mapping[str, int], within: int = 1) -> bool:
    return all(
        abs(first.get(name, 0) - second.get(name, 0)) <= within for name in {*first, *second}
    )


# Between rules.


@a_list
@given(some_worlds)
def test_with_one_listener_user_centric_is_pro_rata(worlds: list[World]) -> None:
    alone = [only_listeners(world, {min(world.heard)}) for world in worlds]

    assert divided_all("user_centric", alone) == divided_all("pro_rata", alone)


@a_list
@given(some_worlds)
def test_at_the_whole_rate_scaled_is_user_centric(worlds: list[World]) -> None:
    whole = [replace(world, rate_ppm=PPM) for world in worlds]

    assert divided_all("scaled_user_centric", whole) == divided_all("user_centric", whole)


@a_list
@given(
    st.lists(
        st.dictionaries(
            st.tuples(st.sampled_from(LISTENERS), st.sampled_from(TRACKS[:2])),
            st.integers(70, 100),
            min_size=8,
        ),
        min_size=5,
    )
)
def test_where_nobody_reaches_the_cap_scaled_is_pro_rata(plays: list[dict]) -> None:
    """All play at least 140 and at most 200 times, so nobody above the mean divided by 0.7."""
    calm = [World(each, dict.fromkeys(LISTENERS, PPM), 700_000) for each in plays]

    assert divided_all("scaled_user_centric", calm) == divided_all("pro_rata", calm)


def test_pro_rata_and_user_centric_coincide_where_listeners_play_and_pay_alike() -> None:
    same = replace(CHAIN, plays={**CHAIN.plays, ("u2", "g2"): 10})

    assert divided("pro_rata", same) == divided("user_centric", same)


# Between tracks and artists: the chain law.

CHAIN_SHARES = {
    "g1": {"ann": 666_666_667, "bob": 333_333_333, "cy": 0},
    "g2": {"ann": 0, "bob": PPB // 2, "cy": PPB // 2},
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("pro_rata", {"ann": 1_866_667, "bob": 6_533_333, "cy": 5_600_000}),
        ("user_centric", {"ann": 3_733_333, "bob": 6_066_667, "cy": 4_200_000}),
    ],
)
def test_from_plays_through_shares_to_artists(rule: str, expected: dict[str, int]) -> None:
    sums: defaultdict[str, int] = defaultdict(int)
    for track, micros in divided(rule, CHAIN).items():
        parts = divide(micros, list(CHAIN_SHARES[track].values()))
        for artist, part in zip(CHAIN_SHARES[track], parts, strict=True):
            sums[artist] += part

    assert sums == expected


TENTHS = {"A": {"ann": 7, "bob": 3}, "B": {"bob": 10}, "C": {"ann": 1, "cy": 9}, "D": {"cy": 10}}


def of_artists(world: World) -> World:
    """Tenths of plays by artist, in place of plays by track."""

    def dealt(pairs: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        for (who, track), count in pairs.items():
            for artist, tenths in TENTHS[track].items():
                sums[who, artist] += tenths * count
        return dict(sums)

    return replace(world, plays=dealt(world.plays), active=dealt(world.active))


def shared_out(amounts: Mapping[str, int], weights: Mapping[str, int]) -> dict[str, Fraction]:
    """Amounts of tracks by tenths, each artist's weighed."""
    sums: defaultdict[str, Fraction] = defaultdict(Fraction)
    for track, micros in amounts.items():
        parts = {who: tenths * weights.get(who, 1) for who, tenths in TENTHS[track].items()}
        for artist, part in parts.items():
            sums[artist] += Fraction(micros * part, sum(parts.values()))
    return dict(sums)


@pytest.mark.parametrize("rule", ["pro_rata", "user_centric", "scaled_user_centric"])
@a_list
@given(worlds=some_worlds)
def test_dividing_by_tracks_and_then_by_shares_is_dividing_by_artists(
    rule: str, worlds: list[World]
) -> None:
    assert RULES[rule].sees == "tracks"
    by_artists = divided_all(rule, [of_artists(world) for world in worlds])
    for tracks, artists in zip(divided_all(rule, worlds), by_artists, strict=True):
        assert alike(shared_out(tracks, {}), artists, within=len(TRACKS))


ONE_FAN = World({("u1", "A"): 10, ("u2", "D"): 10}, {"u1": 10 * PPM, "u2": 10 * PPM})
BOOSTS = {"artist_plays": 7, "artist_listeners": 1, "active_boost": 1}
BOOSTS_IN_TENTHS = {**BOOSTS, "artist_plays": 70, "listener_plays": 10_000}


def test_user_equal_is_another_rule_by_artists_than_by_tracks() -> None:
    by_tracks = shared_out(divided("user_equal", ONE_FAN), {})
    by_artists = divided("user_equal", of_artists(ONE_FAN))

    assert by_tracks == {"ann": 7 * PPM, "bob": 3 * PPM, "cy": 10 * PPM}
    assert by_artists == {"ann": 5 * PPM, "bob": 5 * PPM, "cy": 10 * PPM}


def test_artist_boosts_need_shares_that_weigh_as_much_more() -> None:
    """Ann and Cy are boosted, Bob is not: the law holds with weighed shares and not without."""
    credited = {
        track: {artist: tenths * PPB // 10 for artist, tenths in parts.items()}
        for track, parts in TENTHS.items()
    }
    by_tracks = divided("artist_centric", replace(ONE_FAN, credits=credited), **BOOSTS)
    by_artists = divided("artist_centric", of_artists(ONE_FAN), **BOOSTS_IN_TENTHS)

    assert RULES["artist_centric"].sees == "artists"
    assert alike(shared_out(by_tracks, {"ann": 2, "cy": 2}), by_artists, within=2)
    assert not alike(shared_out(by_tracks, {}), by_artists, within=PPM // 2)


# Between worlds.


@EVERY_RULE
@a_list
@given(worlds=some_worlds, times=st.integers(2, 1000))
def test_in_another_currency_unit_amounts_are_so_many_times_as_much(
    rule: str, worlds: list[World], times: int
) -> None:
    finer = [
        replace(world, fees={who: fee * times for who, fee in world.fees.items()})
        for world in worlds
    ]

    for before, after in zip(divided_all(rule, worlds), divided_all(rule, finer), strict=True):
        larger = {track: micros * times for track, micros in before.items()}
        assert alike(larger, after, within=times + 1)


@EVERY_RULE
@a_list
@given(worlds=some_worlds)
def test_a_larger_pool_brings_nobody_less(rule: str, worlds: list[World]) -> None:
    less, more = (
        divided_all(rule, [replace(world, rate_ppm=rate) for world in worlds])
        for rate in (600_000, 600_001)
    )

    for before, after in zip(less, more, strict=True):
        assert all(after.get(track, 0) >= before[track] - 1 for track in before)


# With these, artist centric floors what u1's plays earn where rows are added up, and not before.
IN_ROWS = World(
    {("u0", "B"): 415, ("u1", "C"): 356, ("u1", "D"): 932, ("u2", "A"): 311, ("u3", "C"): 405},
    {"u0": 3, "u3": 3},
)


@pytest.mark.parametrize(
    ("rule", "options"),
    [*((rule, {}) for rule in sorted(RULES)), ("artist_centric", {"how": "normalise"})],
)
@a_list
@given(drawn=st.lists(worlds(booked=False) | worlds(booked=True), min_size=8, max_size=20))
def test_pairs_and_payments_may_come_in_several_rows(
    rule: str, options: dict[str, str], drawn: list[World]
) -> None:
    tables = facts_of([IN_ROWS, *drawn])
    several = {
        name: table if name in {"pools", "history", "credits"} else _in_two(table)
        for name, table in tables.items()
    }

    def rows(tables: dict[str, pa.Table]) -> list[tuple[object, ...]]:
        floored = run(compiled(f"floored {rule}", tuple(options.items())), tables)
        return sorted(tuple(row.values()) for row in floored)

    assert rows(several) == rows(tables)


def _in_two(table: pa.Table) -> pa.Table:
    """Split every row in two, a third and the rest."""
    numbers = [name for name in ("plays", "active", "net_micros") if name in table.column_names]
    first = second = table
    for name in numbers:
        place = table.column_names.index(name)
        third = pc.divide(table[name], 3)
        first = first.set_column(place, name, third)
        second = second.set_column(place, name, pc.subtract(table[name], third))
    return pa.concat_tables([first, second])


def test_other_usage_makes_facts_forget_the_sums_that_were_kept() -> None:
    tables = {name: ibis.memtable(table) for name, table in facts_of([T1]).items()}
    facts = Facts(**tables).kept(lambda table: ibis.memtable(connection().to_pyarrow(table)))
    pools = facts.pools.select("pool")

    quiet = facts.of_pools(pools).with_usage(facts.usage.filter(facts.usage.listener != "u1"))

    for sums in (quiet.tracks, quiet.listeners):
        assert len(connection().to_pyarrow(sums)) == 1
    assert len(connection().to_pyarrow(quiet.played_in_month)) == 1
    assert len(connection().to_pyarrow(facts.tracks)) == len(TRACKS[:2])


# Idle money: of who paid and played nothing, or of nobody in particular.


@pytest.mark.parametrize("rule", BY_LISTENERS)
@a_list
@given(worlds=some_worlds, idle=st.integers(1, 20 * PPM))
def test_idle_money_is_divided_pro_rata(rule: str, worlds: list[World], idle: int) -> None:
    for name in ("u9", ""):
        more = [with_listeners(world, World({}, {name: idle})) for world in worlds]
        alone = [replace(world, fees={name: idle}) for world in worlds]
        shared = divided_all("pro_rata", alone)
        for before, after, part in zip(
            divided_all(rule, worlds), divided_all(rule, more), shared, strict=True
        ):
            both = {
                track: before.get(track, 0) + part.get(track, 0) for track in {**before, **part}
            }
            assert alike(both, after, within=2)


def test_totals_say_how_much_is_idle() -> None:
    world = with_listeners(T1, World({("u8", "A"): 0}, {"u8": 7, "u9": 11 * PPM, "": 1}))

    assert totals(replace(world, rate_ppm=500_000)).idle_micros == (11 * PPM + 8) // 2


def test_fraud_pays_under_user_centric_with_idle_money_alone() -> None:
    """A bot cannot take from listeners who play, but takes of what idle ones leave."""
    quiet = with_listeners(T1, World({}, {"idle": 100 * PPM}))
    farmed = with_listeners(quiet, World({("bot", "X"): 10**6}, {"bot": PPM}))

    assert divided("user_centric", farmed)["X"] > 100 * PPM
    assert (
        oracle.exact("user_centric", with_listeners(T1, World({("bot", "X"): 9}, {"bot": 5})))["X"]
        == 5
    )


@pytest.mark.parametrize("rule", BY_LISTENERS)
def test_who_pays_nothing_brings_a_track_nothing(rule: str) -> None:
    world = with_listeners(T1, World({("guest", "C"): 10}))

    assert divided(rule, world) == divided(rule, T1)
    assert divided("pro_rata", world)["C"] > 0


@pytest.mark.parametrize("rule", BY_PLAYS)
@pytest.mark.parametrize("plays", [{}, {("u1", "A"): 0}])
def test_a_pool_without_plays_gives_no_track_anything(
    rule: str, plays: dict[tuple[str, str], int]
) -> None:
    amounts = divided(rule, World(plays, {"u1": PPM}))

    assert not {*amounts} & {*TRACKS}
    assert amounts == ({oracle.EQUALLY: PPM // 2, oracle.UNBOOKED: PPM // 2} if amounts else {})
