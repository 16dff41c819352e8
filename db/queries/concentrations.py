"""How evenly each rule that is stored for a month divides it."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select

from db import schema
from db.engine import Books, reading
from db.queries.viewer import Viewer
from royalty.concentration import Concentration, concentration
from royalty.period import Period


def concentrations(viewer: Viewer, books: Books, period: Period) -> dict[str, Concentration]:
    """Measure how unequally a month's stored payouts divide it, by rule in order of their names.

    Among all payees whom any of the rules pays, so that they compare; a rule that pays nobody is
    left out. Only for those who see all.
    """
    viewer.require_all("how evenly a month is divided")
    paid, head = schema.payout_payee.c, schema.payout.c
    rows = (
        select(head.rule, paid.payee, paid.micros)
        .join(schema.payout, head.id == paid.payout)
        .where(head.period == str(period))
        .order_by(head.rule)
    )
    amounts: defaultdict[str, list[int]] = defaultdict(list)
    payees = set()
    with reading(books) as connection:
        for rule, payee, micros in connection.execute(rows):
            amounts[rule].append(micros)
            payees.add(payee)
    return {
        rule: concentration([*found, *[0] * (len(payees) - len(found))])
        for rule, found in amounts.items()
        if any(found)
    }
