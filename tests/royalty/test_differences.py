from collections import defaultdict
from fractions import Fraction
from functools import cache
from itertools import product

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from db.engines import connect
from royalty.catalogue import PPM
from royalty.differences import Difference, differences, moved
from royalty.division import PPB
from royalty.lines import SCHEMA
from royalty.money import Money

INTERESTS = {"r1": {"ann": 600_000, "bob": 400_000}, "r2": {"bob": PPM}}
COMMON = {"ann": Fraction(3, 10), "bob": Fraction(7, 10)}  # of the unattributed money
Share = tuple[int, int, int]  # ppb, low, high
Shares = dict[tuple[str, str], Share]  # by track and recording; "" is unattributed


@cache
def compiled() -> str:
    """The SQL of the difference: compiled once, run on many worlds."""
    columns = ibis.Schema.from_pyarrow(SCHEMA)
    expression = differences(ibis.table(columns, "first"), ibis.table(columns, "second"))
    return str(ibis.to_sql(expression, dialect="duckdb"))


def found(first: list[dict], second: list[dict]) -> dict[str, tuple[int, int, int]]:
    engine = connect().con
    for name, rows in (("first", first), ("second", second)):
        engine.register(name, pa.Table.from_pylist(rows, schema=SCHEMA))
    rows = engine.sql(compiled()).to_arrow_table().to_pylist()
    return {row["payee"]: (row["micros"], row["low_micros"], row["high_micros"]) for row in rows}


def row(track: str, payee: str | None, micros: int, low: int, high: int) -> dict:
    return dict.fromkeys(SCHEMA.names, None) | {
        "pool": "p",
        "track": track,
        "payee": payee,
        "kind": "attributed",
        "plays": 1,
        "share_ppb": 0,
        "low_ppb": 0,
        "high_ppb": 0,
        "interest_ppm": PPM,
        "micros": micros,
        "low_micros": min(low, micros),
        "high_micros": max(high, micros),
    }


def allocations(revenue: dict[str, int], shares: Shares) -> list[dict]:
    """What payees get of tracks and of the unattributed money, floored with its interval."""
    rows = []
    for (track, recording), share in shares.items():
        for payee, ppm in INTERESTS.get(recording, {}).items():
            ends = (revenue[track] * end * ppm // (PPB * PPM) for end in share)
            rows.append(row(track, payee, *ends) | {"recording": recording, "right": "master"})
    for payee, part in COMMON.items():
        sums = [
            sum(revenue[track] * share[end] for (track, name), share in shares.items() if not name)
            for end in range(3)
        ]
        ends = (int(each * part / PPB) for each in sums)
        rows.append(row("", payee, *ends) | {"kind": "unattributed"})
    return rows


def by_hand(changed: dict[str, int], at: dict[tuple[str, str], int]) -> dict[str, Fraction]:
    """What revenue that changed by so much brings each payee, with these shares in ppb."""
    gets: defaultdict[str, Fraction] = defaultdict(Fraction)
    for (track, recording), ppb in at.items():
        worth = Fraction(changed[track] * ppb, PPB)
        parts = INTERESTS[recording] if recording else {who: x * PPM for who, x in COMMON.items()}
        for payee, ppm in parts.items():
            gets[payee] += worth * ppm / PPM
    return gets


def corners(shares: Shares):
    """Every choice of an end for every share; unattributed parts go together, or as stated."""
    named = [key for key in shares if key[1]]
    for *ends, common in product(*[(1, 2)] * len(named), (0, 1, 2)):
        place = dict(zip(named, ends, strict=True))
        yield {key: share[place.get(key, common)] for key, share in shares.items()}


@st.composite
def some_shares(draw: st.DrawFn) -> Shares:
    keys = st.tuples(st.sampled_from(["g1", "g2"]), st.sampled_from(["r1", "r2", ""]))
    shares = {}
    for key in draw(st.sets(keys, min_size=1)):
        low, ppb, high = sorted(draw(st.tuples(*[st.integers(0, PPB)] * 3)))
        shares[key] = (ppb, low, high)
    return shares


some_revenue = st.fixed_dictionaries({track: st.integers(0, 10**9) for track in ("g1", "g2")})


@settings(max_examples=40)
@given(some_revenue, some_revenue, some_shares())
def test_the_interval_is_what_the_shares_within_theirs_can_make_of_it(
    first: dict[str, int], second: dict[str, int], shares: Shares
) -> None:
    changed = {track: second[track] - first[track] for track in first}
    reached = [by_hand(changed, at) for at in corners(shares)]
    stated = by_hand(changed, {key: share[0] for key, share in shares.items()})

    got = found(allocations(first, shares), allocations(second, shares))

    rounding = 2 * (len(shares) + 1)
    for payee, (micros, low, high) in got.items():
        ends = [each[payee] for each in reached]
        assert low <= micros <= high
        assert abs(micros - stated[payee]) <= rounding
        assert abs(low - min(ends)) <= rounding
        assert abs(high - max(ends)) <= rounding


def test_where_a_rule_gives_less_the_ends_change_places() -> None:
    shares = {("g1", "r2"): (500_000_000, 400_000_000, 700_000_000)}

    got = found(allocations({"g1": 100}, shares), allocations({"g1": 40}, shares))

    assert got["bob"] == (-30, -42, -24)


def test_gains_and_losses_of_one_payee_are_as_uncertain_as_both() -> None:
    shares = {
        ("g1", "r2"): (500_000_000, 400_000_000, 600_000_000),
        ("g2", "r2"): (500_000_000, 400_000_000, 600_000_000),
    }

    got = found(
        allocations({"g1": 100, "g2": 0}, shares), allocations({"g1": 0, "g2": 100}, shares)
    )

    assert got["bob"] == (0, -20, 20)


def test_one_and_the_same_rule_differs_by_nothing() -> None:
    rows = allocations({"g1": 999}, {("g1", "r1"): (10**8, 10**7, 10**9), ("g1", ""): (7, 0, 9)})

    assert set(found(rows, rows).values()) == {(0, 0, 0)}


def test_suspense_and_the_platform_are_no_payees() -> None:
    stray = row("g1", None, 10, 10, 10)

    assert found([stray], [row("g1", "ann", 10, 5, 20)]) == {"ann": (10, 5, 20)}


def test_a_payee_of_one_rule_only_gains_or_loses_all() -> None:
    one, other = row("g1", "ann", 10, 5, 20), row("g1", "bob", 10, 5, 20)

    assert found([one], [other]) == {"ann": (-10, -20, -5), "bob": (10, 5, 20)}


def test_what_moves_is_what_gainers_gain() -> None:
    def difference(payee: str, micros: int) -> Difference:
        amount = Money(micros, "EUR")
        return Difference(payee=payee, amount=amount, low=amount, high=amount)

    assert moved([difference("a", 5), difference("b", -7), difference("c", 2)], "EUR") == Money(
        7, "EUR"
    )
