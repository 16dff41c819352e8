"""From the revenue of tracks to what is posted: shares, rights, interests, terms.

Table expressions over all pools and tracks at once. Amounts are whole micros and billionths of a
micro apart, summed before they are divided; one largest remainder a pool makes them whole, and
lines are made whole within the posting that they explain (`royalty.division.settle`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import ibis
import pyarrow as pa
from ibis import Table
from ibis.expr.types import DecimalValue, IntegerValue

from royalty.catalogue import PPM
from royalty.division import PPB, settle
from royalty.money import Money
from royalty.period import Period
from royalty.rights import WORLDWIDE
from royalty.rules.arithmetic import FINE, WIDE, Parts, each, exact_sum, proportion, whole
from royalty.rules.facts import EQUALLY, UNBOOKED

TEXTS = ("pool", "track", "recording", "work", "right", "party", "payee", "kind")
NUMBERS = (
    "plays", "share_ppb", "low_ppb", "high_ppb", "interest_ppm",
    "micros", "low_micros", "high_micros",
)  # fmt: skip
# A line: money owed to one party for one recording's part in one track, or where else it went.
# `track` is empty for money of the whole pool: unattributed, or fixed by the rule. `payee` is null
# for suspense and for the platform; `party` then says whose terms kept the money back, and is null
# for suspense. `right` is null where money went to suspense before rights came into it.
SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in TEXTS),
        *(pa.field(name, pa.int64()) for name in NUMBERS),
    ]
)

_POSTING = ("pool", "payee", "right", "kind")
_SHARE = ("plays", "share_ppb", "low_ppb", "high_ppb")
_QUOTA = ("micros", "remainder", "low_micros", "high_micros")
_PORTION = ("pool", "track", "recording", "work", "kind", *_SHARE, *_QUOTA)
_END = ("pool", *TEXTS[1:], *_SHARE, "interest_ppm", *_QUOTA)
_UNCERTAIN = ("attributed", "unattributed")  # kinds whose amounts carry intervals
_WHOLE = PPM**3  # what a claim's weight is a part of
_UNMATCHED = "suspense_unmatched"


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
class Settled:
    """What there is to allocate, as tables."""

    pools: Table  # pool, id, territory (one of the holdings'), pool_micros
    tracks: Table  # pool, track, micros, plays: the rule's result, settled
    shares: Table  # track, recording (null: unattributed), share_ppb, low_ppb, high_ppb
    recordings: Table  # of the holdings
    claims: Table  # of the holdings
    works: int  # licensed ones
    boosts: Table | None = None  # pool, artist, boost: whose shares weigh more inside tracks
    kept_sums: Table | None = None

    def kept(self, keep: Callable[[Table], Table]) -> Settled:
        """Have the sums over tracks, which all else starts from, worked out once."""
        return replace(self, kept_sums=keep(self.sums))

    @property
    def sums(self) -> Table:
        """What tracks bring each recording ('': nobody): pool, recording and amounts."""
        if self.kept_sums is not None:
            return self.kept_sums
        shared = _shared(self)
        sums = {name: exact_sum(shared[name]) for name in _QUOTA}
        return _carried(shared.group_by("pool", "recording").agg(**sums))


def claimed_in(territory: str, territories: Collection[str]) -> str:
    """Say whose interests hold in a territory: its own where it has some, else worldwide ones."""
    return territory if territory in territories else WORLDWIDE


def postings(settled: Settled) -> Table:
    """Divide pools among payees: pool, payee, right, kind and amounts that sum to each pool.

    A track's money follows its shares, a recording's its rights, a right's its interests, and an
    interest's the party's terms. What nobody holds goes to suspense as unclaimed, a track without
    shares as unmatched, and so does a pool in which nothing was played. The unattributed part of
    all tracks, with that of recordings that are not licensed on the day, is summed and divided
    once: equally among licensed works, then equally among a work's licensed recordings; so is what
    the rule itself gives to all works alike. `payee` is empty for suspense and for the platform,
    `right` where rights did not come into it.
    """
    own, common = _known(settled.sums, settled)
    parts = [_claimed(own, settled), *([_claimed_alike(common, settled)] if settled.works else [])]
    waiting = _unmatched(settled) if settled.works else _unmatched(settled).union(_waiting(common))
    blank = dict.fromkeys(("payee", "right"), ibis.literal(""))
    waiting = waiting.mutate(**blank).select(*_POSTING, *_QUOTA)
    sums = {name: exact_sum(waiting[name]) for name in _QUOTA}
    quotas = _divided(parts).union(_carried(waiting.group_by(_POSTING).agg(**sums)))
    wholes = settled.pools.select("pool", whole_micros=settled.pools.pool_micros)
    return _bounded(settle(quotas, wholes, order=_POSTING[1:]))


def by_recording(settled: Settled) -> Table:
    """Sum what tracks bring each recording, whoever gets it: recording and amounts, floored."""
    own, _ = _known(settled.sums, settled)
    sums = {name: exact_sum(own[name]) for name in _QUOTA}
    return _carried(own.group_by("recording").agg(**sums)).drop("remainder")


def lines(settled: Settled, posted: Table) -> Table:
    """Explain postings: rows of `SCHEMA`, each one party's part of one recording in one track.

    They sum to their posting, to the micro. A track's or a recording's lines may differ from what
    it brought by some micros, since what is left over is given out once, and not within each.
    """
    own, common = _known(_shared(settled), settled)
    alike = _equally(common, settled) if settled.works else _waiting(common)
    portions = ibis.union(own.select(*_PORTION), alike, _unmatched(settled), distinct=False)
    wholes = posted.select(*_POSTING, whole_micros=posted.micros)
    order = ["track", "recording", "party"]
    ends = _ends(portions, settled)
    rows = _bounded(settle(ends, wholes, group=_POSTING, order=order))
    rows = rows.join(settled.pools.select("pool", "id"), "pool").drop("pool").rename(pool="id")
    rows = rows.filter((rows.micros > 0) | (rows.high_micros > 0))
    blank = ("recording", "work", "right", "party", "payee")
    return rows.mutate(**{name: rows[name].nullif("") for name in blank}).select(*SCHEMA.names)


def _shared(settled: Settled) -> Table:
    """Divide each track by its shares: pool, track, recording ('': unattributed) and quotas."""
    shares = settled.shares.mutate(recording=settled.shares.recording.fill_null(""))
    rows = settled.tracks.join(shares, "track")
    if settled.boosts is None:
        return rows.mutate(**_quota(rows, ibis.literal(1, "int64"), None))
    artists = settled.recordings.select("recording", "artist").join(settled.boosts, "artist")
    rows = rows.left_join(artists.drop("artist"), ["pool", "recording"])
    rows = rows.drop("pool_right", "recording_right").mutate(boost=rows.boost.fill_null(1))
    of = (rows.share_ppb * rows.boost).sum().over(group_by=("pool", "track")).cast("int64")
    rows = rows.mutate(of=of)
    return rows.mutate(**_quota(rows, rows.boost, rows.of)).drop("boost", "of")


def _quota(rows: Table, boost: IntegerValue, of: IntegerValue | None) -> dict[str, IntegerValue]:
    """Take a share and its interval of a track's money: the share exactly, where none is boosted.

    A boosted artist's shares weigh more, and the others of the track give way; `of` is their sum.
    """
    total = ibis.literal(PPB, "int64") if of is None else of
    above, below = whole(rows.micros, total), rows.micros % total

    def floor(ppb: IntegerValue) -> IntegerValue:
        return above * ppb + whole(below * ppb, total)

    share = rows.share_ppb * boost
    left = (below * share) % total
    return {
        "micros": floor(share),
        "remainder": left if of is None else whole(left * FINE, total),
        "low_micros": floor(rows.low_ppb * boost),
        "high_micros": ibis.least(floor(rows.high_ppb * boost), rows.micros),
    }


def _known(shared: Table, settled: Settled) -> tuple[Table, Table]:
    """Part what licensed recordings are brought from the common money: that of nobody known."""
    rows = shared.left_join(settled.recordings, "recording").drop("recording_right")
    rows = rows.mutate(licensed=rows.licensed.fill_null(False))
    own = rows.filter(rows.licensed).mutate(kind=ibis.literal("attributed"))
    return own, _common(settled, rows.filter(~rows.licensed))


def _common(settled: Settled, unattributed: Table) -> Table:
    """Sum what is divided equally, by pool and kind.

    How much unattributed money there is to divide is as uncertain as the tracks' parts are; what
    the rule fixed is certain.
    """
    sums = {name: exact_sum(unattributed[name]) for name in _QUOTA}
    sums = _carried(unattributed.group_by("pool").agg(**sums))
    fixed = settled.tracks.filter(settled.tracks.track == EQUALLY)
    columns = ("pool", "kind", *_QUOTA)
    return (
        sums.mutate(kind=ibis.literal("unattributed"))
        .select(*columns)
        .union(
            fixed.mutate(
                kind=ibis.literal("fixed"),
                remainder=ibis.literal(0, "int64"),
                low_micros=fixed.micros,
                high_micros=fixed.micros,
            ).select(*columns)
        )
    )


def _alike(common: Table, settled: Settled, pieces: Table) -> Table:
    """Divide by licensed works, then by each work's recordings: one recording's part of it."""
    works = ibis.literal(settled.works, "int64")
    rows = common.cross_join(pieces)
    part = each(each(Parts(rows.micros, rows.remainder), works), rows.pieces)
    ends = {
        name: whole(whole(rows[name], works), rows.pieces) for name in ("low_micros", "high_micros")
    }
    return rows.mutate(micros=part.micros, remainder=part.fine, **ends)


def _equally(common: Table, settled: Settled) -> Table:
    """Divide common money among licensed recordings: `_PORTION`s of no track."""
    licensed = settled.recordings.filter(settled.recordings.licensed)
    rows = _alike(common, settled, licensed)
    nothing = ibis.literal(0, "int64")
    return rows.mutate(track=ibis.literal(""), **dict.fromkeys(_SHARE, nothing)).select(*_PORTION)


def _claimed(own: Table, settled: Settled) -> Table:
    """Multiply what recordings are brought by what is claimed of it, summed by posting."""
    rows = own.select("pool", "recording", "kind", *_QUOTA)
    rows = rows.join(settled.pools.select("pool", "territory"), "pool")
    claims = settled.claims.select("territory", "recording", "payee", "right", "end", "weight")
    rows = rows.join(claims, ["territory", "recording"])
    return _products(rows, rows.weight)


def _claimed_alike(common: Table, settled: Settled) -> Table:
    """Do the same with common money, of which all recordings of equal works are brought as much."""
    licensed = settled.recordings.filter(settled.recordings.licensed).select("recording", "pieces")
    claims = settled.claims.join(licensed, "recording")
    weights = claims.group_by("territory", "payee", "right", "end", "pieces").agg(
        weight=claims.weight.cast(WIDE).sum()
    )
    pools = settled.pools.select("pool", "territory")
    parts = _alike(common, settled, licensed.select("pieces").distinct()).join(pools, "pool")
    rows = parts.join(weights, ["territory", "pieces"])
    return _products(rows, rows.weight)


def _products(rows: Table, weight: IntegerValue | DecimalValue) -> Table:
    kind = (rows.end == "").ifelse(rows.kind, rows.end)
    priced = rows.select(
        "pool", "payee", "right", kind=kind, **{n: rows[n].cast(WIDE) * weight for n in _QUOTA}
    )
    return _sums_of(priced)


def _sums_of(products: Table) -> Table:
    sums = {name: products[name].sum().cast(WIDE) for name in _QUOTA}
    return products.group_by(_POSTING).agg(**sums)


def _divided(products: Sequence[Table]) -> Table:
    """Divide sums of products by the whole weight, once a posting: exact but for one floor."""
    rows = products[0] if len(products) == 1 else _sums_of(ibis.union(*products))
    micros = proportion(rows.micros, 1, _WHOLE)
    below = (rows.micros - micros * _WHOLE) * FINE + rows.remainder
    ends = {name: proportion(rows[name], 1, _WHOLE) for name in ("low_micros", "high_micros")}
    found = {"micros": micros, "remainder": proportion(below, 1, _WHOLE), **ends}
    quotas = {name: value.cast("int64") for name, value in found.items()}
    return _carried(rows.select(*_POSTING, **quotas))


def _unmatched(settled: Settled) -> Table:
    """List money of tracks without shares, of no track, and of pools where nothing was played."""
    tracks = settled.tracks.filter(settled.tracks.track != EQUALLY)
    stray = tracks.anti_join(settled.shares, "track")
    named = stray.mutate(track=(stray.track == UNBOOKED).ifelse("", stray.track))
    silent = settled.pools.anti_join(settled.tracks, "pool")
    silent = silent.mutate(micros=silent.pool_micros)
    return _waiting(named).union(_waiting(silent))


def _waiting(rows: Table) -> Table:
    """Make portions of nobody's, which wait in suspense as unmatched."""
    nothing, blank = ibis.literal(0, "int64"), ibis.literal("")
    there = {name: rows[name] for name in ("track", "plays", "remainder") if name in rows.columns}
    given = dict.fromkeys((*_SHARE, "remainder"), nothing) | {"track": blank} | there
    ends = {"low_micros": rows.micros, "high_micros": rows.micros}
    rows = rows.mutate(**given, **ends, recording=blank, work=blank, kind=ibis.literal(_UNMATCHED))
    return rows.select(*_PORTION)


def _ends(portions: Table, settled: Settled) -> Table:
    """Divide portions by rights, interests and terms: `_END`s. What waits goes on as it is."""
    owned = portions.filter(portions.recording != "")
    rows = owned.join(settled.pools.select("pool", "territory"), "pool")
    rows = rows.join(settled.claims, ["territory", "recording"])
    part = _part(Parts(rows.micros, rows.remainder), rows.weight)
    divided = rows.mutate(
        micros=part.micros,
        remainder=part.fine,
        low_micros=proportion(rows.low_micros, rows.weight, _WHOLE).cast("int64"),
        high_micros=proportion(rows.high_micros, rows.weight, _WHOLE).cast("int64"),
        kind=(rows.end == "").ifelse(rows.kind, rows.end),
    )
    waiting = portions.filter(portions.recording == "")
    blank = dict.fromkeys(("right", "party", "payee"), ibis.literal(""))
    waiting = waiting.mutate(**blank, interest_ppm=ibis.literal(0, "int64"))
    return divided.select(*_END).union(waiting.select(*_END))


def _part(amount: Parts, weight: IntegerValue) -> Parts:
    """Take weight / 10**18 of an amount, floored once, at a billionth of a micro."""
    of = _WHOLE
    micros = proportion(amount.micros, weight, of)
    below = amount.micros.cast(WIDE) * weight - micros * of
    fine = proportion(below * FINE + amount.fine.cast(WIDE) * weight, 1, of).cast("int64")
    return Parts(micros.cast("int64") + whole(fine, FINE), fine % FINE)


def _bounded(rows: Table) -> Table:
    """Make intervals wide enough to hold their amounts; what is certain has none."""
    certain = rows.kind.notin(_UNCERTAIN)
    low, high = (
        ibis.least(rows.low_micros, rows.micros),
        ibis.greatest(rows.high_micros, rows.micros),
    )
    return rows.mutate(
        low_micros=certain.ifelse(rows.micros, low), high_micros=certain.ifelse(rows.micros, high)
    )


def _carried(sums: Table) -> Table:
    return sums.mutate(
        micros=sums.micros + whole(sums.remainder, FINE), remainder=sums.remainder % FINE
    )
