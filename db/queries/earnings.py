"""The head of a payout: its totals and the largest of what it pays, whatever the size of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    case,
    false,
    func,
    select,
    true,
)

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.payouts import (
    payee_amount,
    ranked_payees,
    ranked_recordings,
    recording_amount,
)
from db.queries.viewer import Viewer
from db.queries.windows import Window, counted
from royalty.errors import NotReady
from royalty.money import Money, total
from royalty.payout import PayeeAmount, RecordingAmount
from royalty.period import Period

LARGEST = Window(limit=12)
_Making = Callable[[int], Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A kind of what a payout pays: its table, its rows in order, and what is made of them."""

    table: Table
    ranked: Callable[[str], Select[Any]]
    make: Callable[[Row[Any], _Making], PayeeAmount | RecordingAmount]


_PARTS = {
    "payee": _Part(table=schema.payout_payee, ranked=ranked_payees, make=payee_amount),
    "recording": _Part(
        table=schema.payout_recording, ranked=ranked_recordings, make=recording_amount
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """What a month pays by a rule: totals, the largest parts of it, and how many there are.

    To those who do not see all, `payees` and what is summed and counted of them are their own,
    and there are no recordings.
    """

    id: str  # the payout's
    period: Period
    rule: str
    provider: str
    snapshot: str  # of the allocations
    gross: Money
    pool: Money
    unattributed: Money
    suspense: Money
    suspense_kinds: Mapping[str, Money]
    idle: Money
    platform: Money
    paid: Money  # to all payees
    attributed: Money  # of that, what recordings were shown to have earned
    payees: tuple[PayeeAmount, ...]
    payee_count: int
    recordings: tuple[RecordingAmount, ...]
    recording_count: int

    @property
    def equally(self) -> Money:
        """Of what is paid, what was divided in equal parts: unattributed, or fixed by the rule."""
        return self.paid - self.attributed


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """What another rule would change: how many would earn more, of how many, and how much."""

    gaining: int
    payees: int
    amount: Money


def earnings(
    viewer: Viewer, books: Books, period: Period, rule: str, window: Window = LARGEST
) -> Earnings:
    """Read a payout's totals, and its largest payees and recordings.

    Raises `NotReady` where it has not been computed.
    """
    known = schema.payout.c
    wanted = select(schema.payout).where(known.period == str(period), known.rule == rule)
    with reading(books) as connection:
        head = connection.execute(wanted).one_or_none()
        if head is None:
            command = f"tantieme payouts {period} --rule {rule.replace('_', '-')}"
            raise NotReady(f"period {period} is not computed with {rule}; run '{command}'")
        return _earnings(viewer, connection, head, window)


def gains(viewer: Viewer, books: Books, payouts: tuple[str, str], currency: str) -> Gains:
    """Say what the second payout gives payees beyond the first; both are named by their ids."""
    paid = schema.payout_payee.c
    by = [case((paid.payout == payout, paid.micros), else_=0) for payout in payouts]
    micros = by[1] - by[0]
    change = select(paid.payee, func.sum(micros).label("more")).where(
        paid.payout.in_(payouts), _seen(viewer, schema.payout_payee)
    )
    each = change.group_by(paid.payee).subquery().c
    more = case((each.more > 0, each.more), else_=0)
    wanted = select(func.count(), func.sum(case((each.more > 0, 1), else_=0)), func.sum(more))
    with reading(books) as connection:
        payees, gaining, amount = connection.execute(wanted).one()
    return Gains(gaining=gaining or 0, payees=payees, amount=Money(int(amount or 0), currency))


def _seen(viewer: Viewer, table: Table) -> ColumnElement[bool]:
    """Whether the viewer may see a row: own money, and only with all of it what songs earned."""
    if viewer.parties is None:
        return true()
    if table is not schema.payout_payee:
        return false()
    return schema.payout_payee.c.payee.in_(sorted(viewer.parties))


def _earnings(viewer: Viewer, connection: Connection, head: Row[Any], window: Window) -> Earnings:
    def money(micros: int | None) -> Money:
        return Money(int(micros or 0), head.currency)

    paid = schema.payout_payee
    sums = select(func.sum(paid.c.micros), func.sum(paid.c.attributed_micros))
    theirs = sums.where(paid.c.payout == head.id, _seen(viewer, paid))
    micros, attributed = connection.execute(theirs).one()
    held = schema.payout_suspense.c
    kinds = select(held.kind, held.micros).where(held.payout == head.id).order_by(held.kind)
    suspense = {kind: money(each) for kind, each in connection.execute(kinds)}
    return noun(
        Earnings,
        head,
        period=Period.parse(head.period),
        **_pools(connection, head, money),
        suspense=total(suspense.values(), head.currency),
        suspense_kinds=suspense,
        platform=money(head.platform_micros),
        paid=money(micros),
        attributed=money(attributed),
        **_largest(viewer, connection, head, window, money),
    )


def _pools(connection: Connection, head: Row[Any], money: _Making) -> dict[str, Money]:
    pool, names = schema.payout_pool.c, ("gross", "pool", "idle", "unattributed")
    sums = select(*(func.sum(pool[f"{name}_micros"]) for name in names))
    row = connection.execute(sums.where(pool.payout == head.id)).one()
    return {name: money(micros) for name, micros in zip(names, row, strict=True)}


def _largest(
    viewer: Viewer, connection: Connection, head: Row[Any], window: Window, money: _Making
) -> dict[str, Any]:
    """Read the largest payees and recordings, and how many there are of each."""
    found: dict[str, Any] = {}
    for name, part in _PARTS.items():
        wanted = part.ranked(head.id).where(_seen(viewer, part.table))
        found[f"{name}_count"] = counted(connection, wanted.order_by(None))
        rows = connection.execute(window.of(wanted))
        found[f"{name}s"] = tuple(part.make(row, money) for row in rows)
    return found
