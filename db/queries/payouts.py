"""What a period pays under a rule: the summary that pages and reports read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select

from db import schema
from db.engine import Books, reading
from db.queries.months import earlier_usage, inputs
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.errors import NotReady
from royalty.money import Money, total
from royalty.payout import PayeeAmount, Payout, PoolAmount, RecordingAmount, TrackAmount
from royalty.period import Period


def payout(viewer: Viewer, books: Books, period: Period, rule: str) -> Payout:
    """Read a payout. Raises `NotReady` where it has not been computed."""
    with reading(books) as connection:
        known = schema.payout.c
        wanted = select(schema.payout).where(known.period == str(period), known.rule == rule)
        head = connection.execute(wanted).one_or_none()
        if head is None:
            command = f"tantieme payouts {period} --rule {rule.replace('_', '-')}"
            raise NotReady(f"period {period} is not computed with {rule}; run '{command}'")
        return _payout(viewer, connection, head)


def stale(viewer: Viewer, books: Books, period: Period) -> frozenset[str]:
    """Name the rules whose payouts are of other usage, revenue or shares than there are.

    Nothing comes in for a closed month: there they are held against the payout that closed it.
    """
    given, earlier = inputs(viewer, books, period), set(earlier_usage(viewer, books, period))
    with reading(books) as connection:
        used = _used(connection, period)
        month = select(schema.period.c.rule).where(schema.period.c.id == str(period))
        closed_by = connection.scalar(month)
    if closed_by is not None:
        there = used[closed_by][1] - earlier
        return frozenset(rule for rule, (_, each) in used.items() if each - earlier != there)
    came = {*given.usage, *given.revenue}
    now = {provider: came.union(given.shares.get(provider, ())) for provider, _ in used.values()}
    return frozenset(
        rule
        for rule, (provider, each) in used.items()
        if each not in (now[provider], now[provider] | earlier)  # which only thresholds look at
    )


def _used(connection: Connection, period: Period) -> dict[str, tuple[str, set[str]]]:
    """Say of each rule whose shares its payout is by, and which snapshots it was computed from."""
    payout, part = schema.payout, schema.payout_input
    joined = select(payout.c.rule, payout.c.provider, part.c.snapshot).join(
        part, part.c.payout == payout.c.id
    )
    used: dict[str, tuple[str, set[str]]] = {}
    for rule, provider, snapshot in connection.execute(
        joined.where(payout.c.period == str(period))
    ):
        used.setdefault(rule, (provider, set()))[1].add(snapshot)
    return used


def is_current(
    _viewer: Viewer, books: Books, paid: Payout, now_given: Mapping[str, Sequence[str]]
) -> bool:
    """Tell whether a payout was computed from these snapshots and the catalogue as it is now.

    Where recordings have licences that begin or end, nobody can tell: they are renewed in place.
    """
    head, used, recording = schema.payout.c, schema.payout_input.c, schema.recording.c
    bounded = recording.licensed_from.is_not(None) | recording.licensed_to.is_not(None)
    with reading(books) as connection:
        recorded = connection.scalar(select(head.recorded_at).where(head.id == paid.id))
        found = connection.execute(select(used.kind, used.snapshot).where(used.payout == paid.id))
        given = {(kind, sha256) for kind, hashes in now_given.items() for sha256 in hashes}
        latest = max(filter(None, (connection.scalar(select(func.max(c))) for c in _RECORDED)))
        if connection.scalar(select(recording.id).where(bounded).limit(1)) is not None:
            return False
        return {tuple(row) for row in found} == given and latest < str(recorded)


# When anything was said, or taken back, of who holds what.
_RECORDED = tuple(
    table.c[name]
    for table in (schema.party, schema.work, schema.recording, schema.interest, schema.terms)
    for name in ("recorded_at", "recorded_to")
    if name in table.c
)


def _payout(viewer: Viewer, connection: Connection, head: Row[Any]) -> Payout:
    def money(micros: int) -> Money:
        return Money(micros, head.currency)

    def rows(wanted: Select[Any]) -> list[Row[Any]]:
        return list(connection.execute(wanted))

    pools = tuple(_pool(row, money) for row in rows(_part(schema.payout_pool, head.id, "id")))
    suspense = {
        row.kind: money(row.micros) for row in rows(_part(schema.payout_suspense, head.id, "kind"))
    }
    payees = tuple(_payee(row, money) for row in rows(_payees(head.id)) if viewer.sees(row.payee))
    return noun(
        Payout,
        head,
        period=Period.parse(head.period),
        gross=total((pool.gross for pool in pools), head.currency),
        pool=total((pool.amount for pool in pools), head.currency),
        payees=payees,
        unattributed=total((pool.unattributed for pool in pools), head.currency),
        suspense=total(suspense.values(), head.currency),
        suspense_kinds=suspense,
        idle=total((pool.idle for pool in pools), head.currency),
        platform=money(head.platform_micros),
        pools=pools,
        tracks=tuple(_track(row, money) for row in rows(_tracks(head.id)) if viewer.sees_all),
        recordings=tuple(
            _recording(row, money) for row in rows(_recordings(head.id)) if viewer.sees_all
        ),
    )


def _part(table: Table, payout_id: str, *order: str) -> Select[Any]:
    return select(table).where(table.c.payout == payout_id).order_by(*order)


def _payees(payout_id: str) -> Select[Any]:
    paid, party = schema.payout_payee, schema.party
    joined = select(paid, party.c.name).join(party, party.c.id == paid.c.payee)
    return joined.where(paid.c.payout == payout_id).order_by(paid.c.micros.desc(), paid.c.payee)


def _tracks(payout_id: str) -> Select[Any]:
    earned, track = schema.payout_track, schema.track
    joined = select(earned, track.c.title).outerjoin(track, track.c.id == earned.c.track)
    return joined.where(earned.c.payout == payout_id).order_by(
        earned.c.micros.desc(), earned.c.track
    )


def _recordings(payout_id: str) -> Select[Any]:
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
    )


def _payee(row: Row[Any], money: Callable[[int], Money]) -> PayeeAmount:
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


def _recording(row: Row[Any], money: Callable[[int], Money]) -> RecordingAmount:
    return RecordingAmount(
        id=row.recording,
        title=row.title,
        artist_name=row.name,
        amount=money(row.micros),
        low=money(row.low_micros),
        high=money(row.high_micros),
    )
