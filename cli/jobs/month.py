"""A month, opened to be divided: what came in, in pools, and who holds what on its first day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
from royalty.rules.arithmetic import exact_sum

WORLD = "WW"  # the territory of a pool of all territories
_PLAYED = ("usage", "history")  # inputs that are usage
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
        """Say why a rule cannot divide this month, as a clause of its own; nothing where it can."""
        rules = self.pools_by_rule(rule)
        how = {RULES[name].divides for name in rules}
        if "plays" in how and not self.inputs["usage"]:
            return f"there is no usage of {self.period}; run 'tantieme usage import FILE' first"
        if RULES[rule].divides == "bookings" and rule in rules and not self._is_booked(rule):
            own = f"in the sources that {rule} would divide"
            where = f"of {self.period}" if len(rules) == 1 else own
            return (
                f"it divides revenue that was booked against tracks, and none {where} was; "
                "import revenue with a column 'track'"
            )
        return ""

    def _is_booked(self, rule: str) -> bool:
        revenue = self.facts.revenue
        mine = revenue.pool.isin(self.pools_by_rule(rule)[rule])
        booked = revenue.filter(revenue.track != "", mine)
        return len(snapshots.run(booked.limit(1))) > 0


class PoolKey(NamedTuple):
    """What tells pools of a month apart; their canonical order."""

    source: str
    territory: str
    currency: str


def open_month(
    books: Books,
    settings: Settings,
    period: Period,
    *,
    without: frozenset[str] = frozenset(),
    engine: str = "duckdb",
) -> Month:
    """Open what came in for a month. Raises `NotReady` where there is no revenue, or no shares."""
    provider, inputs = _inputs(books, settings, period)
    backend = engines.connect(engine)
    came = {kind: _came(books, kind, hashes, backend) for kind, hashes in inputs.items()}
    came |= {kind: _without(came[kind], without) for kind in came.keys() - {"shares"}}
    shares = came["shares"].filter(came["shares"].provider == provider)
    rights = queries.rights(EVERYONE, books, period.start)
    held = holdings(rights, settings.publishing_ppm, backend.to_pyarrow)
    _require_recordings(shares, held)
    keys = _pool_keys(came["revenue"], settings, period)
    rates = [{"pool": n, "rate_ppm": settings.rate(key.source)} for n, key in enumerate(keys)]
    facts = Facts(
        usage=_in_pools(came["usage"], keys, settings).select(_USAGE),
        revenue=_in_pools(came["revenue"], keys, settings).select(_REVENUE),
        pools=table_of(rates),
        history=_history(ibis.union(*(came[kind] for kind in _PLAYED if kind in came))),
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


def _inputs(
    books: Books, settings: Settings, period: Period
) -> tuple[str, dict[str, Sequence[str]]]:
    """Choose whose shares are used, and name the snapshots that decide, by kind.

    `history` is the usage of the eleven months before, for rules with thresholds; without any,
    those months decide nothing and there is none.
    """
    given = queries.inputs(EVERYONE, books, period)
    if not given.revenue:
        raise NotReady(f"there is no revenue of {period}; run 'tantieme revenue import FILE' first")
    provider = chosen_provider(given.shares, settings)
    inputs: dict[str, Sequence[str]] = {"usage": given.usage, "revenue": given.revenue}
    inputs["shares"] = given.shares.get(provider, [])
    if settings.looks_back:
        inputs["history"] = queries.earlier_usage(EVERYONE, books, period)
    return provider, inputs


def _came(books: Books, kind: str, hashes: Sequence[str], engine: BaseBackend) -> Table:
    return snapshots.table(books, "usage" if kind == "history" else kind, hashes, engine)


def _pool(period: Period, key: PoolKey, totals: PoolTotals) -> Pool:
    amount = Money(totals.pool_micros, key.currency)
    return Pool(period=period, source=key.source, territory=key.territory, amount=amount)


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


def _pool_keys(revenue: Table, settings: Settings, period: Period) -> list[PoolKey]:
    """List the pools, in canonical order."""
    found = revenue.select("source", "territory", "currency").distinct()
    keys = {PoolKey(**row) for row in snapshots.run(found).to_pylist()}
    currencies = sorted({key.currency for key in keys})
    if len(currencies) > 1:
        raise RoyaltyError(
            f"{period} has revenue in {', '.join(currencies)}; one currency a month is what can be "
            "divided so far, so import revenue converted to one"
        )
    if not settings.pool_by_territory:
        keys = {key._replace(territory=WORLD) for key in keys}
    return sorted(keys)


def _in_pools(rows: Table, keys: Sequence[PoolKey], settings: Settings) -> Table:
    """Give each row the number of its pool; rows of no pool are left out."""
    by = ["source", "territory"] if settings.pool_by_territory else ["source"]
    places = [{"pool": place, **key._asdict()} for place, key in enumerate(keys)]
    return rows.join(table_of(places).select("pool", *by), by)


def _history(usage: Table) -> Table:
    """Count plays and listeners of tracks over all the months that rules look at."""
    played = usage.filter(usage.plays > 0)
    return played.group_by("track").agg(
        plays=exact_sum(played.plays), listeners=played.listener.nunique()
    )


def _credits(shares: Table, held: Holdings) -> Table:
    """Sum each track's shares by the recordings' artists; the unattributed part has none."""
    artists = ibis.memtable(held.recordings).select("recording", "artist")
    rows = shares.left_join(artists, "recording")
    rows = rows.select("track", "share_ppb", artist=rows.artist.fill_null(""))
    return rows.group_by("track", "artist").agg(ppb=exact_sum(rows.share_ppb))


def _require_recordings(shares: Table, held: Holdings) -> None:
    """Refuse shares of recordings that are not in the catalogue."""
    named = shares.filter(shares.recording.notnull()).select("recording").distinct()
    stray = named.anti_join(ibis.memtable(held.recordings), "recording")
    for found in snapshots.run(stray.order_by("recording").limit(1))["recording"].to_pylist():
        owed = shares.filter(shares.recording == found).order_by("track").limit(1)
        [row] = snapshots.run(owed).to_pylist()
        raise NotFound(
            f"track {row['track']} owes a share to recording '{row['recording']}', which the "
            "catalogue does not have; import it with 'tantieme catalogue import'"
        )


def _without(table: Table, listeners: frozenset[str]) -> Table:
    return table.filter(table.listener.notin(sorted(listeners))) if listeners else table


def table_of(rows: Sequence[Mapping[str, object]]) -> Table:
    """Make a table of a few rows."""
    return ibis.memtable(pa.Table.from_pylist(list(rows)))


def plays_without_revenue(
    books: Books, period: Period, engine: str = "duckdb"
) -> list[tuple[str, str, int]]:
    """Find plays in a source and territory that brought in nothing: source, territory, plays."""
    given = queries.inputs(EVERYONE, books, period)
    if not (given.usage and given.revenue):
        return []
    backend = engines.connect(engine)
    usage = snapshots.table(books, "usage", given.usage, backend)
    revenue = snapshots.table(books, "revenue", given.revenue, backend)
    stray = usage.anti_join(revenue, ["source", "territory"])
    sums = stray.group_by("source", "territory").agg(plays=exact_sum(stray.plays))
    rows = snapshots.run(sums.order_by("source", "territory")).to_pylist()
    return [(row["source"], row["territory"], row["plays"]) for row in rows]


def tracks_without_shares(
    books: Books, settings: Settings, period: Period, engine: str = "duckdb"
) -> list[tuple[str, int]]:
    """Find tracks that were played and that the chosen provider gave no shares of, with plays."""
    given = queries.inputs(EVERYONE, books, period)
    provider = chosen_provider(given.shares, settings)
    backend = engines.connect(engine)
    usage = snapshots.table(books, "usage", given.usage, backend)
    shares = snapshots.table(books, "shares", given.shares[provider], backend)
    stray = usage.anti_join(shares.filter(shares.provider == provider), "track")
    sums = stray.group_by("track").agg(plays=exact_sum(stray.plays)).order_by("track")
    return [(row["track"], row["plays"]) for row in snapshots.run(sums).to_pylist()]
