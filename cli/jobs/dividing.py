"""Divide a month: the one place where shares meet money.

The rule, the one rounding, shares, rights, terms: table expressions over all pools at once. Nothing
here is written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
from ibis import Table

from cli.jobs.month import Month, open_month
from cli.jobs.pools import table_of
from cli.workspace import Settings
from db import snapshots
from db.engine import Books
from royalty.allocation import Pool, Settled, by_recording, claimed_in, lines, postings
from royalty.division import settle
from royalty.errors import Conflict, NotReady
from royalty.ledger import PoolMoney, Transaction, closing_transactions
from royalty.money import Money
from royalty.payout import stated_rule
from royalty.period import Period
from royalty.rules import EQUALLY, RULES, UNBOOKED, Facts
from royalty.rules.arithmetic import exact_sum
from royalty.summary import Summary, summarise, totals


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRevenue:
    """What a rule gave one track."""

    micros: int
    plays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A month divided by one rule, before anything is written."""

    month: Month
    rule: str
    version: str  # of all that decided: rules, options, pools
    by_track: Table  # pool, track, micros, plays
    posted: Table  # what closing posts
    rows: Table  # the lines that explain it; worked out when they are run
    summary: Summary

    @property
    def tracks(self) -> dict[str, TrackRevenue]:
        """What each track got over all pools, and how often it was played."""
        tracks = self.by_track
        own = tracks.filter(tracks.track.notin([EQUALLY, UNBOOKED]))
        sums = own.group_by("track").agg(micros=exact_sum(own.micros), plays=exact_sum(own.plays))
        return {
            row["track"]: TrackRevenue(micros=row["micros"], plays=row["plays"])
            for row in snapshots.run(sums.order_by("track")).to_pylist()
        }

    @property
    def currency(self) -> str:
        """The currency of all amounts."""
        return self.month.currency

    def transactions(self) -> list[Transaction]:
        """Write down what closing the month posts."""
        pools = [
            PoolMoney(
                id=pool.id,
                gross=Money(each.gross_micros, self.currency),
                amount=pool.amount,
                converted=pool.converted,
            )
            for pool, each in zip(self.month.pools, self.month.totals, strict=True)
        ]
        ids = [pool.id for pool in pools]
        posted = totals(self.posted, ids, self.currency, snapshots.run)
        return closing_transactions(self.month.period, pools, posted)


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
    return divide(open_month(books, settings, period, without=without), rule)


def divide(month: Month, rule: str) -> Division:
    """Divide an opened month by a rule. Raises `NotReady` where the rule cannot divide it."""
    if why := month.refusal(rule):
        raise NotReady(f"{rule} cannot divide {month.period}: {why}")
    tracks = snapshots.hold(_settled(month, rule))
    settled = to_allocate(month, month.pools, tracks, boosts=_boosts(month, rule))
    settled = settled.kept(snapshots.hold)
    posted = snapshots.hold(postings(settled))
    summary = summarise(posted, by_recording(settled), snapshots.run)
    if summary.micros != sum(pool.amount.micros for pool in month.pools):
        raise Conflict(
            f"{rule} divided {summary.micros} micros of {month.period}, which is not what its "
            "pools hold; this is a fault of the rule, and nothing was written"
        )
    return Division(
        month=month,
        rule=rule,
        version=stated(month, rule),
        by_track=settled.tracks,
        posted=posted,
        rows=lines(settled, posted),
        summary=summary,
    )


def _settled(month: Month, rule: str) -> Table:
    """Divide each pool by its rule and settle it: pool, track, micros, plays."""
    quotas = [
        RULES[name].divide(
            _only(month.facts, places, len(month.pools)), month.settings.options(name)
        )
        for name, places in month.pools_by_rule(rule).items()
    ]
    wholes = [{"pool": each.pool, "whole_micros": each.pool_micros} for each in month.totals]
    settled = settle(ibis.union(*quotas), table_of(wholes), order=["track"])
    plays = month.facts.tracks
    rows = settled.left_join(plays, ["pool", "track"])
    return rows.select("pool", "track", "micros", plays=rows.plays.fill_null(0))


def _only(facts: Facts, places: Sequence[int], of: int) -> Facts:
    """Leave only some pools."""
    if len(places) == of:
        return facts
    return facts.of_pools(table_of([{"pool": place} for place in places]))


def to_allocate(
    month: Month, pools: Sequence[Pool], tracks: Table, *, boosts: Table | None = None
) -> Settled:
    """Put what tracks got of pools (pool, track, micros, plays) beside who holds what."""
    described = [
        {
            "pool": place,
            "id": pool.id,
            "territory": claimed_in(pool.territory, month.held.territories),
            "pool_micros": pool.amount.micros,
        }
        for place, pool in enumerate(pools)
    ]
    return Settled(
        pools=table_of(described),
        tracks=tracks,
        shares=month.shares.drop("provider"),
        recordings=ibis.memtable(month.held.recordings),
        ends=ibis.memtable(month.held.ends),
        claims=ibis.memtable(month.held.claims),
        works=month.held.works,
        boosts=boosts,
    )


def _boosts(month: Month, rule: str) -> Table | None:
    """List whose shares weigh more, in the pools of rules that see artists: pool, artist, boost."""
    found = [
        boosts(month.facts, month.settings.options(name)).cross_join(
            table_of([{"pool": place} for place in places])
        )
        for name, places in month.pools_by_rule(rule).items()
        if (boosts := RULES[name].boosts) is not None
    ]
    return ibis.union(*found) if found else None


def stated(month: Month, rule: str) -> str:
    """Say what decided: the rule's version and options, other rules of sources, other pools."""
    own = month.settings.rule_of_source
    names = [rule, *sorted({*month.pools_by_rule(rule)} - {rule})]
    said = [_with_options(name, month.settings) for name in names]
    said += [stated_rule(source, name) for source, name in sorted(own.items())]
    return "; ".join([*said, *([] if month.settings.pool_by_territory else ["one pool a source"])])


def _with_options(rule: str, settings: Settings) -> str:
    options = sorted(settings.rules.get(rule, {}).items())
    return " ".join([RULES[rule].version, *(f"{name}={value}" for name, value in options)])
