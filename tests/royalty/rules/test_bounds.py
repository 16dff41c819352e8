"""Exact up to the bounds, refused beyond, never wrapped around; the same for any order of rows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from db.engines import connect
from royalty.errors import RoyaltyError
from royalty.rules import RULES
from royalty.rules.arithmetic import LISTENER_PLAYS_MAX, MICROS_MAX, PLAYS_MAX
from tests import oracle
from tests.oracle import PPB, PPM, World
from tests.royalty.rules.dividing import (
    compiled,
    divided,
    divided_all,
    facts_of,
    floored_all,
    run,
    totals,
)

EVERY_RULE = pytest.mark.parametrize("rule", sorted(RULES))

_THIRDS = {"A": {"ann": PPB // 3, "": PPB - PPB // 3}, "B": {"ann": 1, "bob": PPB - 1}}
ON_ONE_TRACK = World({("u1", "A"): 7, ("u2", "A"): 3}, {"u1": MICROS_MAX - 3, "u2": 3})
UNEVEN = World(
    {("u1", "A"): 9_999_991, ("u1", "B"): 9, ("u2", "B"): 1},
    {"u1": MICROS_MAX - 1, "u2": 1},
    999_999,
    {("u1", "A"): 9_999_991},
    credits=_THIRDS,
)
MOST_PLAYS = World(
    {(f"u{n}", "A" if n else "B"): LISTENER_PLAYS_MAX for n in range(299)}
    | {("u0", "B"): LISTENER_PLAYS_MAX - 1, ("u0", "C"): 1, ("u299", "C"): LISTENER_PLAYS_MAX},
    {f"u{n}": MICROS_MAX // 300 + n for n in range(299)},
    999_999,
    {(f"u{n}", "A"): LISTENER_PLAYS_MAX for n in range(1, 200)},
    credits=_THIRDS,
)
ODD = World(
    {(f"u{n}", "AB"[n % 2]): LISTENER_PLAYS_MAX - 2 * n - 1 for n in range(300)},
    {f"u{n}": MICROS_MAX // 300 - 7 * n for n in range(300)},
    999_983,
)
BOUNDS = {
    "odd numbers": ODD,
    "nothing": World({("u1", "A"): 1, ("u2", "B"): 2}, {"u1": 0}),
    "one micro": World({("u1", "A"): 1, ("u2", "B"): 2}, {"u2": 1}),
    "less than a micro": World({("u1", "A"): 1, ("u2", "B"): 2}, {"u2": 1}, 999_999),
    "all on one track": ON_ONE_TRACK,
    "one listener's most plays": World({("u1", "A"): LISTENER_PLAYS_MAX}, {"u1": MICROS_MAX}, 1),
    "uneven": UNEVEN,
    "most plays": MOST_PLAYS,
    "all booked": World({}, {}, 999_999, booked={("u1", "A"): MICROS_MAX - 1, ("u2", "B"): 1}),
    "all idle": World({("u1", "A"): PLAYS_MAX // 400, ("u2", "B"): 1}, {"u9": MICROS_MAX}),
}


@EVERY_RULE
def test_a_rule_is_exact_at_its_bounds(rule: str) -> None:
    wide = {"artist_boost": 3, "active_boost": 4, "artist_plays": 1, "artist_listeners": 1}
    options = wide if rule == "artist_centric" else {}

    amounts = divided_all(rule, list(BOUNDS.values()), **options)

    assert dict(zip(BOUNDS, amounts, strict=True)) == {
        name: oracle.revenue(rule, world, **options) for name, world in BOUNDS.items()
    }
    assert floored_all(rule, list(BOUNDS.values()), **options) == [
        oracle.floored(rule, world, **options) for world in BOUNDS.values()
    ]
    assert all(
        abs(amount - oracle.exact(rule, world, **options)[track]) <= 4
        for world, each in zip(BOUNDS.values(), amounts, strict=True)
        for track, amount in each.items()
    )


# A play of u1's costs less than a billionth of a micro more than one of u2's, and u2 comes later.
NEARLY_ALIKE = World(
    {("u1", "B"): 934, ("u2", "A"): 9_999_149, ("u3", "C"): 2},
    {"u1": 282, "u2": 3_019_015, "u3": 2_212_022},
    577_158,
)


def test_listeners_are_in_order_of_fee_per_play_beyond_a_billionth_of_a_micro() -> None:
    rule = "scaled_user_centric"

    assert floored_all(rule, [NEARLY_ALIKE]) == [oracle.floored(rule, NEARLY_ALIKE)]


def test_the_largest_pools_are_within_the_bounds() -> None:
    assert [
        (each.gross_micros, each.plays, each.listener_plays_max)
        for each in (totals(ON_ONE_TRACK), totals(MOST_PLAYS))
    ] == [
        (MICROS_MAX, 10, 7),
        (MOST_PLAYS.spent.total(), PLAYS_MAX, LISTENER_PLAYS_MAX),
    ]


@pytest.mark.parametrize(
    "world",
    [
        World({("u1", "A"): 1}, {"u1": MICROS_MAX, "u2": 1}),
        World({("u1", "A"): 1}, {}, booked={("u1", "A"): MICROS_MAX + 1}),
        World({("u1", "A"): LISTENER_PLAYS_MAX, ("u1", "B"): 1}, {"u1": 1}),
        World({(f"u{n}", "A"): LISTENER_PLAYS_MAX for n in range(301)}, {"u1": 1}),
        World({("u1", "A"): 1}, {"u1": -1}),
    ],
    ids=["revenue", "booked revenue", "a listener's plays", "plays", "negative revenue"],
)
def test_totals_beyond_the_bounds_are_refused(world: World) -> None:
    with pytest.raises(RoyaltyError, match="divide the period's revenue into smaller pools"):
        totals(world)


HUGE = {
    "plays": World({("u1", "A"): 2**62, ("u2", "B"): 2**62}, {"u1": MICROS_MAX - 1}),
    "one listener's plays": World({("u1", "A"): 2**62, ("u1", "B"): 2**62}, {"u1": 1}),
    "money": World({("u1", "A"): 2**40 + 1, ("u2", "B"): 2**40}, {"u1": 2**62, "u2": 2**62}),
}
EVERY_HUGE = pytest.mark.parametrize("name", HUGE)


@EVERY_HUGE
def test_totals_beyond_64_bits_are_an_error_and_no_small_number(name: str) -> None:
    with pytest.raises(duckdb.ConversionException):
        totals(HUGE[name])


@EVERY_RULE
@EVERY_HUGE
def test_far_beyond_its_bounds_a_rule_fails_or_is_right(rule: str, name: str) -> None:
    with suppress(duckdb.ConversionException, duckdb.OutOfRangeException):
        assert divided(rule, HUGE[name]) == oracle.revenue(rule, HUGE[name])


# However the tables lie and whoever reads them.


def a_month(seed: int) -> World:
    """Two hundred listeners, forty tracks, two pools."""
    random = Random(seed)

    def pool() -> World:
        pairs = {(f"u{random.randrange(200)}", f"t{random.randrange(40)}") for _ in range(1500)}
        plays = {pair: random.randrange(2000) for pair in sorted(pairs)}
        return World(
            plays,
            {f"u{n}": random.randrange(20 * PPM) for n in range(220)},
            700_000,
            {pair: random.randrange(count + 1) for pair, count in plays.items()},
            {pair: random.randrange(PPM) for pair in list(plays)[:300]},
        )

    return replace(pool(), beside=[pool()])


@pytest.fixture(scope="module")
def month() -> dict[str, pa.Table]:
    return facts_of([a_month(1)])


def sql_of(rule: str) -> str:
    options = {"artist_plays": 100, "artist_listeners": 9} if rule == "artist_centric" else {}
    return compiled(rule, tuple(options.items()))


def ordered(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return sorted((row["pool"], row["track"], row["micros"]) for row in rows)


@EVERY_RULE
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_neither_order_nor_files_nor_threads_matter(
    rule: str, threads: int, month: dict[str, pa.Table], tmp_path: Path
) -> None:
    random = Random(threads)
    duck = connect(f"duckdb?threads={threads}").con.cursor()
    for name, table in month.items():
        rows = random.sample(range(len(table)), len(table))
        for part in range(3):
            path = tmp_path / f"{name}-{part}.parquet"
            pq.write_table(
                table.take(pa.array(rows[part::3], pa.int64())), path, row_group_size=100
            )
        duck.sql(f"create or replace temp view {name} as from '{tmp_path}/{name}-*.parquet'")

    scattered = duck.sql(sql_of(rule)).to_arrow_table().to_pylist()

    assert ordered(scattered) == ordered(run(sql_of(rule), month))
    duck.close()
