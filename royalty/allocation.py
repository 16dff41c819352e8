"""From the revenue of tracks to what is posted: shares, rights, interests, terms.

Table expressions over all pools and tracks at once. Amounts are whole micros and billionths of a
micro apart, summed before they are divided; one largest remainder a pool makes them whole, and
lines are made whole within the posting that they explain (`royalty.division.settle`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import ibis
from ibis import Table
from ibis.expr.types import DecimalValue, IntegerScalar, IntegerValue

from royalty.catalogue import PPM, WORLDWIDE
from royalty.division import PPB, settle
from royalty.ledger import KINDS, Converted, Kind
from royalty.lines import AMOUNTS, POSTING, SHARE, bounded, stated
from royalty.money import Money
from royalty.period import Period
from royalty.rights import NOBODY
from royalty.rules.arithmetic import (
    FINE,
    Parts,
    each,
    exact_sum,
    narrow,
    quotient,
    whole,
    wide,
    wide_sum,
)
from royalty.rules.facts import EQUALLY, UNBOOKED

_POSTING = ("pool", "end", "kind")  # as `royalty.lines.POSTING`, by number
_SHARE = ("plays", *SHARE)
_QUOTA = ("remainder", *AMOUNTS)
_PORTION = ("pool", "track", "recording", "work", "kind", *_SHARE, *_QUOTA)
_LINE = (*_POSTING, "track", "recording", "work", "party", *_SHARE, "interest_ppm", *_QUOTA)
_WHOLE = PPM**3  # what a claim's weight is a part of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Money to divide: one period's, of one source, territory and currency."""

    period: Period
    source: str
    territory: str
    amount: Money
    converted: Converted | None = None  # where the money came in another currency

    @property
    def id(self) -> str:
        """The four joined, such as `2026-10/app/DE/EUR`; the currency is that which came in."""
        money = self.amount if self.converted is None else self.converted.came
        return f"{self.period}/{self.source}/{self.territory}/{money.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What there is to allocate, as tables."""

    pools: Table  # pool, id, territory (one of the holdings'), pool_micros
    tracks: Table  # pool, track, micros, plays: the rule's result, settled
    shares: Table  # track, recording (null: unattributed), share_ppb, low_ppb, high_ppb
    recordings: Table  # of the holdings
    ends: Table  # of the holdings
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
    products = _claimed(own, settled)
    if settled.works:
        products = products.union(_claimed_alike(common, settled))
    waiting = _unmatched(settled) if settled.works else _unmatched(settled).union(_waiting(common))
    waiting = waiting.mutate(end=ibis.literal(NOBODY, "int32")).select(*_POSTING, *_QUOTA)
    sums = {name: exact_sum(waiting[name]) for name in _QUOTA}
    quotas = _divided(products).union(_carried(waiting.group_by(_POSTING).agg(**sums)))
    wholes = settled.pools.select("pool", whole_micros=settled.pools.pool_micros)
    rows = _named(settle(quotas, wholes, order=_POSTING[1:]), settled)
    return bounded(rows).select(*POSTING, *AMOUNTS)


def by_recording(settled: Settled) -> Table:
    """Sum what tracks bring each recording, whoever gets it: recording and amounts, floored."""
    own, _ = _known(settled.sums, settled)
    sums = {name: exact_sum(own[name]) for name in _QUOTA}
    return _carried(own.group_by("recording").agg(**sums)).drop("remainder")


def lines(settled: Settled, posted: Table) -> Table:
    """Explain postings: rows of `royalty.lines.SCHEMA`, one party's part of a recording in a track.

    They sum to their posting, to the micro. A track's or a recording's lines may differ from what
    it brought by some micros, since what is left over is given out once, and not within each.
    """
    own, common = _known(_shared(settled), settled)
    alike = _equally(common, settled) if settled.works else _waiting(common)
    portions = ibis.union(own.select(*_PORTION), alike, _unmatched(settled))
    ends = posted.join(settled.ends, ["payee", "right"])
    kind = ends.kind.cases(*((name, _kind(name)) for name in KINDS))
    wholes = ends.select("pool", "end", kind=kind, whole_micros=ends.micros)
    order = ["track", "recording", "party"]
    rows = _named(settle(_lines(portions, settled), wholes, group=_POSTING, order=order), settled)
    rows = rows.join(settled.pools.select("pool", "id"), "pool").drop("pool").rename(pool="id")
    return stated(bounded(rows))


def _shared(settled: Settled) -> Table:
    """Divide each track by its shares: pool, track, recording ('': unattributed) and quotas."""
    shares = settled.shares.mutate(recording=settled.shares.recording.fill_null(""))
    rows = settled.tracks.join(shares, "track")
    if settled.boosts is None:
        return rows.mutate(**_quota(rows, ibis.literal(1, "int64"), None))
    artists = settled.recordings.select("recording", "artist").join(settled.boosts, "artist")
    rows = rows.left_join(artists.drop("artist"), ["pool", "recording"])
    rows = rows.drop("pool_right", "recording_right").mutate(boost=rows.boost.fill_null(1))
    rows = rows.mutate(weight=rows.share_ppb * rows.boost)
    rows = rows.mutate(of=exact_sum(rows.weight, over=ibis.window(group_by=("pool", "track"))))
    return rows.mutate(**_quota(rows, rows.boost, rows.of)).drop("boost", "weight", "of")


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
    own = rows.filter(rows.licensed).mutate(kind=_kind("attributed"))
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
    fixed = fixed.mutate(
        kind=_kind("fixed"),
        remainder=ibis.literal(0, "int64"),
        low_micros=fixed.micros,
        high_micros=fixed.micros,
    )
    sums = sums.mutate(kind=_kind("unattributed"))
    return sums.select(*columns).union(fixed.select(*columns))


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
    rows = own.rename(own="kind").select("pool", "number", "own", *_QUOTA)
    rows = rows.join(settled.pools.select("pool", "territory"), "pool")
    claims = settled.claims.select("territory", "number", "end", "kind", "weight")
    rows = rows.join(claims, ["territory", "number"])
    return _products(rows, rows.weight)


def _claimed_alike(common: Table, settled: Settled) -> Table:
    """Do the same with common money, of which all recordings of equal works are brought as much."""
    licensed = settled.recordings.filter(settled.recordings.licensed).select("number", "pieces")
    claims = settled.claims.join(licensed, "number")
    weights = claims.group_by("territory", "end", "kind", "pieces").agg(
        weight=wide_sum(wide(claims.weight))
    )
    pools = settled.pools.select("pool", "territory")
    parts = _alike(common, settled, licensed.select("pieces").distinct()).join(pools, "pool")
    rows = parts.rename(own="kind").join(weights, ["territory", "pieces"])
    return _products(rows, rows.weight)


def _products(rows: Table, weight: IntegerValue | DecimalValue) -> Table:
    amounts = {name: wide(rows[name]) * weight for name in _QUOTA}
    return rows.select("pool", "end", kind=ibis.coalesce(rows.kind, rows.own), **amounts)


def _divided(products: Table) -> Table:
    """Divide sums of products by the whole weight, once a posting: exact but for one floor."""
    sums = {name: wide_sum(products[name]) for name in _QUOTA}
    rows = products.group_by(_POSTING).agg(**sums)
    micros, carry = quotient(rows.micros, _WHOLE), quotient(rows.remainder, _WHOLE * FINE)
    rows = rows.mutate(
        whole=micros,
        carry=carry,
        below=(rows.micros - micros * _WHOLE) * FINE + rows.remainder - carry * _WHOLE * FINE,
    )
    quotas = {
        "micros": narrow(rows.whole + rows.carry),
        "remainder": narrow(quotient(rows.below, _WHOLE)),
        **{n: narrow(quotient(rows[n], _WHOLE)) for n in ("low_micros", "high_micros")},
    }
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
    rows = rows.mutate(
        **given, **ends, recording=blank, work=blank, kind=_kind("suspense_unmatched")
    )
    return rows.select(*_PORTION)


def _lines(portions: Table, settled: Settled) -> Table:
    """Divide portions by rights, interests and terms: `_LINE`s. What waits goes on as it is."""
    owned = portions.filter(portions.recording != "").rename(own="kind")
    rows = owned.join(settled.pools.select("pool", "territory"), "pool")
    rows = rows.join(settled.recordings.select("recording", "number"), "recording")
    rows = rows.join(settled.claims, ["territory", "number"])
    part = _part(Parts(rows.micros, rows.remainder), rows.weight)
    divided = rows.mutate(
        micros=part.micros,
        remainder=part.fine,
        low_micros=narrow(quotient(wide(rows.low_micros) * rows.weight, _WHOLE)),
        high_micros=narrow(quotient(wide(rows.high_micros) * rows.weight, _WHOLE)),
        kind=ibis.coalesce(rows.kind, rows.own),
    )
    waiting = portions.filter(portions.recording == "")
    waiting = waiting.mutate(
        end=ibis.literal(NOBODY, "int32"),
        party=ibis.literal(""),
        interest_ppm=ibis.literal(0, "int64"),
    )
    return divided.select(*_LINE).union(waiting.select(*_LINE))


def _part(amount: Parts, weight: IntegerValue) -> Parts:
    """Take weight / 10**18 of an amount, floored once, at a billionth of a micro."""
    product = wide(amount.micros) * weight
    micros = quotient(product, _WHOLE)
    below = (product - micros * _WHOLE) * FINE + wide(amount.fine) * weight
    fine = narrow(quotient(below, _WHOLE))
    return Parts(narrow(micros) + whole(fine, FINE), fine % FINE)


def _kind(name: Kind) -> IntegerScalar:
    """Return a kind of money as tables have it: by its place in `KINDS`."""
    return ibis.literal(KINDS.index(name), "int8")


def _named(rows: Table, settled: Settled) -> Table:
    """Put names for numbers: payee, right and kind."""
    kind = rows.kind.cases(*((_kind(name), name) for name in KINDS))
    return rows.mutate(kind=kind).join(settled.ends, "end")


def _carried(sums: Table) -> Table:
    return sums.mutate(
        micros=sums.micros + whole(sums.remainder, FINE), remainder=sums.remainder % FINE
    )
