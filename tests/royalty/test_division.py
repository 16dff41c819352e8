from __future__ import annotations

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.engines import connect
from royalty.division import divide, settle
from royalty.errors import NothingToDivideAmong
from tests import oracle

# The one rounding.


def test_a_hundred_cents_over_thirds_leave_no_residue() -> None:
    assert divide(100, [1, 1, 1]) == [34, 33, 33]


@given(whole=st.integers(-(10**20), 10**20), weights=st.lists(st.integers(0, 10**12), min_size=1))
def test_parts_sum_to_the_whole_and_each_is_within_one_of_its_ideal(whole, weights) -> None:
    weights[0] += 1

    parts = divide(whole, weights)

    assert sum(parts) == whole
    assert all(
        abs(part * sum(weights) - whole * weight) < sum(weights)
        for part, weight in zip(parts, weights, strict=True)
    )
    assert parts == oracle.hamilton(whole, weights)


@given(
    whole=st.integers(0, 10**12),
    weights=st.lists(st.integers(1, 10**9), min_size=1, max_size=6, unique=True),
    random=st.randoms(),
)
def test_permuting_payees_permutes_amounts_but_for_ties(whole, weights, random) -> None:
    order = list(range(len(weights)))
    random.shuffle(order)
    parts = divide(whole, weights)

    permuted = divide(whole, [weights[i] for i in order])

    assert all(abs(permuted[place] - parts[i]) <= 1 for place, i in enumerate(order))


@given(weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=6), times=st.integers(1, 9))
def test_only_proportions_matter(weights, times) -> None:
    weights[0] += 1

    assert divide(10**9, [each * times for each in weights]) == divide(10**9, weights)


@pytest.mark.parametrize("weights", [[], [0], [0, 0]])
def test_money_without_anybody_to_divide_it_among_is_refused(weights) -> None:
    with pytest.raises(NothingToDivideAmong):
        divide(100, weights)


def test_a_negative_weight_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="negative"):
        divide(100, [2, -1])


# The same in tables: what floors leave of a whole.


def settled(whole_micros, *rows):
    names = ("track", "micros", "remainder")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    quotas = ibis.memtable(
        pa.table({"pool": [0] * len(rows)} | {n: list(c) for n, c in columns.items()})
    )
    wholes = ibis.memtable(pa.table({"pool": [0], "whole_micros": [whole_micros]}))
    found = connect("duckdb?threads=1").to_pyarrow(settle(quotas, wholes, order=["track"]))
    return {row["track"]: row["micros"] for row in found.to_pylist()}


def test_the_largest_remainders_get_what_the_floors_leave_and_ties_go_by_id() -> None:
    rows = [("c", 3, 700), ("a", 1, 300), ("b", 2, 700), ("d", 0, 300)]

    assert settled(8, *rows) == {"a": 1, "b": 3, "c": 4, "d": 0}
    assert settled(3, ("b", 1, 500), ("a", 1, 500)) == {"a": 2, "b": 1}


def test_a_row_without_a_part_gets_nothing_of_what_is_left() -> None:
    assert settled(3, ("a", 0, 0), ("b", 1, 10), ("c", 0, 0)) == {"a": 0, "b": 3, "c": 0}


def test_where_nobody_has_a_part_the_first_gets_it() -> None:
    assert settled(1, ("b", 0, 0), ("a", 0, 0)) == {"a": 1, "b": 0}


@settings(max_examples=40)
@given(
    whole=st.integers(0, 10**12),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any),
)
def test_settling_exact_quotas_is_dividing(whole, weights) -> None:
    fine = [whole * weight * 10**9 // sum(weights) for weight in weights]
    rows = [(f"t{n}", part // 10**9, part % 10**9) for n, part in enumerate(fine)]
    apart = len({part % 10**9 for part in fine}) == len(fine)

    parts = [settled(whole, *rows)[f"t{n}"] for n in range(len(weights))]

    assert sum(parts) == whole
    assert not apart or parts == divide(whole, weights)
