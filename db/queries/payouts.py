"""What a period pays under a rule: the summary that pages and reports read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from db import schema
from db.engine import Books, reading
from db.queries.catalogue import rights
from db.queries.fx import rate
from db.queries.months import earlier_usage, inputs
from db.queries.nouns import noun
from db.queries.viewer import EVERYONE, Viewer
from db.rights import KINDS, hashes
from royalty.errors import NotReady
from royalty.fx import FxRate
from royalty.ledger import Converted
from royalty.money import Money, total
from royalty.payout import PayeeAmount, Payout, PoolAmount, RecordingAmount, TrackAmount
from royalty.period import Period

HISTORY = "history"  # usage of earlier months, which only rules with thresholds look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """All that a payout was computed from. Two that are equal give equal payouts under a rule."""

    provider: str
    snapshots: frozenset[tuple[str, str]]  # each with its kind before it
    settings: str | None  # as canonical JSON; None: it is of before they were kept
    rates: Mapping[str, FxRate] = field(default_factory=dict)  # by the currency that came in

    @classmethod
    def by(
        cls,
        inputs: Mapping[str, Sequence[str]],
        *,
        provider: str,
        settings: str,
        rates: Mapping[str, FxRate],
    ) -> Decided:
        """Say what a payout would be computed from; `inputs` name snapshots by kind."""
        return cls(provider=provider, snapshots=_pairs(inputs), settings=settings, rates=rates)

    @property
    def inputs(self) -> dict[str, list[str]]:
        """The snapshots by kind, but for those of rights."""
        return self._by_kind(of_rights=False)

    @property
    def rights(self) -> dict[str, list[str]]:
        """The snapshots of rights, by kind."""
        return self._by_kind(of_rights=True)

    @property
    def of_month(self) -> Decided:
        """The same without the usage of earlier months."""
        return replace(self, snapshots=frozenset(x for x in self.snapshots if x[0] != HISTORY))

    def _by_kind(self, *, of_rights: bool) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for kind, sha256 in sorted(self.snapshots):
            if (kind in KINDS.values()) == of_rights:
                found.setdefault(kind, []).append(sha256)
        return found


def payout(viewer: Viewer, books: Books, period: Period, rule: str) -> Payout:
    """Read a payout. Raises `NotReady` where it has not been computed."""
    with reading(books) as connection:
        return _payout(viewer, connection, _head(connection, period, rule))


def payout_totals(_viewer: Viewer, books: Books, period: Period, rule: str) -> Payout:
    """Read a payout without its payees, tracks and recordings, which may be a million.

    Raises `NotReady` where it has not been computed.
    """
    with reading(books) as connection:
        return _totals(connection, _head(connection, period, rule))


def decided(_viewer: Viewer, books: Books, paid: Payout) -> Decided:
    """Read what a payout was computed from."""
    with reading(books) as connection:
        return _decided(connection, paid.period)[paid.rule]


def stale(
    viewer: Viewer, books: Books, period: Period, *, settings: str | None = None
) -> frozenset[str]:
    """Name the rules whose payouts are not of what there is: what came in, shares, rights, rates.

    Where `settings` are given, as payouts keep them, payouts by others are named too. Nothing
    comes in for a closed month: there they are held against the payout that closed it.
    """
    with reading(books) as connection:
        used = _decided(connection, period)
        month = select(schema.period.c.rule).where(schema.period.c.id == str(period))
        closed_by = connection.scalar(month)
    if closed_by is not None:
        there = used[closed_by].of_month
        return frozenset(rule for rule, each in used.items() if each.of_month != there)
    now = _now(viewer, books, period, used)
    looked = _pairs({HISTORY: earlier_usage(viewer, books, period)})
    return frozenset(
        rule
        for rule, each in used.items()
        if each.of_month != replace(now[rule], settings=settings or each.settings)
        or each.snapshots - each.of_month.snapshots not in (frozenset(), looked)
    )


def _now(
    viewer: Viewer, books: Books, period: Period, used: Mapping[str, Decided]
) -> dict[str, Decided]:
    """Say what payouts would be computed from now, by the same providers and into the same money.

    Earlier months are left out.
    """
    if not used:
        return {}
    given, held = inputs(viewer, books, period), hashes(rights(EVERYONE, books, period.start))
    came = _pairs({"usage": given.usage, "revenue": given.revenue} | held)
    latest = {
        pair: rate(viewer, books, *pair, period.last_day)
        for pair in {(r.base, r.quote) for each in used.values() for r in each.rates.values()}
    }
    return {
        rule: replace(
            each,
            snapshots=came | _pairs({"shares": given.shares.get(each.provider, [])}),
            rates={base: latest[base, was.quote] or was for base, was in each.rates.items()},
        )
        for rule, each in used.items()
    }


def _decided(connection: Connection, period: Period) -> dict[str, Decided]:
    """Read what each of a period's payouts was computed from, by rule."""
    head, part = schema.payout.c, schema.payout_input.c
    mine = select(head.id, head.rule, head.provider, head.settings)
    used = select(part.kind, part.snapshot)
    return {
        row.rule: Decided(
            provider=row.provider,
            snapshots=frozenset(
                (kind, sha256)
                for kind, sha256 in connection.execute(used.where(part.payout == row.id))
            ),
            settings=row.settings,
            rates=_rates(connection, row.id),
        )
        for row in connection.execute(mine.where(head.period == str(period))).all()
    }


def _rates(connection: Connection, payout_id: str) -> dict[str, FxRate]:
    """Read the rates at which a payout's revenue was converted, by the currency it came in."""
    pool, stated = schema.payout_pool.c, schema.fx_rate
    wanted = select(stated).join(schema.payout_pool, pool.fx_rate == stated.c.id)
    rows = connection.execute(wanted.where(pool.payout == payout_id).distinct())
    return {row.base: noun(FxRate, row) for row in rows}


def _pairs(used: Mapping[str, Sequence[str]]) -> frozenset[tuple[str, str]]:
    return frozenset((kind, sha256) for kind, hashes in used.items() for sha256 in hashes)


def _head(connection: Connection, period: Period, rule: str) -> Row[Any]:
    known = schema.payout.c
    wanted = select(schema.payout).where(known.period == str(period), known.rule == rule)
    head = connection.execute(wanted).one_or_none()
    if head is None:
        command = f"tantieme payouts {period} --rule {rule.replace('_', '-')}"
        raise NotReady(f"period {period} is not computed with {rule}; run '{command}'")
    return head


def _payout(viewer: Viewer, connection: Connection, head: Row[Any]) -> Payout:
    def money(micros: int) -> Money:
        return Money(micros, head.currency)

    found = replace(
        _totals(connection, head),
        payees=tuple(
            payee_amount(row, money)
            for row in connection.execute(ranked_payees(head.id))
            if viewer.sees(row.payee)
        ),
    )
    if not viewer.sees_all:
        return found
    tracks = connection.execute(_tracks(head.id))
    recordings = connection.execute(ranked_recordings(head.id))
    return replace(
        found,
        tracks=tuple(_track(row, money) for row in tracks),
        recordings=tuple(recording_amount(row, money) for row in recordings),
    )


def _totals(connection: Connection, head: Row[Any]) -> Payout:
    def money(micros: int) -> Money:
        return Money(micros, head.currency)

    rows = connection.execute(_part(schema.payout_pool, head.id, "id"))
    pools = tuple(_pool(row, money) for row in rows)
    held = connection.execute(_part(schema.payout_suspense, head.id, "kind"))
    suspense = {row.kind: money(row.micros) for row in held}
    return noun(
        Payout,
        head,
        period=Period.parse(head.period),
        gross=total((pool.gross for pool in pools), head.currency),
        pool=total((pool.amount for pool in pools), head.currency),
        payees=(),
        unattributed=total((pool.unattributed for pool in pools), head.currency),
        suspense=total(suspense.values(), head.currency),
        suspense_kinds=suspense,
        idle=total((pool.idle for pool in pools), head.currency),
        platform=money(head.platform_micros),
        pools=pools,
        tracks=(),
        recordings=(),
    )


def _part(table: Table, payout_id: str, *order: str) -> Select[Any]:
    return select(table).where(table.c.payout == payout_id).order_by(*order)


def ranked_payees(payout_id: str) -> Select[Any]:
    """Select what a payout gives payees, the largest first."""
    paid, party = schema.payout_payee, schema.party
    joined = select(paid, party.c.name).join(party, party.c.id == paid.c.payee)
    return joined.where(paid.c.payout == payout_id).order_by(paid.c.micros.desc(), paid.c.payee)


def _tracks(payout_id: str) -> Select[Any]:
    earned, track = schema.payout_track, schema.track
    joined = select(earned, track.c.title).outerjoin(track, track.c.id == earned.c.track)
    return joined.where(earned.c.payout == payout_id).order_by(
        earned.c.micros.desc(), earned.c.track
    )


def ranked_recordings(payout_id: str) -> Select[Any]:
    """Select what a payout's recordings earned, the largest first."""
    earned, recording, party = schema.payout_recording, schema.recording, schema.party
    return (
        select(earned, recording.c.title, party.c.name)
        .join(recording, recording.c.id == earned.c.recording)
        .join(party, party.c.id == recording.c.artist)
        .where(earned.c.payout == payout_id)
        .order_by(earned.c.micros.desc(), earned.c.recording)
    )


def _pool(row: Row[Any], money: Callable[[int], Money]) -> PoolAmount:
    return PoolAmount(
        id=row.id,
        source=row.source,
        territory=row.territory,
        gross=money(row.gross_micros),
        amount=money(row.pool_micros),
        idle=money(row.idle_micros),
        unattributed=money(row.unattributed_micros),
        converted=_converted(row),
    )


def _converted(row: Row[Any]) -> Converted | None:
    if row.came_currency is None:
        return None
    return Converted(came=Money(row.came_micros, row.came_currency), rate=row.fx_rate)


def payee_amount(row: Row[Any], money: Callable[[int], Money]) -> PayeeAmount:
    """Make what one payee gets of its row."""
    return PayeeAmount(
        id=row.payee,
        name=row.name,
        amount=money(row.micros),
        low=money(row.low_micros),
        high=money(row.high_micros),
        attributed=money(row.attributed_micros),
    )


def _track(row: Row[Any], money: Callable[[int], Money]) -> TrackAmount:
    title = row.title or row.track  # a track from elsewhere may have no row of its own
    return TrackAmount(id=row.track, title=title, plays=row.plays, amount=money(row.micros))


def recording_amount(row: Row[Any], money: Callable[[int], Money]) -> RecordingAmount:
    """Make what one recording gets of its row."""
    return RecordingAmount(
        id=row.recording,
        title=row.title,
        artist_name=row.name,
        amount=money(row.micros),
        low=money(row.low_micros),
        high=money(row.high_micros),
    )
