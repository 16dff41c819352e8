"""A month, opened to be divided: what came in, in pools, and who holds what on its first day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import ibis
from ibis import BaseBackend, Table

from cli.jobs.given import Given, chosen_provider, given_now
from cli.jobs.pools import pools_of
from cli.workspace import Settings
from db import engines, queries, snapshots
from db.engine import Books
from db.queries import EVERYONE
from royalty.allocation import Pool
from royalty.errors import NotFound
from royalty.period import Period
from royalty.rights import Holdings, holdings
from royalty.rules import RULES, Facts, PoolTotals, pool_totals
from royalty.rules.arithmetic import exact_sum

_PLAYED = ("usage", "history")  # inputs that are usage
_USAGE = ("pool", "listener", "track", "plays", "active")
_REVENUE = ("pool", "listener", "track", "net_micros")


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month's facts, opened once, to be divided by one rule or by many."""

    period: Period
    given: Given
    pools: Sequence[Pool]
    totals: Sequence[PoolTotals]  # of the pools, in their order
    facts: Facts
    shares: Table
    held: Holdings

    @property
    def settings(self) -> Settings:
        """The settings that the month is divided by."""
        return self.given.settings

    @property
    def provider(self) -> str:
        """Whose shares the month is divided by."""
        return self.given.provider

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
        if not any(self.given.inputs[kind] for kind in ("usage", "revenue")):
            return ""  # a month without money, which any rule divides
        if "plays" in how and not self.given.inputs["usage"]:
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


def open_month(
    books: Books,
    settings: Settings,
    period: Period,
    *,
    without: frozenset[str] = frozenset(),
    engine: str = "duckdb",
) -> Month:
    """Open a month as the books have it now. Raises `NotReady` without revenue, or without shares.

    `without` leaves listeners out, for comparison only.
    """
    given = given_now(books, settings, period)
    return open_given(books, period, given, without=without, engine=engine)


def open_given(
    books: Books,
    period: Period,
    given: Given,
    *,
    without: frozenset[str] = frozenset(),
    engine: str = "duckdb",
) -> Month:
    """Open a month from what is given, and from nothing else that the books know.

    Raises as `pools_of` does, and `NotFound` on shares of a recording that is not known.
    """
    backend, settings = engines.connect(engine), given.settings
    came = _came(books, given, without, backend)
    shares = queries.shares_in(EVERYONE, books, given.provider, given.inputs["shares"], backend)
    held = holdings(given.rights, settings.publishing_ppm, backend.to_pyarrow)
    _require_recordings(shares, held)
    pools = pools_of(came["revenue"], given, period)
    revenue = pools.holding(came["revenue"])
    converted = pools.converted(revenue)
    facts = Facts(
        usage=pools.holding(came["usage"]).select(_USAGE),
        revenue=pools.worth(revenue).select(_REVENUE),
        pools=pools.royalty_rates,
        history=_history(ibis.union(*(came[kind] for kind in _PLAYED if kind in came))),
        credits=credits_of(shares, held),
    ).kept(snapshots.hold)
    rows = sorted(snapshots.run(pool_totals(facts)).to_pylist(), key=lambda row: row["pool"])
    totals = [PoolTotals(**row) for row in rows]
    return Month(
        period=period,
        given=replace(given, rates=pools.rates),
        pools=[pools.described(each, converted.get(each.pool)) for each in totals],
        totals=totals,
        facts=facts,
        shares=shares,
        held=held,
    )


def _came(
    books: Books, given: Given, without: frozenset[str], engine: BaseBackend
) -> dict[str, Table]:
    """Open what came in, by kind; `history` is usage, too."""
    return {
        kind: _without(
            snapshots.table(books, "usage" if kind in _PLAYED else kind, hashes, engine), without
        )
        for kind, hashes in given.inputs.items()
        if kind != "shares"
    }


def _history(usage: Table) -> Table:
    """Count plays and listeners of tracks over all the months that rules look at."""
    played = usage.filter(usage.plays > 0)
    return played.group_by("track").agg(
        plays=exact_sum(played.plays), listeners=played.listener.nunique()
    )


def credits_of(shares: Table, held: Holdings) -> Table:
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
