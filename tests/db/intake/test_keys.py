import random
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import snapshots
from db.intake import keys
from db.intake.sheets import ROW

ROWS = st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "ab", "é", "a b"])] * 2), max_size=12)


def table(rows: list[tuple[str, str]]) -> pa.Table:
    first, second = zip(*rows, strict=True) if rows else ([], [])
    numbers = pa.array(range(2, len(rows) + 2), pa.int64())
    texts = {"x": pa.array(first, pa.string()), "y": pa.array(second, pa.string())}
    return pa.table(texts | {ROW: numbers})


@given(ROWS)
def test_keys_that_come_twice_are_found_as_one_by_one(rows: list[tuple[str, str]]) -> None:
    where = defaultdict(list)
    for number, key in enumerate(rows, start=2):
        where[key].append(number)

    found = keys.repeated(table(rows), ["x", "y"])

    assert sorted(found) == sorted(numbers for numbers in where.values() if len(numbers) > 1)


def test_other_keys_of_one_hash_are_not_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        keys, "_hashes", lambda t, _: (np.zeros(len(t), np.uint64), t[ROW].to_numpy())
    )

    assert keys.repeated(table([("a", "b"), ("b", "a"), ("a", "b")]), ["x", "y"]) == [[2, 4]]


@given(ROWS.map(lambda rows: list(dict.fromkeys(rows))).filter(bool))
def test_rows_are_ordered_as_the_engine_orders_texts(rows: list[tuple[str, str]]) -> None:
    ordered = keys.in_order(table(rows), ["x", "y"])

    assert (
        ordered.to_pylist()
        == table(rows).sort_by([("x", "ascending"), ("y", "ascending")]).to_pylist()
    )


def test_too_many_places_for_a_number_are_ordered_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keys, "prod", lambda _: 2**63)

    assert keys.in_order(table([("b", "a"), ("a", "b")]), ["x", "y"])["x"].to_pylist() == ["a", "b"]


def test_the_same_rows_in_any_order_and_number_of_threads_give_the_same_bytes() -> None:
    rows = [("2026-10", f"u{i // 7}", f"t{i % 7}", "app", "DE", i % 9, i % 3) for i in range(5000)]
    names = snapshots.SCHEMAS["usage"].names
    usage = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)
    wanted = snapshots.encode("usage", usage)
    threads = pa.cpu_count()
    try:
        for count in (1, 3):
            pa.set_cpu_count(count)
            assert snapshots.encode("usage", keys.in_order(usage.take(order), names[:5])) == wanted
    finally:
        pa.set_cpu_count(threads)
