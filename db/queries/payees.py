"""Whom a closed month paid: some of them by name, the best paid first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, true

from db import schema
from db.engine import Books, reading
from db.queries.viewer import Viewer
from db.queries.windows import Window, counted, named_like
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeesPage:
    """Some of those whom a month paid, and how many these are in all."""

    names: dict[str, str]  # by id, the best paid first
    count: int


def payees_page(viewer: Viewer, books: Books, period: Period, window: Window) -> PayeesPage:
    """Name some of those whom a closed month paid; nobody where it is open.

    A search finds parts of names and of ids. All payees, or those whom the viewer may see.
    """
    paid, party, month = schema.payout_payee.c, schema.party.c, schema.period.c
    mine = true() if viewer.parties is None else party.id.in_(sorted(viewer.parties))
    wanted = (
        select(party.id, party.name)
        .join(schema.payout_payee, paid.payee == party.id)
        .join(schema.period, month.payout == paid.payout)
        .where(month.id == str(period), month.status == "closed", mine)
        .where(named_like(window.search, party.id, party.name))
    )
    with reading(books) as connection:
        rows = connection.execute(window.of(wanted.order_by(paid.micros.desc(), party.id)))
        names = {row.id: row.name for row in rows}
        return PayeesPage(names=names, count=counted(connection, wanted))
