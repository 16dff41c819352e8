"""A month, opened to be divided: what came in, in pools, and who holds what on its first day."""

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
from royalty.allocation import Pool
from royalty.errors import NotFound, NotReady, RoyaltyError
from royalty.money import Money
from royalty.period import Period
from royalty.rights import Holdings, holdings
from royalty.rules import RULES, Facts, PoolTotals, pool_totals

WORLD = "WW"  # the territory of a pool of all territories
MONTHS_LOOKED_BACK = 12  # by rules with thresholds
_USAGE = ("pool", "listener", "track", "plays", "active")
_REVENUE = ("pool", "listener", "track", "net_micros")


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
    rates = [{"pool": n, "rate_ppm": settings.rate(source)} for n, (source, *_) in enumerate(keys)]
    facts = Facts(
        usage=_in_pools(usage, keys, settings).select(_USAGE),
        revenue=_in_pools(revenue, keys, settings).select(_REVENUE),
        pools=table_of(rates),
        history=_history(books, settings, period, (usage, backend)),
        credits=_credits(shares, held),
    ).kept(snapshots.hold)
    rows = sorted(snapshots.run(pool_totals(facts)).to_pylist(), key=lambda row: row["pool"])
    totals = [PoolTotals(**row) for row in rows]
    return Month(
        period=period,
        settings=settings,
        provider=provider,
        inputs=inputs,
        pools=[_pool(period, key, each) for key, each in zip(keys, totals, strict=True)],
        totals=totals,
        facts=facts,
        shares=shares,
        held=held,
    )


def _pool(period: Period, key: tuple[str, str, str], totals: PoolTotals) -> Pool:
    source, territory, currency = key
    amount = Money(totals.pool_micros, currency)
    return Pool(period=period, source=source, territory=territory, amount=amount)


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
    return rows.join(table_of(places).select("pool", *by), by)


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


def table_of(rows: Sequence[Mapping[str, object]]) -> Table:
    """Make a table of a few rows."""
    return ibis.memtable(pa.Table.from_pylist(list(rows)))
