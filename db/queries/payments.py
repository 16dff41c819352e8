"""Payments, and what the bank said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select

from db import schema
from db.engine import Books, reading
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.errors import NotFound
from royalty.money import Money
from royalty.paying import State
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """What the bank said of a payment, and when."""

    number: int
    event: str  # confirmed | failed | returned
    day: date
    note: str
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """A payment: to whom, how much, and what became of it."""

    id: str  # 2026-11/ann/1
    period: Period  # posted in
    payee: str
    payee_name: str
    gross: Money
    withheld: Money
    paid: Money  # in the payee's currency
    fx_rate: str | None
    day: date
    recorded_at: str
    events: tuple[PaymentEvent, ...]

    @property
    def state(self) -> State:
        """What is known of it: sent, until the bank says more."""
        return self.events[-1].event if self.events else "sent"  # type: ignore[return-value]


def payments(viewer: Viewer, books: Books, *, period: Period | None = None) -> list[PaymentRow]:
    """List payments, of one month's books or of all, in the order in which they were made."""
    with reading(books) as connection:
        rows = _payments(connection)
    mine = [row for row in rows if viewer.sees(row.payee)]
    return [row for row in mine if period in (None, row.period)]


def payment(viewer: Viewer, books: Books, id_: str) -> PaymentRow:
    """Find one payment. Raises `NotFound`."""
    for row in payments(viewer, books):
        if row.id == id_:
            return row
    raise NotFound(f"there is no payment '{id_}'; 'tantieme payment list' names them")


def _payments(connection: Connection) -> list[PaymentRow]:
    made, said, named = schema.payment, schema.payment_event, schema.party.c
    rows = (
        select(made, named.name.label("payee_name"))
        .join(schema.party, named.id == made.c.payee)
        .order_by(made.c.period, made.c.recorded_at, made.c.id)
    )
    events: dict[str, list[PaymentEvent]] = {}
    for row in connection.execute(select(said).order_by(said.c.payment, said.c.number)):
        events.setdefault(row.payment, []).append(noun(PaymentEvent, row))
    return [_payment(row, events.get(row.id, [])) for row in connection.execute(rows)]


def _payment(row: Row[Any], events: list[PaymentEvent]) -> PaymentRow:
    return noun(
        PaymentRow,
        row,
        period=Period.parse(row.period),
        gross=Money(row.gross_micros, row.currency),
        withheld=Money(row.withheld_micros, row.currency),
        paid=Money(row.paid_micros, row.paid_currency),
        events=tuple(events),
    )
