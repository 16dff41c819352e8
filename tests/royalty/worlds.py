"""Small worlds, and what stands in catalogues and terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from hypothesis import strategies as st

from royalty.allocation import Pool
from royalty.catalogue import PPM, Interest, Recording
from royalty.ledger import Transaction
from royalty.money import Money
from royalty.period import Period
from royalty.shares import Share
from royalty.terms import Terms
from tests.oracle import PPB, World


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the books have of rights, as values: recordings by id, and who is paid for whom."""

    recordings: Mapping[str, Recording]
    interests: Sequence[Interest]
    payees: Mapping[str, str]
    terms: Sequence[Terms] = ()


@dataclass(frozen=True, kw_only=True)
class AllocationOptions:
    """The day on which all is read, and the parity of rights."""

    on: date
    publishing_ppm: int = 0


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


def balances(transactions: Iterable[Transaction]) -> dict[tuple[str, str], Money]:
    """The sum of the postings of each (account, currency)."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for transaction in transactions:
        for posting in transaction.postings:
            sums[posting.account, posting.amount.currency] += posting.amount.micros
    return {key: Money(micros, key[1]) for key, micros in sums.items()}


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
        Terms(
            party=party,
            royalty_rate_ppm=draw(st.integers(0, PPM)),
            territory=territory,
            most_favoured=draw(st.booleans()),
        )
        for party in ("ann", "bob", "cy")
        for territory in draw(st.sets(st.sampled_from(["WW", "DE", "US"])))
    ]
    return Rights(
        recordings=catalogue,
        interests=interests,
        payees={"ann": "ann", "bob": "bob", "cy": "bob"},
        terms=terms,
    )
