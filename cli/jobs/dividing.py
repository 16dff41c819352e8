"""Divide a month: the one place where shares meet money.

Totals, the rule, the one rounding, shares, rights, terms: table expressions over all pools at once.
Nothing here is written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import pyarrow as pa
from ibis import BaseBackend, Table

from cli.workspace import Settings
from db import engines, queries, snapshots
from db.engine import Books
from db.queries import EVERYONE
from royalty.allocation import Pool, Settled, by_recording, claimed_in, lines, postings
from royalty.division import settle
from royalty.errors import Conflict, NotFound, NotReady, RoyaltyError
from royalty.ledger import PoolMoney, Transaction, closing_transactions
from royalty.money import Money
from royalty.period import Period
from royalty.rights import Holdings, holdings
from royalty.rules import EQUALLY, RULES, UNBOOKED, Facts, PoolTotals, pool_totals
from royalty.rules.arithmetic import exact_sum
from royalty.summary import Summary, summarise, totals

WORLD = "WW"  # the territory of a pool of all territories
MONTHS_LOOKED_BACK = 12  # by rules with thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRevenue:
    """What a rule gave one track."""

    micros: int
    plays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month's facts, opened once, to be divided by one rule or by many."""

    period: Period
    settings: Settings
    provider: str
    inputs: Mapping[str, Sequence[str]]
    pools: Sequence[Pool]
    totals: Sequence[PoolTotals]  # of the pools, in their order
    facts: Facts
    shares: Table
    held: Holdings

    @property
    def currency(self) -> str:
        """The one currency that the month is paid in."""
        return self.pools[0].amount.currency

    def rule_of(self, pool: Pool, rule: str) -> str:
        """Say by which rule a pool is divided: its source's own, or the one asked for."""
        return self.settings.rule_of_source.get(pool.source, rule)

    def pools_by_rule(self, rule: str) -> dict[str, list[int]]:
        """List the numbers of the pools that each rule divides where this one is asked for."""
        places: dict[str, list[int]] = {}
        for place, pool in enumerate(self.pools):
            places.setdefault(self.rule_of(pool, rule), []).append(place)
        return places

    def refusal(self, rule: str) -> str:
        """Say why a rule cannot divide this month; nothing where it can."""
        rules = self.pools_by_rule(rule)
        how = {RULES[name].divides for name in rules}
        if "plays" in how and not self.inputs["usage"]:
            return f"there is no usage of {self.period}; run 'tantieme usage import FILE' first"
        if RULES[rule].divides == "bookings" and rule in rules and not self._is_booked(rule):
            return (
                f"{rule} divides revenue that was booked against tracks, and none of {self.period} "
                "was; import revenue with a column 'track'"
            )
        return ""

    def _is_booked(self, rule: str) -> bool:
        revenue = self.facts.revenue
        mine = revenue.pool.isin(self.pools_by_rule(rule)[rule])
        booked = revenue.filter(revenue.track != "", mine)
        return len(snapshots.run(booked.limit(1))) > 0


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
            PoolMoney(id=pool.id, gross=Money(each.gross_micros, self.currency), amount=pool.amount)
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


def open_month(
    books: Books,
    settings: Settings,
    period: Period,
    *,
    without: frozenset[str] = frozenset(),
    engine: str = "duckdb",
) -> Month:
    """Open what came in for a month. Raises `NotReady` where there is no revenue, or no shares."""
    given = queries.inputs(EVERYONE, books, period)
    if not given.revenue:
        raise NotReady(f"there is no revenue of {period}; run 'tantieme revenue import FILE' first")
    provider = chosen_provider(given.shares, settings)
    backend = engines.connect(engine)
    inputs = {
        "usage": given.usage, "revenue": given.revenue, "shares": given.shares.get(provider, [])
    }  # fmt: skip
    usage, revenue, shares = (snapshots.table(books, k, inputs[k], backend) for k in inputs)
    usage, revenue = (_without(table, without) for table in (usage, revenue))
    shares = shares.filter(shares.provider == provider)
    rights = queries.rights(EVERYONE, books, period.start)
    held = holdings(rights, settings.publishing_ppm, backend.to_pyarrow)
    _require_recordings(shares, held)
    keys = _keys(revenue, settings, period)
    facts = Facts(
        usage=_in_pools(usage, keys, settings).select(
            "pool", "listener", "track", "plays", "active"
        ),
        revenue=_in_pools(revenue, keys, settings).select(
            "pool", "listener", "track", "net_micros"
        ),
        pools=_table(
            [{"pool": n, "rate_ppm": settings.rate(source)} for n, (source, *_) in enumerate(keys)]
        ),
        history=_history(books, settings, period, (usage, backend)),
        credits=_credits(shares, held),
    ).kept(snapshots.hold)
    totals = sorted(
        (PoolTotals(**row) for row in snapshots.run(pool_totals(facts)).to_pylist()),
        key=lambda each: each.pool,
    )
    return Month(
        period=period,
        settings=settings,
        provider=provider,
        inputs=inputs,
        pools=[
            Pool(
                period=period,
                source=source,
                territory=territory,
                amount=Money(each.pool_micros, currency),
            )
            for (source, territory, currency), each in zip(keys, totals, strict=True)
        ],
        totals=totals,
        facts=facts,
        shares=shares,
        held=held,
    )


def divide(month: Month, rule: str) -> Division:
    """Divide an opened month by a rule. Raises `NotReady` where the rule cannot divide it."""
    if refusal := month.refusal(rule):
        raise NotReady(refusal)
    tracks = snapshots.hold(_settled(month, rule))
    settled = _to_allocate(month, rule, tracks).kept(snapshots.hold)
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
        version=_version(month, rule),
        by_track=settled.tracks,
        posted=posted,
        rows=lines(settled, posted),
        summary=summary,
    )


def chosen_provider(shares: Mapping[str, Sequence[str]], settings: Settings) -> str:
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


def _settled(month: Month, rule: str) -> Table:
    """Divide each pool by its rule and settle it: pool, track, micros, plays."""
    quotas = [
        RULES[name].divide(
            _only(month.facts, places, len(month.pools)), month.settings.options(name)
        )
        for name, places in month.pools_by_rule(rule).items()
    ]
    wholes = [{"pool": each.pool, "whole_micros": each.pool_micros} for each in month.totals]
    quota = ibis.union(*quotas) if len(quotas) > 1 else quotas[0]
    settled = settle(quota, _table(wholes), order=["track"])
    plays = month.facts.tracks
    rows = settled.left_join(plays, ["pool", "track"])
    return rows.select("pool", "track", "micros", plays=rows.plays.fill_null(0))


def _only(facts: Facts, places: Sequence[int], of: int) -> Facts:
    """Leave only some pools."""
    if len(places) == of:
        return facts
    return facts.of_pools(_table([{"pool": place} for place in places]))


def _to_allocate(month: Month, rule: str, tracks: Table) -> Settled:
    pools = [
        {
            "pool": place,
            "id": pool.id,
            "territory": claimed_in(pool.territory, month.held.territories),
            "pool_micros": pool.amount.micros,
        }
        for place, pool in enumerate(month.pools)
    ]
    return Settled(
        pools=_table(pools),
        tracks=tracks,
        shares=month.shares.drop("provider"),
        recordings=ibis.memtable(month.held.recordings),
        claims=ibis.memtable(month.held.claims),
        works=month.held.works,
        boosts=_boosts(month, rule),
    )


def _boosts(month: Month, rule: str) -> Table | None:
    """List whose shares weigh more, in the pools of rules that see artists: pool, artist, boost."""
    found = [
        boosts(month.facts, month.settings.options(name)).cross_join(
            _table([{"pool": place} for place in places])
        )
        for name, places in month.pools_by_rule(rule).items()
        if (boosts := RULES[name].boosts) is not None
    ]
    return ibis.union(*found) if len(found) > 1 else next(iter(found), None)


def _version(month: Month, rule: str) -> str:
    """Say what decided: the rule's version and options, other rules of sources, other pools."""
    names = [rule, *sorted({*month.pools_by_rule(rule)} - {rule})]
    said = [_stated(name, month.settings) for name in names]
    said += [
        f"{source} by {name}" for source, name in sorted(month.settings.rule_of_source.items())
    ]
    return "; ".join([*said, *([] if month.settings.pool_by_territory else ["one pool a source"])])


def _stated(rule: str, settings: Settings) -> str:
    options = sorted(settings.rules.get(rule, {}).items())
    return " ".join([RULES[rule].version, *(f"{name}={value}" for name, value in options)])


def _keys(revenue: Table, settings: Settings, period: Period) -> list[tuple[str, str, str]]:
    """List the pools, in canonical order: source, territory, currency."""
    found = revenue.select("source", "territory", "currency").distinct()
    rows = snapshots.run(found).to_pylist()
    currencies = sorted({row["currency"] for row in rows})
    if len(currencies) > 1:
        raise RoyaltyError(
            f"{period} has revenue in {', '.join(currencies)}; one currency a month is what can be "
            "divided so far, so import revenue converted to one"
        )
    return sorted(
        {
            (
                row["source"],
                row["territory"] if settings.pool_by_territory else WORLD,
                row["currency"],
            )
            for row in rows
        }
    )


def _in_pools(rows: Table, keys: Sequence[tuple[str, str, str]], settings: Settings) -> Table:
    """Give each row the number of its pool; rows of no pool are left out."""
    by = ["source", "territory"] if settings.pool_by_territory else ["source"]
    places = [
        {"pool": place, "source": source, "territory": territory}
        for place, (source, territory, _) in enumerate(keys)
    ]
    return rows.join(_table(places).select("pool", *by), by)


def _history(
    books: Books, settings: Settings, period: Period, now: tuple[Table, BaseBackend]
) -> Table:
    """Count plays and listeners of tracks over the months that rules with thresholds look at."""
    rows, engine = now
    if settings.rules.get("pro_rata"):
        months = [period.before(count) for count in range(1, MONTHS_LOOKED_BACK)]
        earlier = [
            sha256 for month in months for sha256 in queries.inputs(EVERYONE, books, month).usage
        ]
        rows = rows.union(snapshots.table(books, "usage", earlier, engine)) if earlier else rows
    rows = rows.filter(rows.plays > 0)
    return rows.group_by("track").agg(
        plays=rows.plays.sum().cast("int64"), listeners=rows.listener.nunique()
    )


def _credits(shares: Table, held: Holdings) -> Table:
    """Sum each track's shares by the recordings' artists; the unattributed part has none."""
    artists = ibis.memtable(held.recordings).select("recording", "artist")
    rows = shares.left_join(artists, "recording")
    rows = rows.select("track", "share_ppb", artist=rows.artist.fill_null(""))
    return rows.group_by("track", "artist").agg(ppb=rows.share_ppb.sum().cast("int64"))


def _require_recordings(shares: Table, held: Holdings) -> None:
    """Refuse shares of recordings that are not in the catalogue."""
    owed = shares.filter(shares.recording.notnull())
    stray = owed.anti_join(ibis.memtable(held.recordings), "recording")
    for row in snapshots.run(stray.order_by("track", "recording").limit(1)).to_pylist():
        raise NotFound(
            f"track {row['track']} owes a share to recording '{row['recording']}', which the "
            "catalogue does not have; import it with 'tantieme catalogue import'"
        )


def _without(table: Table, listeners: frozenset[str]) -> Table:
    return table.filter(table.listener.notin(sorted(listeners))) if listeners else table


def _table(rows: Sequence[Mapping[str, object]]) -> Table:
    return ibis.memtable(pa.Table.from_pylist(list(rows)))
