import itertools
from collections import defaultdict
from fractions import Fraction
from functools import cache

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.engines import connect
from royalty.blend import (
    ROW,
    Blend,
    blended,
    blended_tracks,
    is_blend,
    mixed,
    named,
    postings_of,
    weights,
)
from royalty.catalogue import PPM
from royalty.lines import SCHEMA
from royalty.rules import RULES

HALVES = Blend.parse("pro_rata:0.5+user_centric:0.5")
UNEVEN = Blend.parse("pro_rata:0.333333+user_centric:0.666667")
THREE = Blend.parse("hybrid:0.000001+training_fee:0.7+user_equal:0.299999")
POOLS = ("2026-10/app/DE/EUR", "2026-10/app/FR/EUR")
Rows = list[dict[str, object]]


@cache
def compiled(name: str) -> str:
    """The SQL of a blend: compiled once, run on many worlds."""
    parts = Blend.parse(name)
    tables = {
        rule: ibis.table(ibis.Schema.from_pyarrow(SCHEMA), rule) for rule in parts.weights_ppm
    }
    return str(ibis.to_sql(blended(parts, tables), dialect="duckdb"))


def blend(parts: Blend, rules: dict[str, Rows]) -> Rows:
    engine = connect().con
    for rule, rows in rules.items():
        engine.register(rule, pa.Table.from_pylist(rows, schema=SCHEMA))
    return engine.sql(compiled(str(parts))).to_arrow_table().to_pylist()


def row(track: str, micros: int, low: int | None = None, high: int | None = None, **other) -> dict:
    certain = low is None
    return {
        "pool": POOLS[0],
        "track": track,
        "recording": "r1",
        "work": "w1",
        "right": "master",
        "party": "ann",
        "payee": "ann",
        "kind": "attributed",
        "plays": 3,
        "share_ppb": 5,
        "low_ppb": 4,
        "high_ppb": 6,
        "interest_ppm": PPM,
        "micros": micros,
        "low_micros": micros if certain else low,
        "high_micros": micros if certain else high,
    } | other


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pro_rata:0.6+user_centric:0.4", "pro_rata:0.6+user_centric:0.4"),
        ("user-centric:.400000 + pro-rata:0.60", "pro_rata:0.6+user_centric:0.4"),
        ("user_equal:0.000001+pro_rata:0.999999", "pro_rata:0.999999+user_equal:0.000001"),
        (
            "user_equal:0.25+pro_rata:0.5+user_centric:0.25",
            "pro_rata:0.5+user_centric:0.25+user_equal:0.25",
        ),
        ("user-centric", "user_centric"),
    ],
)
def test_a_rule_or_blend_has_one_name_however_it_is_written(text: str, name: str) -> None:
    assert named(text) == name
    assert is_blend(name) == ("+" in name)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pro_rata:0.6+user_centric:0.5", "sum to 1.1 and not to 1"),
        ("pro_rata:0.3+user_centric:0.3", "sum to 0.6 and not to 1"),
        ("pro_rata:0.6+winner:0.4", "'winner' is not a rule; there are artist_centric, "),
        ("pro_rata:0.5+pro_rata:0.5", "names pro_rata twice"),
        ("pro_rata:0.5+user_centric", "'user_centric' is not a rule and the part"),
        ("pro_rata:-0.5+user_centric:1.5", "'pro_rata:-0.5' is not a rule and the part"),
        ("pro_rata:0.1234567+user_centric:0.8765433", "at most six places"),
        ("pro_rata:0.999999+user_centric:0.000001+user_equal:0.0", "not of two rules or more"),
        ("winner", "'winner' is not a rule; there are artist_centric, "),
        ("", "'' is not a rule"),
        ("+", "'' is not a rule and the part"),
    ],
)
def test_a_text_that_is_no_blend_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("+", r"\+")):
        named(text)


def test_a_rule_of_its_own_divides_everything() -> None:
    assert weights("pro_rata") == {"pro_rata": PPM}
    assert weights(str(HALVES)) == {"pro_rata": 500_000, "user_centric": 500_000}


@given(
    st.dictionaries(st.sampled_from(sorted(RULES)), st.integers(1, 10**9), min_size=2, max_size=9)
)
def test_every_blend_is_read_back_from_its_name(weights: dict[str, int]) -> None:
    rules, whole = sorted(weights), sum(weights.values())
    parts = {rule: 1 + weights[rule] * (PPM - len(rules)) // whole for rule in rules}
    parts[rules[0]] += PPM - sum(parts.values())
    blend_ = Blend(weights_ppm=parts)

    assert Blend.parse(str(blend_)) == blend_


def test_half_and_half_is_the_mean_of_both() -> None:
    found = blend(
        HALVES,
        {
            "pro_rata": [row("g1", 10, 5, 15), row("g2", 10, 10, 10)],
            "user_centric": [row("g1", 20, 10, 40)],
        },
    )

    by_track = {each["track"]: each for each in found}
    assert by_track["g1"] == row("g1", 15, 7, 27)
    assert by_track["g2"] == row("g2", 5, 5, 5)


def test_what_the_floors_leave_goes_to_the_largest_remainders_of_each_pool() -> None:
    both = [row("g1", 1), row("g2", 1), row("g3", 1), row("g1", 4, pool=POOLS[1])]
    found = blend(
        Blend.parse("pro_rata:0.6+user_centric:0.4"),
        {"pro_rata": both, "user_centric": [row("g3", 3), row("g4", 4, pool=POOLS[1])]},
    )

    # DE: 0.6, 0.6, 1.8, of 3; FR: 2.4 and 1.6, of 4.
    micros = {(each["pool"][-6:-4], each["track"]): each["micros"] for each in found}
    assert micros == {("DE", "g1"): 1, ("DE", "g3"): 2, ("FR", "g1"): 2, ("FR", "g4"): 2}


def test_what_carries_no_interval_still_carries_none() -> None:
    odd = row("g1", 1, kind="platform", payee=None)

    found = blend(
        HALVES, {"pro_rata": [odd, row("g2", 2, 1, 2)], "user_centric": [row("g2", 3, 1, 3)]}
    )

    assert sum(each["micros"] for each in found) == 3
    (platform,) = (each for each in found if each["kind"] == "platform")
    assert platform["low_micros"] == platform["micros"] == platform["high_micros"]
    assert platform["payee"] is None


def test_ten_million_in_one_row_stay_exact() -> None:
    most = 10**13

    found = blend(
        UNEVEN, {"pro_rata": [row("g1", most)], "user_centric": [row("g1", most - 1), row("g2", 1)]}
    )

    assert {each["track"]: each["micros"] for each in found} == {"g1": most - 1, "g2": 1}


@st.composite
def divisions(draw: st.DrawFn) -> tuple[Blend, dict[str, Rows]]:
    """Divisions of the same pools by two or three rules, with rows that only some of them have."""
    parts = draw(st.sampled_from([HALVES, UNEVEN, THREE]))
    wholes = {pool: draw(st.integers(0, 10**13)) for pool in POOLS}
    divided: dict[str, Rows] = {}
    for rule in parts.weights_ppm:
        rows = []
        for pool, whole in wholes.items():
            cuts = draw(st.lists(st.integers(0, whole), max_size=5))
            edges = [0, *sorted(cuts), whole]
            for place, (low, high) in enumerate(itertools.pairwise(edges)):
                micros, payee = high - low, draw(st.sampled_from(["ann", None]))
                ends = draw(st.integers(0, micros)), draw(st.integers(micros, whole))
                rows.append(row(f"g{place}", micros, *ends, pool=pool, payee=payee))
        divided[rule] = rows
    return parts, divided


@settings(max_examples=25)
@given(divisions())
def test_a_blend_is_what_exact_fractions_say_and_its_pools_are_the_rules(world) -> None:
    parts, divided = world
    exact: defaultdict[tuple, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 3)
    for rule, rows in divided.items():
        for each in rows:
            key = tuple(each[name] for name in ROW)
            amounts = (each["micros"], each["low_micros"], each["high_micros"])
            for place, micros in enumerate(amounts):
                exact[key][place] += Fraction(micros * parts.weights_ppm[rule], PPM)

    found = blend(parts, divided)

    assert list(found[0] if found else SCHEMA.names) == SCHEMA.names
    for pool in POOLS:
        whole = sum(each["micros"] for each in divided[next(iter(divided))] if each["pool"] == pool)
        assert sum(each["micros"] for each in found if each["pool"] == pool) == whole
    for each in found:
        micros, low, high = exact.pop(tuple(each[name] for name in ROW))
        assert abs(each["micros"] - micros) < 1
        assert each["low_micros"] <= each["micros"] <= each["high_micros"]
        assert abs(each["low_micros"] - low) <= 1
        assert abs(each["high_micros"] - high) <= 1
    assert all(ends[0] < 1 and ends[2] < 1 for ends in exact.values())  # what came to nothing


@settings(max_examples=8)
@given(divisions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(world, chance) -> None:
    parts, divided = world
    shuffled = {rule: chance.sample(rows, len(rows)) for rule, rows in divided.items()}

    def found(rules: dict[str, Rows]) -> list[str]:
        return sorted(map(str, blend(parts, rules)))

    assert found(shuffled) == found(divided)


@given(
    st.integers(1, PPM - 1),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 10**15), max_size=4),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 10**15), max_size=4),
)
def test_sums_are_mixed_without_losing_a_micro(ppm: int, one: dict, other: dict) -> None:
    parts = Blend(weights_ppm={"pro_rata": ppm, "user_centric": PPM - ppm})
    short = sum(one.values()) - sum(other.values())
    one["rest"], other["rest"] = max(0, -short), max(0, short)

    def ends(sums: dict) -> dict:
        return {name: (micros, micros // 2, 2 * micros) for name, micros in sums.items()}

    found = mixed(parts, {"pro_rata": ends(one), "user_centric": ends(other)})

    assert sum(micros for micros, _, _ in found.values()) == sum(one.values())
    for name, (micros, low, high) in found.items():
        exact = Fraction(ppm * one.get(name, 0) + (PPM - ppm) * other.get(name, 0), PPM)
        assert abs(micros - exact) < 1
        assert low <= micros <= high
        assert abs(low - exact / 2) <= 2
        assert abs(high - 2 * exact) <= 1


def test_tracks_are_blended_within_their_pool() -> None:
    columns = ibis.schema({"pool": "int64", "track": "string", "micros": "int64", "plays": "int64"})
    tables = {rule: ibis.table(columns, rule) for rule in HALVES.weights_ppm}
    rows = {
        "pro_rata": [(0, "a", 1, 7), (0, "b", 4, 2), (1, "a", 3, 1)],
        "user_centric": [(0, "b", 2, 2), (0, "c", 3, 0), (1, "b", 3, 5)],
    }
    engine = connect().con
    for rule, values in rows.items():
        arrays = [pa.array(column) for column in zip(*values, strict=True)]
        engine.register(rule, pa.table(arrays, names=list(columns)))

    sql = ibis.to_sql(blended_tracks(HALVES, tables).order_by("pool", "track"), dialect="duckdb")

    assert engine.sql(str(sql)).fetchall() == [
        (0, "a", 1, 7),
        (0, "b", 3, 2),
        (0, "c", 1, 0),
        (1, "a", 2, 1),
        (1, "b", 1, 5),
    ]


def test_postings_are_the_sums_of_their_lines() -> None:
    lines = [row("g1", 3, 1, 5), row("g2", 4), row("g3", 9, payee=None, kind="platform")]

    found = connect().to_pyarrow(postings_of(ibis.memtable(pa.Table.from_pylist(lines, SCHEMA))))

    assert sorted(found.to_pylist(), key=lambda each: each["kind"]) == [
        posting(kind="attributed", payee="ann", ends=(7, 5, 9)),
        posting(kind="platform", payee="", ends=(9, 9, 9)),
    ]


def posting(kind: str, payee: str, ends: tuple[int, int, int]) -> dict[str, object]:
    named = {"pool": POOLS[0], "payee": payee, "right": "master", "kind": kind}
    return named | dict(zip(("micros", "low_micros", "high_micros"), ends, strict=True))
