"""The pools of a month: what tells them apart, and what came into them in other currencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import ibis
import pyarrow as pa
from ibis import Table

from cli.jobs.given import Given
from cli.workspace import Settings
from db import snapshots
from royalty.allocation import Pool
from royalty.errors import NotReady, RoyaltyError
from royalty.fx import UNIT_PPB, FxRate
from royalty.ledger import Converted
from royalty.money import Money
from royalty.period import Period
from royalty.rules import PoolTotals
from royalty.rules.arithmetic import MICROS_MAX, exact_sum, narrow, proportion

WORLD = "WW"  # the territory of a pool of all territories
NOTHING = "nothing"  # the source of the one empty pool of a month without money


class PoolKey(NamedTuple):
    """What tells pools of a month apart; their canonical order."""

    source: str
    territory: str
    currency: str  # that came in


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """A month's pools, numbered in their order, and how money comes into them."""

    period: Period
    keys: Sequence[PoolKey]
    settings: Settings
    currency: str  # of the books
    rates: Mapping[str, FxRate]  # of the other currencies that came in

    @property
    def royalty_rates(self) -> Table:
        """What part of each pool's revenue is divided: pool, rate_ppm."""
        rates = [self.settings.rate(key.source) for key in self.keys]
        return table_of([{"pool": place, "rate_ppm": rate} for place, rate in enumerate(rates)])

    def holding(self, rows: Table) -> Table:
        """Give each row the number of its pool; rows of no pool are left out."""
        by = ["source", "territory"] if self.settings.pool_by_territory else ["source"]
        places = [{"pool": place, **key._asdict()} for place, key in enumerate(self.keys)]
        return rows.join(table_of(places).select("pool", *by), by)

    def converted(self, revenue: Table) -> dict[int, Converted]:
        """Say of each pool in another currency what came into it.

        Raises `RoyaltyError` where that is worth more than rules divide exactly.
        """
        if not self.rates:
            return {}
        sums = revenue.group_by("pool").agg(micros=exact_sum(revenue.net_micros))
        came = {row["pool"]: row["micros"] for row in snapshots.run(sums).to_pylist()}
        return {
            place: self._converted(key, Money(came[place], key.currency))
            for place, key in enumerate(self.keys)
            if key.currency in self.rates
        }

    def worth(self, revenue: Table) -> Table:
        """Convert what came in to the books' currency: floored to the micro, row by row."""
        if not self.rates:
            return revenue
        worth = ((base, ibis.literal(each.rate_ppb, "int64")) for base, each in self.rates.items())
        ppb = revenue.currency.cases(*worth, else_=ibis.literal(UNIT_PPB, "int64"))
        return revenue.mutate(net_micros=narrow(proportion(revenue.net_micros, ppb, UNIT_PPB)))

    def described(self, totals: PoolTotals, converted: Converted | None) -> Pool:
        """Describe a pool with what it comes to."""
        key = self.keys[totals.pool]
        return Pool(
            period=self.period,
            source=key.source,
            territory=key.territory,
            amount=Money(totals.pool_micros, self.currency),
            converted=converted,
        )

    def _converted(self, key: PoolKey, came: Money) -> Converted:
        rate = self.rates[key.currency]
        if rate.convert(came).micros > MICROS_MAX:
            raise RoyaltyError(
                f"{came} of {key.source} in {key.territory}, at {rate.decimal} {rate.quote} each, "
                f"is more than a pool can hold, {Money(MICROS_MAX, rate.quote)}; look at {rate.id}"
            )
        return Converted(came=came, rate=rate.id)


def pools_of(revenue: Table, given: Given, period: Period) -> Pools:
    """Find the pools that revenue came into; where none came, one that is empty.

    Raises `RoyaltyError` where one has several currencies, and `NotReady` where revenue is in a
    currency that no rate is given of.
    """
    keys = _keys(revenue, given.settings, period)
    came = sorted({key.currency for key in keys})
    currency = given.settings.currency or (came[0] if len(came) == 1 else "")
    if not keys:
        currency = currency or given.currency
        keys = [PoolKey(source=NOTHING, territory=WORLD, currency=currency)]
    if not currency:
        raise NotReady(
            f"{period} has revenue in {' and '.join(came)}; name the one that the books are kept "
            "in as 'currency' in workspace.toml"
        )
    return Pools(
        period=period,
        keys=keys,
        settings=given.settings,
        currency=currency,
        rates={each: _rate(each, currency, given, period) for each in came if each != currency},
    )


def table_of(rows: Sequence[Mapping[str, object]]) -> Table:
    """Make a table of a few rows."""
    return ibis.memtable(pa.Table.from_pylist(list(rows)))


def _keys(revenue: Table, settings: Settings, period: Period) -> list[PoolKey]:
    """List the pools, in canonical order."""
    found = revenue.select("source", "territory", "currency").distinct()
    keys = {PoolKey(**row) for row in snapshots.run(found).to_pylist()}
    if not settings.pool_by_territory:
        keys = {key._replace(territory=WORLD) for key in keys}
    for (source, territory), same in groupby(sorted(keys), key=itemgetter(0, 1)):
        currencies = [key.currency for key in same]
        if len(currencies) > 1:
            all_ = "" if settings.pool_by_territory else ", or have a pool of each territory"
            raise RoyaltyError(
                f"{source} in {territory} has revenue of {period} in {' and '.join(currencies)}, "
                f"and a pool is of one currency; put one of them under a source of its own{all_}"
            )
    return sorted(keys)


def _rate(base: str, quote: str, given: Given, period: Period) -> FxRate:
    if base not in given.rates:
        raise NotReady(
            f"{period} has revenue in {base}, and there is no rate from {base} to {quote} of the "
            "month's last day or before; import one with 'tantieme fx import FILE'"
        )
    return given.rates[base]
