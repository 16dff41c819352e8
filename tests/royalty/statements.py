"""A small statement that names everything a statement can name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from types import SimpleNamespace

from royalty.catalogue import Party
from royalty.money import Money
from royalty.movements import Movement
from royalty.period import Period
from royalty.statement import Heading, Line, Statement, make_statement
from royalty.terms import Terms
from tests.oracle import PPB
from tests.royalty.allocating import allocate
from tests.royalty.worlds import (
    FIRST,
    OCTOBER,
    AllocationOptions,
    Rights,
    interest,
    pool_of,
    recording,
    share,
)

POOL = pool_of(1_000_000)
EARNED = {"g1": 700_001, "g2": 299_999}  # by track, in micros
PARTIES = {
    "ann": Party(id="ann", name='Ann "A" Çelik, jr.', kind="artist", payee="agency", isni="0001"),
    "bob": Party(id="bob", name="=Bob", kind="label", payee="agency", ipi="00052210040"),
    "cy": Party(id="cy", name="Cy", kind="artist", payee="cy"),
}
RECORDINGS = {
    "r1": replace(recording("r1", "w1"), isrc="GBAYE0000351", iswc="T0345246801"),
    "r2": replace(recording("r2", "w2"), artist="cy", licensed_to=date(2030, 1, 1)),
}


@cache
def rows() -> dict[str, SimpleNamespace]:
    rights = Rights(
        recordings=RECORDINGS,
        interests=[
            interest("r1", "ann", 333_333),
            interest("r1", "bob", 600_000),
            interest("w1", "ann", right="publishing"),
            interest("r2", "cy"),
        ],
        payees={party.id: party.payee for party in PARTIES.values()},
        terms=[Terms(party="bob", royalty_rate_ppm=900_000)],
    )
    shares = {
        "g1": [
            share("r1", 600_000_000, 400_000_000, 800_000_000),
            share("r2", 100_000_000),
            share(None, 300_000_000),
        ],
        "g2": [share("r1", PPB // 3), share(None, PPB - PPB // 3)],
    }
    options = AllocationOptions(on=FIRST, publishing_ppm=250_000)
    found = allocate(POOL, EARNED, shares, rights, options)
    return {f"a#{n}": row for n, row in enumerate(found.lines)}


def line(key: str, row: SimpleNamespace, kept_micros: int) -> Line:
    recording, party = RECORDINGS[row.recording], PARTIES[row.party]
    posting = {"master": ("2.3", "ab12"), "publishing": ("2.4", "cd34")}[row.right]
    same = ("kind", "pool", "track", "recording", "work", "party", "right", "plays", "share_ppb")
    return Line(
        **{name: getattr(row, name) for name in (*same, "low_ppb", "high_ppb", "interest_ppm")},
        pool_amount=POOL.amount,
        source=POOL.source,
        territory=POOL.territory,
        title=recording.title,
        artist=PARTIES[recording.artist].name,
        isrc=recording.isrc,
        iswc=recording.iswc,
        party_ipi=party.ipi,
        artist_isni=PARTIES[recording.artist].isni,
        gross=Money(row.micros + kept_micros, "EUR"),
        deductions=Money(-kept_micros, "EUR"),
        net=Money(row.micros, "EUR"),
        low=Money(row.low_micros, "EUR"),
        high=Money(row.high_micros, "EUR"),
        rule="pro_rata-1",
        posting=posting[0],
        posting_hash=posting[1],
        allocation=key,
        track_plays=row.plays if row.track else None,
        track_revenue=Money(EARNED[row.track], "EUR") if row.track else None,
    )


def lines(payee: str) -> list[Line]:
    def subject(row: SimpleNamespace) -> tuple[str | None, ...]:
        return (row.track, row.recording, row.right, row.party)

    kept = {subject(row): row.micros for row in rows().values() if row.kind == "platform"}
    return [
        line(key, row, kept.get(subject(row), 0))
        for key, row in rows().items()
        if row.payee == payee
    ]


def movement(term: str, micros: int, posting: str = "7.1", **more: object) -> Movement:
    facts: dict[str, object] = {
        "what": f"what {term} did",
        "why": f"why {term} did it",
        "posting_hash": "ef56",
        "usage_period": OCTOBER,
        "effective_on": date(2026, 10, 31),
    }
    return Movement(term=term, amount=Money(micros, "EUR"), posting=posting, **facts | more)


def movements() -> list[Movement]:
    """One of each term, a release and a prior-period adjustment among them."""
    return [
        movement(
            "adjustments",
            -11,
            "7.1",
            adjusts="2026-09/allocation/2026-09/app/DE/EUR",
            usage_period=Period(2026, 9),
            what="correction, of 2026-09",
            right="master",
            pool="2026-09/app/DE/EUR",
        ),
        movement("recouped", -7, "8.1"),
        movement("reserved", -5, "9.1"),
        movement("reserved", 2, "10.1", adjusts="2025-10/reserve/ann", why="=old enough"),
        movement("withheld", -3, "11.2"),
        movement("paid", -13, "11.1", fx_rate="2026-10-30/USD/EUR"),
    ]


OPENING = Money(5_000_000, "EUR")


def heading(moved_micros: int = 0, **more: object) -> Heading:
    facts: dict[str, object] = {
        "payee": "agency",
        "payee_name": "The Agency",
        "period": OCTOBER,
        "rule": "pro_rata-1",
        "rule_version": "pro_rata-1 minimum_plays=3",
        "opening": OPENING,
        "closing": OPENING + Money(moved_micros, "EUR"),
    }
    return Heading(**facts | more)


def statement(payee: str = "agency", moved: Sequence[Movement] | None = None) -> Statement:
    found, moved = lines(payee), movements() if moved is None else moved
    micros = sum(line.net.micros for line in found) + sum(each.amount.micros for each in moved)
    said = heading(
        micros,
        payee=payee,
        provider="ours",
        runs=("run-1",),
        closed_at="2026-11-02T08:00:00.000000Z",
        root="ab" * 32,
        notes=("'Title of r2' (r2) earned nothing: its licence ended.",),
    )
    return make_statement(said, found, moved)
