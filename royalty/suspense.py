"""Suspense: money whose owner is not known, or that is held or disputed; how long it has waited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import ibis
from ibis import Table

from royalty.money import Money
from royalty.period import Period
from royalty.rules.arithmetic import exact_sum

BANDS = ((30, "0 to 30"), (90, "31 to 90"), (180, "91 to 180"))  # days, up to and with
OLDEST = "over 180"
UNOWNED = ("unmatched", "unclaimed")  # what dividing again may find an owner for
_WAITED = {
    "suspense_unmatched": ("pool", "track"),
    "suspense_unclaimed": ("pool", "recording", "right"),
}
_WHY = ("kind", "pool", "track", "recording", "work", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lain:
    """One posting on a suspense account."""

    kind: str  # unmatched | unclaimed | held | disputed
    about: str  # a pool; of what is held or disputed, the hold
    day: date
    amount: Money  # what came to lie there: credits positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits of one pool, or under one hold, and how old it is."""

    kind: str
    about: str
    amount: Money
    since: date
    days: int

    @property
    def band(self) -> str:
        """The band of its age: `0 to 30`, `31 to 90`, `91 to 180` or `over 180` days."""
        return next((name for days, name in BANDS if self.days <= days), OLDEST)


def waiting(postings: Iterable[Lain], on: date) -> list[Waiting]:
    """Age what waits on a day: of each pool or hold, since its balance last left zero.

    `postings` come in the order of the chain. The oldest comes first.
    """
    balance: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    since: dict[tuple[str, str, str], date] = {}
    for each in postings:
        key = (each.kind, each.about, each.amount.currency)
        if not balance[key]:
            since[key] = each.day
        balance[key] += each.amount.micros
    found = [
        Waiting(
            kind=kind,
            about=about,
            amount=Money(micros, currency),
            since=since[kind, about, currency],
            days=max(0, (on - since[kind, about, currency]).days),
        )
        for (kind, about, currency), micros in balance.items()
        if micros
    ]
    return sorted(found, key=lambda each: (each.since, each.kind, each.about))


def months(rows: Iterable[Waiting]) -> list[Period]:
    """List the months whose money has no owner, the earliest first."""
    named = {each.about.partition("/")[0] for each in rows if each.kind in UNOWNED}
    return sorted(map(Period.parse, named))


def totals(rows: Iterable[Waiting]) -> dict[tuple[str, str, str], int]:
    """Sum what waits, in micros by kind, band and currency."""
    sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for each in rows:
        sums[each.kind, each.band, each.amount.currency] += each.amount.micros
    return dict(sorted(sums.items()))


def causes(allocations: Table) -> Table:
    """Sum what waits by why: tracks without shares, rights that nobody holds. Largest first.

    Columns are kind (without `suspense_`), pool, track, recording, work, right, gap_ppm, micros;
    a track is named where it has no shares, a recording, its work and the gap in a right where
    nobody holds that.
    """
    rows = allocations.filter(allocations.kind.startswith("suspense_"))
    unclaimed = rows.kind == "suspense_unclaimed"
    rows = rows.mutate(
        kind=rows.kind.replace("suspense_", ""),
        track=unclaimed.ifelse("", rows.track),
        **{name: rows[name].fill_null("") for name in ("recording", "work", "right")},
    )
    sums = rows.group_by(_WHY).agg(gap_ppm=rows.interest_ppm.max(), micros=exact_sum(rows.micros))
    sums = sums.filter(sums.micros != 0)
    return sums.order_by([ibis.desc(sums.micros), *(sums[name] for name in _WHY)])


def owners(before: Table, after: Table) -> Table:
    """Sum what those get who now own what waited: payee, micros, in order of payees.

    Both are lines of a month's allocations. What waited is named by its track where that had no
    shares, and by its recording and right where nobody held them.
    """
    signed = [
        rows.filter(rows.payee.notnull()).mutate(micros=rows.micros * sign)
        for rows, sign in ((before, -1), (after, 1))
    ]
    rows = ibis.union(*signed)
    found = [
        rows.semi_join(before.filter(before.kind == kind, before[keys[-1]] != ""), keys)
        for kind, keys in _WAITED.items()
    ]
    both = ibis.union(*found, distinct=False)
    sums = both.group_by("payee").agg(micros=exact_sum(both.micros))
    return sums.filter(sums.micros > 0).order_by("payee")


def why(row: dict[str, object]) -> str:
    """Say in plain words why money of a row of `causes` has no owner."""
    if row["kind"] == "unclaimed":
        of = row["recording"] if row["right"] == "master" else f"work {row['work']}"
        return f"nobody holds {row['gap_ppm']} ppm of the {row['right']} right of {of}"
    if row["track"]:
        return f"track {row['track']} has no shares"
    return "nothing was played for it, or it is booked against no track"
