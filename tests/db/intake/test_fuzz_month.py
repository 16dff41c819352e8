# ruff: noqa: E501  one row a word reads best
"""Usage, revenue and shares: whatever a file holds, all of it comes in or nothing does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings

from db import snapshots
from db.engine import Books
from db.intake import revenue, shares, usage
from db.intake.receipt import Receipt
from royalty.errors import Problem
from tests.db.intake import mutations, twin
from tests.db.intake.fuzzing import Bench, few
from tests.db.intake.mutations import Made

WHOLE = "1000000000"
PARTS = ["400000000", "1", "500000000"]

# Together with the catalogue's, 100,000.
many = settings(few, max_examples=30_000)

# Sound rows; some keys came in before, and one month is closed.
USAGE = mutations.files(
    "period,listener,track,source,territory,plays",
    "2026-09,u1,t1,app,DE,3 2026-09,u2,t1,app,DE,0 2026-09,u1,t9,web,WW,10000000"
    " 2026-11,u1,t1,app,DE,7 2026-11,ü4,=t3,app,FR,007 2026-08,u1,t1,app,DE,1 2026-10,u7,t1,app,DE,1",
) | mutations.files(
    "period,listener,track,source,territory,plays,active",
    "2026-11,u1,t1,app,DE,7,7 2026-11,u1,t2,app,DE,10,0 2026-11,u1,t3,app,DE,7, 2026-09,u5,t1,app,DE,9,1",
)
REVENUE = mutations.files(
    "period,listener,source,territory,currency,net",
    "2026-11,u1,app,DE,EUR,1.5 2026-11,u2,app,DE,EUR,0 2026-11,u2,web,DE,EUR,10.990001"
    " 2026-11,v1,app,DE,EUR,3 2026-08,u1,app,DE,USD,10000000 2026-10,u7,app,DE,EUR,1",
) | mutations.files(
    "period,listener,track,source,territory,currency,net",
    "2026-11,,t1,api,DE,EUR,3.25 2026-11,u1,t1,api,DE,EUR,1 2026-11,,,radio,WW,EUR,7 2026-11,v1,,app,DE,EUR,2",
)
SHARES = mutations.files(
    "track,recording,share_ppb,low_ppb,high_ppb,provider",
    f"t8,r1,{WHOLE},,,x t9,,{WHOLE},0,,y t1,r1,{WHOLE},,,ours",
) | mutations.files(
    "track,recording,share_ppb,low_ppb,high_ppb,provider",
    f"t8,r1,{','.join(PARTS)},x t8,,600000000,,,x",
    whole=True,
)


def attempt(
    bench: Bench, take: Callable[[Books, Path], Receipt], made: Made
) -> Receipt | list[Problem] | str:
    path = bench.inbox / f"file{made.suffix}"
    path.write_bytes(made.content)
    return bench.accepts(lambda path: take(bench.books, path), path)


def holds(bench: Bench, module, kind: dict, made: Made) -> None:
    """Hold an import of usage or revenue to the slow twin."""
    outcome = attempt(bench, module.record, made)
    try:
        if made.plain is not None:
            agrees(bench, kind, made, outcome)
    finally:
        if isinstance(outcome, Receipt):
            bench.put_back()


def agrees(bench: Bench, kind: dict, made: Made, outcome: object) -> None:
    lines = twin.read(made.content)
    if not lines or not twin.header_is_sound(lines[0], kind):
        assert isinstance(outcome, list)
        assert {problem.row for problem in outcome} <= {None, 1}
        return
    expected = twin.faults(lines, kind)
    rows = twin.rows_of(lines)
    if isinstance(outcome, Receipt):
        assert not expected
        assert not any(twin.is_over(cells) for _, cells in rows)
        assert not twin.too_much(rows)
        assert sum(outcome.rows.values()) == len(rows)
        first = min(cells["period"] for _, cells in rows)
        kept = snapshots.read(bench.books, outcome.snapshot or "").to_pylist()
        assert sorted(map(twin.texts, kept)) == sorted(
            twin.texts(cells) for _, cells in rows if cells["period"] == first
        )
    elif isinstance(outcome, str):
        assert not expected
        assert any(twin.is_over(cells) for _, cells in rows)
    elif expected:
        assert {(problem.row, problem.field) for problem in outcome} == expected
    else:
        assert all("came in" in problem.message for problem in outcome)
        if twin.too_much(rows):
            assert any("with all that came in" in problem.message for problem in outcome)


@pytest.mark.parametrize("size", [few, pytest.param(many, marks=pytest.mark.full)])
def test_usage_comes_in_whole_or_not_at_all(bench: Bench, size: settings) -> None:
    size(given(USAGE)(lambda made: holds(bench, usage, twin.USAGE, made)))()


@pytest.mark.parametrize("size", [few, pytest.param(many, marks=pytest.mark.full)])
def test_revenue_comes_in_whole_or_not_at_all(bench: Bench, size: settings) -> None:
    size(given(REVENUE)(lambda made: holds(bench, revenue, twin.REVENUE, made)))()


@pytest.mark.parametrize("size", [few, pytest.param(many, marks=pytest.mark.full)])
def test_shares_come_in_whole_or_not_at_all(bench: Bench, size: settings) -> None:
    def share(made: Made) -> None:
        if isinstance(attempt(bench, shares.record, made), Receipt):
            bench.put_back()

    size(given(SHARES)(share))()
