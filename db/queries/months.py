"""The periods that the books know, and what came in for them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, union

from db import schema
from db.engine import Books, reading
from db.queries.came import counts
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.errors import PeriodNotClosed
from royalty.money import Money
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRow:
    """A period: what came in for it, what is computed, and what it was closed with."""

    period: Period
    status: str  # open | closed
    rule: str | None  # closed with
    computed: tuple[str, ...]  # rules that have a payout
    revenue: tuple[Money, ...]  # by currency
    chain_head: str | None  # the ledger's last hash when it closed
    root: str | None  # of the Merkle tree over its postings and accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The snapshots that a payout of a period would be computed from."""

    usage: list[str]
    revenue: list[str]
    shares: dict[str, list[str]]  # by provider


def periods(_viewer: Viewer, books: Books) -> list[PeriodRow]:
    """List the periods, the earliest first."""
    with reading(books) as connection:
        rules, money = _rules(connection), _revenue(connection)
        return [
            noun(
                PeriodRow,
                row,
                period=Period.parse(row.id),
                computed=tuple(rules[row.id]),
                revenue=tuple(money[row.id]),
            )
            for row in connection.execute(select(schema.period).order_by(schema.period.c.id))
        ]


def closed_periods(viewer: Viewer, books: Books) -> list[Period]:
    """List the periods that are closed, the earliest first."""
    return [row.period for row in periods(viewer, books) if row.status == "closed"]


def closed_period(viewer: Viewer, books: Books, period: Period) -> PeriodRow:
    """Read a closed period. Raises `PeriodNotClosed`."""
    for row in periods(viewer, books):
        if row.period == period and row.status == "closed":
            return row
    raise PeriodNotClosed(f"period {period} is not closed; run 'tantieme close {period}'")


def closed_by(viewer: Viewer, books: Books, period: Period) -> str | None:
    """Name the rule that a period is closed by; None where it is open."""
    rows = periods(viewer, books)
    return next((row.rule for row in rows if row.period == period), None)


def inputs(_viewer: Viewer, books: Books, period: Period) -> Inputs:
    """Name the snapshots that came in for a period, and every provider's shares, corrected or not.

    What was withdrawn, and what came late for a closed period, are not among them.
    """
    came, stated, anew = schema.period_input.c, schema.track_share.c, schema.corrected_share.c
    mine = (came.period == str(period)) & counts(schema.period_input)
    wanted = select(came.kind, came.snapshot).where(mine).order_by(came.snapshot)
    theirs = union(select(stated.provider, stated.snapshot), select(anew.provider, anew.snapshot))
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    by_provider: defaultdict[str, list[str]] = defaultdict(list)
    with reading(books) as connection:
        for kind, sha256 in connection.execute(wanted):
            by_kind[kind].append(sha256)
        for provider, sha256 in connection.execute(theirs.order_by("snapshot")):
            by_provider[provider].append(sha256)
    return Inputs(usage=by_kind["usage"], revenue=by_kind["revenue"], shares=dict(by_provider))


def earlier_usage(_viewer: Viewer, books: Books, period: Period) -> list[str]:
    """Name the snapshots of usage of the eleven months before, which rules with thresholds read."""
    came = schema.period_input.c
    earlier = came.period.in_([str(month) for month in period.year_before])
    usage = (came.kind == "usage") & counts(schema.period_input)
    wanted = select(came.snapshot).where(earlier, usage).order_by(came.snapshot)
    with reading(books) as connection:
        return list(connection.scalars(wanted))


def _rules(connection: Connection) -> defaultdict[str, list[str]]:
    computed = select(schema.payout.c.period, schema.payout.c.rule).order_by(schema.payout.c.rule)
    rules: defaultdict[str, list[str]] = defaultdict(list)
    for period, rule in connection.execute(computed):
        rules[period].append(rule)
    return rules


def _revenue(connection: Connection) -> defaultdict[str, list[Money]]:
    came = schema.period_revenue.c
    sums = select(came.period, came.currency, func.sum(came.micros))
    sums = sums.where(counts(schema.period_revenue))
    grouped = sums.group_by(came.period, came.currency).order_by(came.currency)
    money: defaultdict[str, list[Money]] = defaultdict(list)
    for period, currency, micros in connection.execute(grouped):
        money[period].append(Money(int(micros), currency))
    return money
