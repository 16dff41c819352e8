"""Divide a month: the one place where shares meet money.

Pool by pool: totals, the rule, the one rounding, shares, rights, terms. What comes out is a table
of allocations, kept as a snapshot, and its sums, kept as rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ibis import Table

from cli.workspace import Settings, Workspace
from db import queries, snapshots
from db.books.closing import Closing, close
from db.books.payouts import PayoutFacts, PoolFacts, record_payout
from db.engine import Books
from db.queries import EVERYONE, Payout
from royalty.allocation import (
    Allocation,
    AllocationOptions,
    Pool,
    Rights,
    TrackRevenue,
    allocate,
    to_table,
)
from royalty.division import settle
from royalty.errors import NotReady, RoyaltyError
from royalty.ledger import PoolMoney, Transaction, closing_transactions
from royalty.money import Money
from royalty.period import Period
from royalty.rules import RULES, PoolTotals, pool_totals
from royalty.shares import Share
from royalty.summary import Summary, summarise


@dataclass(frozen=True, slots=True, kw_only=True)
class DividedPool:
    """One pool with what each of its tracks got."""

    pool: Pool
    totals: PoolTotals
    tracks: Mapping[str, TrackRevenue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A month divided by one rule, before anything is written."""

    period: Period
    rule: str
    provider: str
    currency: str
    pools: Sequence[DividedPool]
    rows: Sequence[Allocation]
    summary: Summary
    inputs: Mapping[str, Sequence[str]]

    def transactions(self) -> list[Transaction]:
        """Write down what closing the month posts."""
        pools = [
            PoolMoney(
                id=divided.pool.id,
                gross=Money(divided.totals.gross_micros, self.currency),
                amount=divided.pool.amount,
            )
            for divided in self.pools
        ]
        return closing_transactions(self.period, pools, self.summary.totals)

    @property
    def tracks(self) -> dict[str, TrackRevenue]:
        """What each track got over all pools, and how often it was played."""
        sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        for divided in self.pools:
            for track, revenue in divided.tracks.items():
                sums[track][0] += revenue.micros
                sums[track][1] += revenue.plays
        return {
            track: TrackRevenue(micros=micros, plays=plays)
            for track, (micros, plays) in sorted(sums.items())
        }


def compute(workspace: Workspace, period: Period, rule: str) -> Payout:
    """Divide a month by a rule and keep the result as a preview; a closed month is read back."""
    books = workspace.books()
    if not _is_closed(books, period):
        _preview(books, workspace.settings(), period, rule)
    return queries.payout(EVERYONE, books, period, rule)


def plays_without_revenue(workspace: Workspace, period: Period) -> list[tuple[str, str, int]]:
    """Find plays in a source and territory that brought in nothing: source, territory, plays."""
    books = workspace.books()
    given = queries.inputs(EVERYONE, books, period)
    if not (given.usage and given.revenue):
        return []
    usage, revenue = snapshots.table(books, given.usage), snapshots.table(books, given.revenue)
    stray = usage.anti_join(revenue, ["source", "territory"])
    sums = stray.group_by("source", "territory").agg(plays=stray.plays.sum().cast("int64"))
    rows = snapshots.run(sums.order_by("source", "territory")).to_pylist()
    return [(row["source"], row["territory"], row["plays"]) for row in rows]


def tracks_without_shares(workspace: Workspace, period: Period) -> list[tuple[str, int]]:
    """Find tracks that were played and that the chosen provider gave no shares of, with plays."""
    books = workspace.books()
    given = queries.inputs(EVERYONE, books, period)
    provider = _provider(given.shares, workspace.settings())
    usage = snapshots.table(books, given.usage)
    stray = usage.anti_join(snapshots.table(books, given.shares[provider]), "track")
    sums = stray.group_by("track").agg(plays=stray.plays.sum().cast("int64")).order_by("track")
    return [(row["track"], row["plays"]) for row in snapshots.run(sums).to_pylist()]


def close_period(workspace: Workspace, period: Period, rule: str) -> Closing:
    """Divide a month by a rule and post it, for good; the other rules are kept to compare with."""
    books, settings = workspace.books(), workspace.settings()
    transactions: list[Transaction] = []
    if not _is_closed(books, period):
        divided = {name: _preview(books, settings, period, name) for name in RULES}
        transactions = divided[rule].transactions()
    return close(books, period, rule, transactions, f"{period}/{rule}")


def _preview(books: Books, settings: Settings, period: Period, rule: str) -> Division:
    division = divide_month(books, settings, period, rule)
    record_payout(books, _facts(books, settings, division))
    return division


def divide_month(
    books: Books,
    settings: Settings,
    period: Period,
    rule: str,
    *,
    without: frozenset[str] = frozenset(),
) -> Division:
    """Divide a month's pools by a rule. `without` leaves some listeners out, for comparison only.

    Raises `NotReady` where revenue, usage or shares are missing, naming the command to run.
    """
    given = queries.inputs(EVERYONE, books, period)
    provider = _provider(given.shares, settings)
    usage = _without(_table(books, given.usage, f"usage of {period}", "usage"), without)
    revenue = _without(_table(books, given.revenue, f"revenue of {period}", "revenue"), without)
    shares = _shares(books, given.shares[provider]) if provider else {}
    rights = _rights(books, period)
    options = AllocationOptions(on=period.start, publishing_ppm=settings.publishing_ppm)
    pools = list(_divide_pools(usage, revenue, settings, period, rule))
    currency = _one_currency(pools, period)
    rows = [
        row
        for divided in pools
        for row in allocate(divided.pool, divided.tracks, shares, rights, options)
    ]
    return Division(
        period=period,
        rule=rule,
        provider=provider,
        currency=currency,
        pools=pools,
        rows=rows,
        summary=summarise(rows, currency),
        inputs={
            "usage": given.usage,
            "revenue": given.revenue,
            "shares": given.shares[provider] if provider else [],
        },
    )


def _divide_pools(
    usage: Table, revenue: Table, settings: Settings, period: Period, rule: str
) -> Iterator[DividedPool]:
    keys = ("source", "territory", "currency")
    pools = snapshots.run(revenue.select(*keys).distinct().order_by(keys)).to_pylist()
    for key in pools:
        played = usage.filter(usage.source == key["source"], usage.territory == key["territory"])
        played = played.group_by("listener", "track").agg(plays=played.plays.sum().cast("int64"))
        paid = revenue.filter(*(revenue[name] == key[name] for name in keys))
        rate_ppm = settings.rate(key["source"])
        totals = PoolTotals(**snapshots.run(pool_totals(played, paid, rate_ppm)).to_pylist()[0])
        quotas = snapshots.run(RULES[rule].divide(played, paid, rate_ppm))
        micros = settle(quotas, totals.pool_micros)
        by_track = played.group_by("track").agg(plays=played.plays.sum().cast("int64"))
        plays = {row["track"]: row["plays"] for row in snapshots.run(by_track).to_pylist()}
        amount = Money(totals.pool_micros, key["currency"])
        yield DividedPool(
            pool=Pool(
                period=period, source=key["source"], territory=key["territory"], amount=amount
            ),
            totals=totals,
            tracks={
                track: TrackRevenue(micros=amount, plays=plays[track])
                for track, amount in micros.items()
            },
        )


def _table(books: Books, hashes: Sequence[str], what: str, command: str) -> Table:
    if not hashes:
        raise NotReady(f"there is no {what}; run 'tantieme {command} import FILE' first")
    return snapshots.table(books, hashes)


def _without(table: Table, listeners: frozenset[str]) -> Table:
    return table.filter(table.listener.notin(sorted(listeners))) if listeners else table


def _provider(shares: Mapping[str, Sequence[str]], settings: Settings) -> str:
    """Choose whose shares are used: the only provider's, or the one that the settings name."""
    if settings.provider:
        if settings.provider not in shares:
            raise NotReady(
                f"workspace.toml names provider '{settings.provider}', who gave no shares; "
                f"there are {', '.join(sorted(shares)) or 'none'}"
            )
        return settings.provider
    if not shares:
        raise NotReady("no shares are here; run 'tantieme attribute' or 'tantieme shares import'")
    if len(shares) > 1:
        raise NotReady(
            f"several providers gave shares: {', '.join(sorted(shares))}; "
            "name one as 'provider' in workspace.toml"
        )
    return next(iter(shares))


def _shares(books: Books, hashes: Sequence[str]) -> dict[str, list[Share]]:
    table = snapshots.run(snapshots.table(books, hashes).order_by("track", "recording"))
    shares: defaultdict[str, list[Share]] = defaultdict(list)
    for row in table.to_pylist():
        shares[row["track"]].append(
            Share(
                recording=row["recording"] or None,
                ppb=row["share_ppb"],
                low_ppb=row["low_ppb"],
                high_ppb=row["high_ppb"],
            )
        )
    return dict(shares)


def _rights(books: Books, period: Period) -> Rights:
    on = period.start
    return Rights(
        recordings={row.recording.id: row.recording for row in queries.recordings(EVERYONE, books)},
        interests=queries.interests(EVERYONE, books, on),
        payees={party.id: party.payee for party in queries.parties(EVERYONE, books)},
        terms=queries.terms(EVERYONE, books, on),
    )


def _one_currency(pools: Sequence[DividedPool], period: Period) -> str:
    currencies = sorted({divided.pool.amount.currency for divided in pools})
    if len(currencies) > 1:
        raise RoyaltyError(
            f"{period} has revenue in {', '.join(currencies)}; one currency a month is what can be "
            "divided so far, so import revenue converted to one"
        )
    return currencies[0]


def _is_closed(books: Books, period: Period) -> bool:
    rows = queries.periods(EVERYONE, books)
    return any(row.period == period and row.status == "closed" for row in rows)


def _facts(books: Books, settings: Settings, division: Division) -> PayoutFacts:
    summary = division.summary
    unattributed: defaultdict[str, int] = defaultdict(int)
    for row in division.rows:
        if row.kind == "unattributed":
            unattributed[row.pool] += row.micros
    return PayoutFacts(
        period=division.period,
        rule=division.rule,
        rule_version=RULES[division.rule].version,
        provider=division.provider,
        publishing_ppm=settings.publishing_ppm,
        snapshot=snapshots.write(books, "allocations", to_table(division.rows)),
        inputs=division.inputs,
        pools=[_pool_facts(each, unattributed[each.pool.id]) for each in division.pools],
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


def _pool_facts(divided: DividedPool, unattributed_micros: int) -> PoolFacts:
    return PoolFacts(
        id=divided.pool.id,
        source=divided.pool.source,
        territory=divided.pool.territory,
        currency=divided.pool.amount.currency,
        gross_micros=divided.totals.gross_micros,
        pool_micros=divided.totals.pool_micros,
        idle_micros=divided.totals.idle_micros,
        unattributed_micros=unattributed_micros,
    )
