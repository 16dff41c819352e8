"""From the revenue of tracks to amounts of parties: shares, rights, interests, terms.

Exact integers throughout; every step hands out the whole of what it was given, so that a pool's
allocations sum to the pool, to the micro.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from itertools import islice

import pyarrow as pa

from royalty.catalogue import PPM, RIGHTS, Interest, Recording, Right
from royalty.division import PPB, divide
from royalty.errors import Conflict, NotFound
from royalty.ledger import Kind
from royalty.money import Money
from royalty.period import Period
from royalty.shares import Share
from royalty.terms import Terms

WORLDWIDE = "WW"
_BATCH = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Money to divide: one period's, of one source, territory and currency."""

    period: Period
    source: str
    territory: str
    amount: Money

    @property
    def id(self) -> str:
        """The four joined, such as `2026-10/app/DE/EUR`."""
        return f"{self.period}/{self.source}/{self.territory}/{self.amount.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRevenue:
    """What a rule gave one track of the pool."""

    micros: int
    plays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Who holds what: the catalogue without placebos, and what was agreed with whom."""

    recordings: Mapping[str, Recording]
    interests: Sequence[Interest]
    payees: Mapping[str, str]  # party → who is paid for it
    terms: Sequence[Terms] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationOptions:
    """The day on which licences, interests and terms are read, and the parity of rights."""

    on: date
    publishing_ppm: int = 0  # the publishing part of every recording's money; the rest is master's


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Money owed to one party for one recording's part in one track, or where else it went.

    `track` is empty for the unattributed money of the whole pool. `payee` is None for suspense and
    for the platform; `party` then says whose terms kept the money back, and is None for suspense.
    """

    pool: str
    track: str
    recording: str | None
    work: str | None
    right: Right | None  # None: it went to suspense before rights came into it
    party: str | None
    payee: str | None
    kind: Kind
    plays: int
    share_ppb: int
    low_ppb: int
    high_ppb: int
    interest_ppm: int
    micros: int
    low_micros: int
    high_micros: int


COLUMNS = tuple(field.name for field in fields(Allocation))
SCHEMA = pa.schema(
    pa.field(
        name, pa.int64() if name.endswith(("plays", "_ppb", "_ppm", "micros")) else pa.string()
    )
    for name in COLUMNS
)


def allocate(
    pool: Pool,
    tracks: Mapping[str, TrackRevenue],
    shares: Mapping[str, Sequence[Share]],
    rights: Rights,
    options: AllocationOptions,
) -> list[Allocation]:
    """Divide a pool's tracks among parties; the amounts sum to the pool, to the micro.

    A track's money follows its shares, a recording's its rights, a right's its interests, and an
    interest's the party's terms. What nobody holds goes to suspense as unclaimed, a track without
    shares as unmatched, and so does a pool in which nothing was played. The unattributed part of
    all tracks, with that of recordings that are not licensed on the day, is summed and divided
    once: equally among licensed works, then equally among a work's licensed recordings.
    Raises `NotFound` for a share of an unknown recording, and `Conflict` when the tracks do not sum
    to the pool or interests to more than the whole.
    """
    day = _resolve(pool, rights, options)
    portions = [
        portion
        for track, revenue in sorted(tracks.items())
        for portion in _portions(track, revenue, shares.get(track), day)
    ]
    if not tracks:
        portions = [_Portion(kind="suspense_unmatched", micros=pool.amount.micros)]
    unattributed = [each for each in portions if each.kind == "unattributed"]
    owned = [each for each in portions if each.kind != "unattributed"]
    rows = [
        _row(pool.id, portion, end)
        for portion in (*owned, *_equally(unattributed, day))
        for end in _ends(portion, day)
        if end.micros or end.high_micros
    ]
    allocated = sum(row.micros for row in rows)
    if allocated != pool.amount.micros:
        raise Conflict(
            f"the tracks of pool {pool.id} carry {allocated} micros and the pool has "
            f"{pool.amount.micros}; settle the rule's result against this pool first"
        )
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """What holds on the day in the pool's territory, looked up once."""

    recordings: Mapping[str, Recording]
    licensed: frozenset[str]
    claims: Mapping[tuple[Right, str], Mapping[str, int]]  # (right, its subject) → party → ppm
    rates_ppm: Mapping[str, int]
    payees: Mapping[str, str]
    rights_ppm: Mapping[Right, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Portion:
    """Money of one recording, or of none, before anybody's rights in it.

    Its interval is from `low_parts` to `high_parts`, both in micros / `of`: exact until the end.
    """

    kind: Kind
    micros: int
    low_parts: int = 0
    high_parts: int = 0
    of: int = PPB
    recording: Recording | None = None
    track: str = ""
    plays: int = 0
    share_ppb: int = 0
    low_ppb: int = 0
    high_ppb: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Where a part of a portion ends up."""

    kind: Kind
    micros: int
    low_micros: int
    high_micros: int
    right: Right | None = None
    party: str | None = None
    payee: str | None = None
    interest_ppm: int = 0


def _resolve(pool: Pool, rights: Rights, options: AllocationOptions) -> _Day:
    parity = {"master": PPM - options.publishing_ppm, "publishing": options.publishing_ppm}
    return _Day(
        recordings=rights.recordings,
        licensed=frozenset(
            key for key, each in rights.recordings.items() if each.licensed_on(options.on)
        ),
        claims=_claims(rights.interests, pool.territory, options.on),
        rates_ppm={
            each.party: each.royalty_rate_ppm
            for each in sorted(rights.terms, key=lambda each: each.valid_from or date.min)
            if each.hold_on(options.on)
        },
        payees=rights.payees,
        rights_ppm={right: parity[right] for right in RIGHTS if parity[right]},
    )


def _claims(
    interests: Iterable[Interest], territory: str, on: date
) -> dict[tuple[Right, str], dict[str, int]]:
    """Sum each party's interest per subject; a set for the territory replaces the worldwide one."""
    sets: defaultdict[tuple[Right, str], dict[str, dict[str, int]]] = defaultdict(dict)
    for each in sorted(interests, key=lambda each: each.party):
        if each.territory in {territory, WORLDWIDE} and each.holds_on(on):
            parties = sets[each.right, each.subject_id].setdefault(each.territory, {})
            parties[each.party] = parties.get(each.party, 0) + each.ppm
    claims = {key: named.get(territory) or named[WORLDWIDE] for key, named in sets.items()}
    for (right, subject), parties in claims.items():
        if sum(parties.values()) > PPM:
            raise Conflict(
                f"interests in the {right} right of {subject} sum to {sum(parties.values())} ppm "
                f"on {on}, more than the whole; correct interests.csv"
            )
    return claims


def _portions(
    track: str, revenue: TrackRevenue, shares: Sequence[Share] | None, day: _Day
) -> Iterator[_Portion]:
    """Divide one track's money by its shares, recordings in order, the unattributed part last."""
    if shares is None:
        yield _Portion(
            kind="suspense_unmatched", micros=revenue.micros, track=track, plays=revenue.plays
        )
        return
    ordered = sorted(shares, key=lambda share: (share.recording is None, share.recording or ""))
    assert sum(share.ppb for share in ordered) == PPB, f"shares of {track} do not sum to 10**9"
    parts = divide(revenue.micros, [share.ppb for share in ordered])
    for share, micros in zip(ordered, parts, strict=True):
        recording = _licensed(share.recording, track, day)
        yield _Portion(
            kind="unattributed" if recording is None else "attributed",
            micros=micros,
            recording=recording,
            track=track,
            plays=revenue.plays,
            low_parts=revenue.micros * share.low_ppb,
            high_parts=revenue.micros * share.high_ppb,
            share_ppb=share.ppb,
            low_ppb=share.low_ppb,
            high_ppb=share.high_ppb,
        )


def _licensed(recording: str | None, track: str, day: _Day) -> Recording | None:
    if recording is not None and recording not in day.recordings:
        raise NotFound(
            f"track {track} owes a share to recording '{recording}', which the catalogue does not "
            "have; import it with 'tantieme catalogue import'"
        )
    return day.recordings[recording] if recording in day.licensed else None


def _equally(unattributed: Sequence[_Portion], day: _Day) -> Iterator[_Portion]:
    """Divide unattributed money among licensed works, then among each work's recordings.

    How much there is to divide is as uncertain as the tracks' unattributed parts are.
    """
    micros = sum(each.micros for each in unattributed)
    low_parts = sum(each.low_parts for each in unattributed)
    high_parts = sum(each.high_parts for each in unattributed)
    works: defaultdict[str, list[Recording]] = defaultdict(list)
    for key in sorted(day.licensed):
        works[day.recordings[key].work].append(day.recordings[key])
    if not works:
        yield _Portion(kind="suspense_unmatched", micros=micros)
        return
    by_work = divide(micros, [1] * len(works))
    for (_, recordings), part in zip(sorted(works.items()), by_work, strict=True):
        pieces = divide(part, [1] * len(recordings))
        for recording, piece in zip(recordings, pieces, strict=True):
            yield _Portion(
                kind="unattributed",
                micros=piece,
                low_parts=low_parts,
                high_parts=high_parts,
                of=PPB * len(works) * len(recordings),
                recording=recording,
            )


def _ends(portion: _Portion, day: _Day) -> Iterator[_End]:
    """Divide a portion between rights, a right among its holders, a holder's gross by its terms."""
    recording = portion.recording
    if recording is None:
        yield _certain(portion.kind, portion.micros)
        return
    by_right = divide(portion.micros, list(day.rights_ppm.values()))
    for (right, right_ppm), part in zip(day.rights_ppm.items(), by_right, strict=True):
        subject = recording.id if right == "master" else recording.work
        claims = day.claims.get((right, subject), {})
        gap_ppm = PPM - sum(claims.values())
        *grosses, unclaimed = divide(part, [*claims.values(), gap_ppm])
        for (party, ppm), gross in zip(claims.items(), grosses, strict=True):
            rate_ppm = day.rates_ppm.get(party, PPM)
            net, kept = divide(gross, [rate_ppm, PPM - rate_ppm])
            low, high = _interval(portion, net, right_ppm * ppm * rate_ppm)
            yield _End(
                kind=portion.kind,
                micros=net,
                low_micros=low,
                high_micros=high,
                right=right,
                party=party,
                payee=day.payees.get(party, party),
                interest_ppm=ppm,
            )
            yield replace(_certain("platform", kept), right=right, party=party, interest_ppm=ppm)
        yield replace(_certain("suspense_unclaimed", unclaimed), right=right, interest_ppm=gap_ppm)


def _certain(kind: Kind, micros: int) -> _End:
    """Make an end whose amount carries no interval of its own."""
    return _End(kind=kind, micros=micros, low_micros=micros, high_micros=micros)


def _interval(portion: _Portion, micros: int, parts: int) -> tuple[int, int]:
    """Bound an amount: its portion's part at either end, floored.

    `parts` is the product of three parts per million. The amount itself may have been rounded up
    or down by a micro, so the interval is widened to hold it.
    """
    low, high = (
        ends * parts // (portion.of * PPM**3) for ends in (portion.low_parts, portion.high_parts)
    )
    return min(low, micros), max(high, micros)


def _row(pool_id: str, portion: _Portion, end: _End) -> Allocation:
    recording = portion.recording
    return Allocation(
        pool=pool_id,
        track=portion.track,
        recording=None if recording is None else recording.id,
        work=None if recording is None else recording.work,
        right=end.right,
        party=end.party,
        payee=end.payee,
        kind=end.kind,
        plays=portion.plays,
        share_ppb=portion.share_ppb,
        low_ppb=portion.low_ppb,
        high_ppb=portion.high_ppb,
        interest_ppm=end.interest_ppm,
        micros=end.micros,
        low_micros=end.low_micros,
        high_micros=end.high_micros,
    )


def to_table(rows: Iterable[Allocation]) -> pa.Table:
    """Put allocations into the columns of their snapshot, a batch at a time."""
    source = iter(rows)
    batches = []
    while batch := list(islice(source, _BATCH)):
        columns = {name: [getattr(row, name) for row in batch] for name in COLUMNS}
        batches.append(pa.RecordBatch.from_pydict(columns, schema=SCHEMA))
    return pa.Table.from_batches(batches, schema=SCHEMA)
