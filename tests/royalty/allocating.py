"""Allocation run on small worlds through DuckDB, and its slow twin in exact fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import ibis
import pyarrow as pa

from db.engines import connect
from royalty import rights as books
from royalty.allocation import Pool, Settled, by_recording, claimed_in, lines, postings
from royalty.catalogue import PPM
from royalty.rights import CLAIMS, ENDS, RECORDINGS, RIGHTS_SCHEMAS, holdings
from royalty.shares import Share
from royalty.terms import Terms, rates
from tests.royalty.worlds import AllocationOptions, Rights

PLAYS = 7  # of every track
FINE = 10**9

_SCHEMAS = {
    "pools": {"pool": int, "id": str, "territory": str, "pool_micros": int},
    "tracks": {"pool": int, "track": str, "micros": int, "plays": int},
    "shares": {"track": str, "recording": str, "share_ppb": int, "low_ppb": int, "high_ppb": int},
    "recordings": ibis.schema(RECORDINGS),
    "ends": ibis.schema(ENDS),
    "claims": ibis.schema(CLAIMS),
}
_BOOSTS = {"pool": int, "artist": str, "boost": int}


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """What is posted, the lines that explain it, and what each recording brought."""

    postings: list[SimpleNamespace]
    lines: list[SimpleNamespace]
    recordings: dict[str, int]

    @property
    def paid(self) -> dict[str, int]:
        """Micros of each payee."""
        sums: defaultdict[str, int] = defaultdict(int)
        for each in self.postings:
            if each.payee:
                sums[each.payee] += each.micros
        return dict(sorted(sums.items()))

    def micros(self, kind: str) -> int:
        return sum(each.micros for each in self.postings if each.kind == kind)


def allocate(  # noqa: PLR0913, PLR0917 - a world has as many parts
    pool: Pool,
    tracks: Mapping[str, int],
    shares: Mapping[str, Sequence[Share]],
    rights: Rights,
    options: AllocationOptions,
    boosts: Mapping[str, int] | None = None,
    parts: Sequence[str] = ("postings", "lines", "by_recording"),
) -> Allocated:
    engine = connect("duckdb?threads=1")
    held = holdings(_tables(rights, options), options.publishing_ppm, engine.to_pyarrow)
    territory = claimed_in(pool.territory, held.territories)
    rows = {
        "pools": [(0, pool.id, territory, pool.amount.micros)],
        "tracks": [(0, track, micros, PLAYS) for track, micros in tracks.items()],
        "shares": [
            (track, each.recording, each.ppb, each.low_ppb, each.high_ppb)
            for track, stated in shares.items()
            for each in stated
        ],
        "boosts": [(0, artist, boost) for artist, boost in (boosts or {}).items()],
    }
    engine = engine.con
    for name, found in rows.items():
        schema = ibis.schema(_SCHEMAS.get(name, _BOOSTS)).to_pyarrow()
        table = pa.table(
            [list(c) for c in zip(*found, strict=True)] or [[]] * len(schema), schema=schema
        )
        engine.register(name, table)
    engine.register("recordings", held.recordings)
    engine.register("ends", held.ends)
    engine.register("claims", held.claims)

    def run(what: str) -> list[SimpleNamespace]:
        if what not in parts:
            return []
        sql = compiled(what, held.works, boosted=boosts is not None)
        return [SimpleNamespace(**row) for row in engine.sql(sql).to_arrow_table().to_pylist()]

    return Allocated(
        postings=[each for each in run("postings") if each.micros or each.high_micros],
        lines=sorted(run("lines"), key=lambda each: [str(value) for value in vars(each).values()]),
        recordings={each.recording: each.micros for each in run("by_recording")},
    )


def _tables(rights: Rights, options: AllocationOptions) -> books.Rights:
    rows = {
        "recordings": [
            (name, each.artist, each.work, each.licensed_on(options.on), None)
            for name, each in rights.recordings.items()
        ],
        "interests": [
            (each.right, each.subject_id, each.territory, each.party, each.ppm)
            for each in rights.interests
            if each.holds_on(options.on)
        ],
        "payees": list(rights.payees.items()),
        "rates": [(*key, rate) for key, rate in rates(_agreed(rights, options)).items()],
    }
    return books.Rights(
        **{
            name: pa.table(
                [list(c) for c in zip(*rows[name], strict=True)] or [[]] * len(schema),
                schema=schema,
            )
            for name, schema in RIGHTS_SCHEMAS.items()
        }
    )


@cache
def compiled(what: str, works: int, *, boosted: bool) -> str:
    tables = {name: ibis.table(schema, name) for name, schema in _SCHEMAS.items()}
    boosts = ibis.table(_BOOSTS, "boosts") if boosted else None
    settled = Settled(**tables, works=works, boosts=boosts)
    make = {
        "postings": postings,
        "by_recording": by_recording,
        "lines": lambda settled: lines(settled, postings(settled)),
    }[what]
    return str(ibis.to_sql(make(settled), dialect="duckdb"))


# The slow twin. An end is (payee, right, kind); a line adds track, recording and party.

End = tuple[str, str, str]


def posted(
    pool: Pool,
    tracks: Mapping[str, int],
    shares: Mapping[str, Sequence[Share]],
    rights: Rights,
    options: AllocationOptions,
) -> dict[End, int]:
    """Micros of each end: recordings are summed over tracks, then divided; one remainder."""
    sums: defaultdict[str | None, Fraction] = defaultdict(Fraction)
    waiting = 0 if tracks else pool.amount.micros
    for track, micros in tracks.items():
        if track not in shares:
            waiting += micros
        for share in shares.get(track, ()):
            sums[share.recording] += Fraction(micros * share.ppb, FINE)
    licensed = {n for n, each in rights.recordings.items() if each.licensed_on(options.on)}
    common = sum((money for name, money in sums.items() if name not in licensed), Fraction(0))
    works = {rights.recordings[name].work for name in licensed}
    quotas: defaultdict[End, Fraction] = defaultdict(Fraction)
    if not works:
        waiting += common
    quotas["", "", "suspense_unmatched"] += waiting
    for kind in ("attributed", "unattributed"):
        for end, part in _claimed(kind, (sums, common), licensed, (pool, rights, options)).items():
            quotas[end] += part
    cut = {end: _cut(part) for end, part in quotas.items()}
    return settled(cut, pool.amount.micros)


def _claimed(
    kind: str,
    money: tuple[Mapping[str | None, Fraction], Fraction],
    licensed: set[str],
    world: tuple[Pool, Rights, AllocationOptions],
) -> dict[End, Fraction]:
    sums, common = money
    recordings = world[1].recordings
    works = {recordings[name].work for name in licensed}
    ends: defaultdict[End, Fraction] = defaultdict(Fraction)
    for name in licensed:
        pieces = sum(recordings[other].work == recordings[name].work for other in licensed)
        equal = _cut(_cut(common / len(works)) / pieces)
        brought = sums.get(name, Fraction(0)) if kind == "attributed" else equal
        for end, part in _parts(name, brought, kind, world):
            ends[end] += part
    return ends


def settled(quotas: Mapping[End, Fraction], whole: int) -> dict[End, int]:
    amounts = {end: int(quota) for end, quota in quotas.items() if quota}
    owed = sorted(amounts, key=lambda end: (amounts[end] - quotas[end], end))
    for place in range(whole - sum(amounts.values())):
        amounts[owed[place % len(owed)]] += 1
    return {end: micros for end, micros in amounts.items() if micros}


def _cut(money: Fraction) -> Fraction:
    return Fraction(int(money * FINE), FINE)


def _parts(
    name: str, money: Fraction, kind: str, world: tuple[Pool, Rights, AllocationOptions]
) -> Iterator[tuple[End, Fraction]]:
    """Divide a recording's money: ((payee, right, kind), part)."""
    pool, rights, options = world
    parity = {"master": PPM - options.publishing_ppm, "publishing": options.publishing_ppm}
    for right, right_ppm in parity.items():
        subject = name if right == "master" else rights.recordings[name].work
        parties = _holders(rights, (right, subject), pool.territory, options)
        of_right = money * right_ppm / PPM
        for party, ppm in parties.items():
            gross = of_right * ppm / PPM
            rate = _rate(rights, party, pool.territory, options)
            yield (rights.payees.get(party, party), right, kind), gross * rate / PPM
            yield ("", right, "platform"), gross * (PPM - rate) / PPM
        gap = PPM - sum(parties.values())
        yield ("", right, "suspense_unclaimed"), of_right * gap / PPM


def _holders(
    rights: Rights, subject: tuple[str, str], territory: str, options: AllocationOptions
) -> dict[str, int]:
    """A set of interests for the territory goes before the worldwide one."""
    valid = [
        each
        for each in rights.interests
        if (each.right, each.subject_id) == subject and each.holds_on(options.on)
    ]
    here = [each for each in valid if each.territory == territory]
    parties: defaultdict[str, int] = defaultdict(int)
    for each in here or [each for each in valid if each.territory == "WW"]:
        parties[each.party] += each.ppm
    return dict(sorted(parties.items()))


def _rate(rights: Rights, party: str, territory: str, options: AllocationOptions) -> int:
    """The territory's own agreement goes before the worldwide one; the best, if most favoured."""
    valid = _agreed(rights, options)
    own = _agreement(valid, party, territory)
    if own is None or not own.most_favoured:
        return PPM if own is None else own.royalty_rate_ppm
    others = [_agreement(valid, each.party, territory) for each in valid]
    return max(each.royalty_rate_ppm for each in others if each is not None)


def _agreed(rights: Rights, options: AllocationOptions) -> list[Terms]:
    return [each for each in rights.terms if each.holds_on(options.on)]


def _agreement(valid: Sequence[Terms], party: str, territory: str) -> Terms | None:
    own = {each.territory: each for each in valid if each.party == party}
    return own.get(territory, own.get("WW"))
