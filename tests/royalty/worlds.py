"""Small worlds, and rules run on them through DuckDB."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache
from itertools import pairwise

import duckdb
import ibis
import pyarrow as pa
from hypothesis import strategies as st

from royalty.allocation import Pool, Rights
from royalty.catalogue import PPM, Interest, Recording
from royalty.division import settle
from royalty.ledger import Transaction
from royalty.money import Money
from royalty.period import Period
from royalty.rules import RULES, PoolTotals, pool_totals
from royalty.shares import Share
from royalty.terms import Terms
from tests.oracle import PPB, World

OCTOBER = Period(2026, 10)
FIRST = date(2026, 10, 1)
TOLERANCE_MICROS = 1  # one rounding

T1 = World({("u1", "A"): 90, ("u1", "B"): 10, ("u2", "B"): 10}, {"u1": 10 * PPM, "u2": 10 * PPM})
T2 = World(
    {
        ("u1", "A"): 300,
        ("u1", "B"): 100,
        ("u2", "B"): 20,
        ("u2", "C"): 20,
        ("u3", "A"): 1,
        ("u3", "C"): 2,
    },
    {"u1": 10_990_000, "u2": 5_990_000, "u3": 10_990_000},
    650_000,
)
T3 = World(
    {**{(f"u{n}", "H"): 10 for n in range(9)}, ("bot", "X"): 910},
    {**{f"u{n}": PPM for n in range(9)}, "bot": PPM},
    700_000,
)
CHAIN = World(
    {("u1", "g1"): 8, ("u1", "g2"): 2, ("u2", "g2"): 30},
    {"u1": 10 * PPM, "u2": 10 * PPM},
    700_000,
)


USAGE = {"listener": "string", "track": "string", "plays": "int64"}
REVENUE = {"listener": "string", "net_micros": "int64"}


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """One connection for all worlds."""
    return duckdb.connect(config={"threads": 1})


@lru_cache(maxsize=512)
def compiled(name: str, rate_ppm: int) -> str:
    """The SQL of a rule's or the totals' expression: compiled once, run on many worlds."""
    divide = pool_totals if name == "totals" else RULES[name].divide
    expression = divide(ibis.table(USAGE, "usage"), ibis.table(REVENUE, "revenue"), rate_ppm)
    return str(ibis.to_sql(expression, dialect="duckdb"))


def arrow_tables(world: World) -> tuple[pa.Table, pa.Table]:
    usage = {
        "listener": [listener for listener, _ in world.plays],
        "track": [track for _, track in world.plays],
        "plays": list(world.plays.values()),
    }
    revenue = {"listener": list(world.fees), "net_micros": list(world.fees.values())}
    return (
        pa.table(usage, schema=ibis.schema(USAGE).to_pyarrow()),
        pa.table(revenue, schema=ibis.schema(REVENUE).to_pyarrow()),
    )


def run(name: str, world: World) -> pa.Table:
    usage, revenue = arrow_tables(world)
    connection().register("usage", usage)
    connection().register("revenue", revenue)
    return connection().sql(compiled(name, world.rate_ppm)).to_arrow_table()


def divided(rule: str, world: World) -> dict[str, int]:
    """Micros per track, by the rule on DuckDB."""
    return settle(run(rule, world), world.pool)


def balances(transactions: Iterable[Transaction]) -> dict[tuple[str, str], Money]:
    """The sum of the postings of each (account, currency)."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for transaction in transactions:
        for posting in transaction.postings:
            sums[posting.account, posting.amount.currency] += posting.amount.micros
    return {key: Money(micros, key[1]) for key, micros in sums.items()}


def totals(world: World) -> PoolTotals:
    (row,) = run("totals", world).to_pylist()
    return PoolTotals(**row)


LISTENERS = ("u1", "u2", "u3", "u4", "u5")
TRACKS = ("A", "B", "C", "D")
some_fees = st.integers(0, 20 * PPM) | st.integers(0, 10**12)
some_plays = st.integers(0, 200) | st.integers(0, 10**6)
rates = st.sampled_from([PPM, 999_999, 700_000, 650_000, 333_333, 1, 0])


def worlds(listeners_max: int = 5, *, rate: st.SearchStrategy[int] = rates) -> st.SearchStrategy:
    """Pools with idle listeners, listeners who pay nothing, and plays of nothing."""
    names = LISTENERS[:listeners_max]
    keys = st.tuples(st.sampled_from(names), st.sampled_from(TRACKS))
    return st.builds(
        World,
        st.dictionaries(keys, some_plays, max_size=12),
        st.dictionaries(st.sampled_from(names), some_fees, max_size=len(names)),
        rate,
    )


def pool_of(micros: int, territory: str = "DE") -> Pool:
    return Pool(period=OCTOBER, source="app", territory=territory, amount=Money(micros, "EUR"))


def recording(id_: str, work: str | None = None, **dates: date) -> Recording:
    return Recording(id=id_, title=f"Title of {id_}", artist="ann", work=work or id_, **dates)


def interest(subject_id: str, party: str, ppm: int = PPM, **other: object) -> Interest:
    right = other.pop("right", "master")
    return Interest(
        subject="recording" if right == "master" else "work",
        subject_id=subject_id,
        right=right,
        party=party,
        ppm=ppm,
        **other,
    )


def share(
    recording_id: str | None, ppb: int, low: int | None = None, high: int | None = None
) -> Share:
    return Share(
        recording=recording_id,
        ppb=ppb,
        low_ppb=ppb if low is None else low,
        high_ppb=ppb if high is None else high,
    )


@st.composite
def sharings(draw: st.DrawFn, recordings: tuple[str, ...]) -> list[Share]:
    """Shares of some recordings and the unattributed part, with intervals; they sum to 10**9."""
    cuts = draw(st.lists(st.integers(0, PPB), min_size=len(recordings), max_size=len(recordings)))
    edges = [0, *sorted(cuts), PPB]
    parts = [high - low for low, high in pairwise(edges)]
    return [
        share(name, ppb, draw(st.integers(0, ppb)), draw(st.integers(ppb, PPB)))
        for name, ppb in zip((*recordings, None), parts, strict=True)
    ]


@st.composite
def rights(draw: st.DrawFn, recordings: tuple[str, ...]) -> Rights:
    """Recordings, some unlicensed or of one work, interests with gaps, and terms below 1."""
    works = [draw(st.sampled_from(["w1", "w2", name])) for name in recordings]
    until = st.sampled_from([None, FIRST, date(2027, 1, 1)])
    catalogue = {
        name: recording(name, work, licensed_to=draw(until))
        for name, work in zip(recordings, works, strict=True)
    }
    subjects = [("master", name) for name in recordings]
    subjects += [("publishing", work) for work in sorted(set(works))]
    interests = []
    for right, subject in subjects:
        for territory in ("WW", "DE", "FR"):
            left = PPM
            for party in draw(st.lists(st.sampled_from(["ann", "bob", "cy"]), max_size=3)):
                ppm = draw(st.integers(0, left))
                left -= ppm
                interests.append(interest(subject, party, ppm, right=right, territory=territory))
    terms = [
        Terms(party=party, royalty_rate_ppm=draw(st.integers(0, PPM)))
        for party in draw(st.sets(st.sampled_from(["ann", "bob"])))
    ]
    return Rights(
        recordings=catalogue,
        interests=interests,
        payees={"ann": "ann", "bob": "bob", "cy": "bob"},
        terms=sorted(terms, key=lambda each: each.party),
    )
