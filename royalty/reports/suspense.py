"""Suspense by age: what waits for an owner, or is held, and how long it has."""

from __future__ import annotations

from collections.abc import Iterable

from royalty.money import Money
from royalty.period import Period
from royalty.reports.table import Column, Table
from royalty.suspense import Waiting, totals

COLUMNS = (
    Column(name="kind", title="Kind"),
    Column(name="about", title="Pool or hold", kind="id"),
    Column(name="since", title="Since", kind="date"),
    Column(name="days", title="Days", kind="count"),
    Column(name="band", title="Band, in days"),
    Column(name="amount", title="Amount", kind="money"),
)


def suspense_table(
    period: Period, rows: Iterable[Waiting], why: Iterable[str], root: str | None
) -> Table:
    """Age what waited on a month's last day, the oldest first; `why` are reasons in plain words."""
    waiting = list(rows)
    sums = [
        f"{kind}, {band} days: {Money(micros, currency)}"
        for (kind, band, currency), micros in totals(waiting).items()
    ]
    return Table(
        name="suspense",
        title=f"Suspense by age on {period.last_day}",
        columns=COLUMNS,
        rows=tuple((r.kind, r.about, r.since, r.days, r.band, r.amount) for r in waiting),
        notes=(*sums, *why),
        period=period,
        root=root,
    )
