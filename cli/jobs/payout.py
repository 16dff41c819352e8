"""Compute months: previews in the books, and the closing that posts one of them for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.jobs.blending import divide_by, played_ppm, refusal
from cli.jobs.dividing import (
    Division,
    TrackRevenue,
    divide_month,
)
from cli.jobs.month import chosen_provider, open_month
from cli.workspace import Workspace
from db import queries, snapshots
from db.books.closing import Closing, close
from db.books.payouts import PayoutFacts, PoolFacts, record_payout
from db.engine import Books
from db.queries import EVERYONE, Payout
from royalty.catalogue import PPM
from royalty.errors import NotReady
from royalty.ledger import Transaction
from royalty.period import Period

__all__ = [
    "Computed",
    "Division",
    "TrackRevenue",
    "close_period",
    "compute",
    "compute_each",
    "divide_month",
    "plays_without_revenue",
    "tracks_without_shares",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A month under several rules, and why others cannot divide it."""

    payouts: Mapping[str, Payout]
    refused: Mapping[str, str]


COMPARED = ("pro_rata", "user_centric")  # computed for every month that is closed


def compute(workspace: Workspace, period: Period, rule: str, *, engine: str = "duckdb") -> Payout:
    """Divide a month by a rule and keep the result as a preview; a closed month is read back."""
    found = compute_each(workspace, period, [rule], engine=engine)
    if rule in found.refused:
        raise NotReady(found.refused[rule])
    return found.payouts[rule]


def compute_each(
    workspace: Workspace, period: Period, rules: Sequence[str], *, engine: str = "duckdb"
) -> Computed:
    """Divide a month by several rules and keep the results; a closed month is read back."""
    books = workspace.books()
    if is_closed(books, period):
        kept = _computed(books, period)
        refused = {rule: f"{period} is closed and was not computed by {rule}" for rule in rules}
        rules = [rule for rule in rules if rule in kept]
        refused = {rule: why for rule, why in refused.items() if rule not in kept}
    else:
        month = open_month(books, workspace.settings(), period, engine=engine)
        refused = {rule: why for rule in rules if (why := refusal(month, rule))}
        rules = [rule for rule in rules if rule not in refused]
        for rule in rules:
            record_division(books, divide_by(month, rule))
    payouts = {rule: queries.payout(EVERYONE, books, period, rule) for rule in rules}
    return Computed(payouts=payouts, refused=refused)


def close_period(workspace: Workspace, period: Period, rule: str) -> Closing:
    """Divide a month by a rule and post it, for good.

    Kept to compare with, since nothing can be computed later: the rules of `COMPARED`, and all that
    the month was previewed by.
    """
    books = workspace.books()
    transactions: list[Transaction] = []
    if not is_closed(books, period):
        month = open_month(books, workspace.settings(), period)
        for name in sorted({*COMPARED, *_computed(books, period)} - {rule}):
            if not refusal(month, name):
                record_division(books, divide_by(month, name))
        division = divide_by(month, rule)
        record_division(books, division)
        transactions = division.transactions()
    return close(books, period, rule, transactions, f"{period}/{rule}")


def is_closed(books: Books, period: Period) -> bool:
    """Tell whether a month is closed."""
    rows = queries.periods(EVERYONE, books)
    return any(row.period == period and row.status == "closed" for row in rows)


def record_division(books: Books, division: Division) -> None:
    """Keep a division as its rule's preview of the month."""
    record_payout(books, _facts(books, division))


def plays_without_revenue(workspace: Workspace, period: Period) -> list[tuple[str, str, int]]:
    """Find plays in a source and territory that brought in nothing: source, territory, plays."""
    books = workspace.books()
    given = queries.inputs(EVERYONE, books, period)
    if not (given.usage and given.revenue):
        return []
    usage = snapshots.table(books, "usage", given.usage)
    revenue = snapshots.table(books, "revenue", given.revenue)
    stray = usage.anti_join(revenue, ["source", "territory"])
    sums = stray.group_by("source", "territory").agg(plays=stray.plays.sum().cast("int64"))
    rows = snapshots.run(sums.order_by("source", "territory")).to_pylist()
    return [(row["source"], row["territory"], row["plays"]) for row in rows]


def tracks_without_shares(workspace: Workspace, period: Period) -> list[tuple[str, int]]:
    """Find tracks that were played and that the chosen provider gave no shares of, with plays."""
    books = workspace.books()
    given = queries.inputs(EVERYONE, books, period)
    provider = chosen_provider(given.shares, workspace.settings())
    usage = snapshots.table(books, "usage", given.usage)
    shares = snapshots.table(books, "shares", given.shares[provider])
    stray = usage.anti_join(shares.filter(shares.provider == provider), "track")
    sums = stray.group_by("track").agg(plays=stray.plays.sum().cast("int64")).order_by("track")
    return [(row["track"], row["plays"]) for row in snapshots.run(sums).to_pylist()]


def _computed(books: Books, period: Period) -> tuple[str, ...]:
    rows = queries.periods(EVERYONE, books)
    return next(row.computed for row in rows if row.period == period)


def _facts(books: Books, division: Division) -> PayoutFacts:
    summary, month = division.summary, division.month
    return PayoutFacts(
        period=month.period,
        rule=division.rule,
        rule_version=division.version,
        provider=month.provider,
        publishing_ppm=month.settings.publishing_ppm,
        snapshot=snapshots.write_rows(books, "allocations", division.rows),
        inputs=month.inputs,
        pools=_pools(division),
        payees=[
            (payee, each.micros, each.low_micros, each.high_micros, each.attributed_micros)
            for payee, each in summary.payees.items()
        ],
        tracks=[(track, each.plays, each.micros) for track, each in division.tracks.items()],
        recordings=[
            (recording, each.micros, each.low_micros, each.high_micros)
            for recording, each in summary.recordings.items()
        ],
        suspense=summary.suspense,
        platform_micros=summary.platform_micros,
    )


def _pools(division: Division) -> list[PoolFacts]:
    """Describe the pools; money is idle only where plays decide."""
    month, unattributed = division.month, division.summary.unattributed
    return [
        PoolFacts(
            id=pool.id,
            source=pool.source,
            territory=pool.territory,
            currency=pool.amount.currency,
            gross_micros=totals.gross_micros,
            pool_micros=totals.pool_micros,
            idle_micros=totals.idle_micros * played_ppm(month, pool, division.rule) // PPM,
            unattributed_micros=unattributed.get(place, 0),
        )
        for place, (pool, totals) in enumerate(zip(month.pools, month.totals, strict=True))
    ]
