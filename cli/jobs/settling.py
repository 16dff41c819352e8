"""Settle a month that is being closed: advances, reserves and their release, recoupment."""

from __future__ import annotations

from collections import defaultdict

from ibis import Table

from db import engines, queries, snapshots
from db.engine import Books
from db.queries import EVERYONE
from royalty.errors import NotReady
from royalty.ledger import Transaction
from royalty.period import Period
from royalty.rules.arithmetic import exact_sum
from royalty.settlement import Earner, Earnings, settle


def settlements(
    books: Books, period: Period, snapshot: str, *, engine: str = "duckdb"
) -> list[Transaction]:
    """Write down what comes between earned and payable in a month that is being closed.

    `snapshot` holds the allocations that the month is closed with. Raises `NotReady` where the
    month was not computed.
    """
    currency = queries.currency_of(EVERYONE, books, period)
    if currency is None:
        raise NotReady(f"{period} is not computed; run 'tantieme payouts {period}' first")
    rows = snapshots.table(books, "allocations", [snapshot], engines.connect(engine))
    return settled(books, period, currency, rows)


def settled(books: Books, period: Period, currency: str, rows: Table) -> list[Transaction]:
    """Do the same of allocations that need not be kept."""
    agreements = queries.agreements(EVERYONE, books)
    standing = queries.standing(EVERYONE, books, currency)
    if not (standing.unrecouped or standing.reserves) and not any(
        each.advance_micros or each.reserve_ppm for each in agreements
    ):
        return []  # and what everybody earned need not be summed
    micros = earned_in(books, period, currency, rows)
    return settle(Earnings(period=period, currency=currency, micros=micros), agreements, standing)


def earned_in(books: Books, period: Period, currency: str, rows: Table) -> dict[Earner, int]:
    """Sum a month's allocations, and what restatements posted in it changed of earlier months."""
    sums: defaultdict[Earner, int] = defaultdict(int, _sums(rows))
    for each in queries.restatements(EVERYONE, books, posted_in=period):
        if queries.currency_of(EVERYONE, books, each.period) != currency:
            continue
        for sign, of in ((1, each.snapshot), (-1, each.before)):
            allocations = snapshots.table(books, "allocations", [of], rows.get_backend())
            for earner, micros in _sums(allocations).items():
                sums[earner] += sign * micros
    return dict(sums)


def _sums(rows: Table) -> dict[Earner, int]:
    paid = rows.filter(rows.payee.notnull())
    sums = paid.group_by("party", "payee").agg(micros=exact_sum(paid.micros))
    return {(row["party"], row["payee"]): row["micros"] for row in snapshots.run(sums).to_pylist()}
