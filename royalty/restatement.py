"""Restatement: what a closed month would post if it were divided now, less what is posted for it.

A closed month is never changed. Its revenue and its allocations, all adjustments of them and what
was reversed of any of these are summed; what dividing again would post is held against that, and
the difference is posted in the open month, for each transaction one that adjusts it (decision 14).
So adjusting twice posts nothing the second time, and going back to what was nets to zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import ibis
from ibis import Table

from royalty.ledger import Posting, Transaction
from royalty.money import Money
from royalty.period import Period
from royalty.rules.arithmetic import exact_sum

ADJUSTMENT: Final = "adjustment"
DIVIDED = ("revenue", "allocation")  # kinds of transactions that dividing a month posts
# What decides a month, by kind of snapshot, and what is said where it is not what it was.
_CHANGES = {
    "usage": "late usage",
    "revenue": "late revenue",
    "rights.recordings": "restated licences",
    "rights.interests": "restated interests",
    "rights.rates": "restated agreements",
}
OTHERWISE = "divided again, it comes to something else"  # all that decides is named otherwise
_NAMED = 3  # tracks named in a sentence

Side = tuple[str, str, str, str, str]  # account, right, pool, currency, rate of exchange
Sums = defaultdict[Side, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Into:
    """The open month that adjustments are posted in, and what is said of them there."""

    period: Period
    day: date
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a closed month comes to on one account: as posted, and as restated. Credits positive."""

    account: str
    before: Money
    restated: Money

    @property
    def difference(self) -> Money:
        """What the restatement adds."""
        return self.restated - self.before


def adjustments(
    posted: Sequence[Transaction], wanted: Sequence[Transaction], into: Into
) -> list[Transaction]:
    """Write down what is to be posted so that a closed month comes to what is wanted.

    `posted` is what dividing it posted, with all adjustments and reversals since, in the order of
    the chain; `wanted` is what dividing it again would post. A pool that the month did not have
    adjusts the month's first transaction; where the month posted nothing, there is none to name,
    and `month_adjusted` still tells of which month it is. Nothing is made where nothing differs.
    """
    there, keys = _by_original(posted), [each.key for each in posted]
    goal = {each.key: _sums(each) for each in wanted}
    made = []
    for original in dict.fromkeys([*goal, *sorted(there)]):
        sides = _difference(there.get(original, {}), goal.get(original, {}))
        if not sides:
            continue
        prefix = f"{into.period}/{ADJUSTMENT}/{original}/"
        number = sum(key.startswith(prefix) for key in _own(keys)) + 1
        made.append(
            Transaction(
                kind=ADJUSTMENT,
                key=f"{prefix}{number}",
                period=into.period,
                effective_on=into.day,
                postings=tuple(_postings(sides)),
                adjusts=original if original in keys else next(iter(keys), None),
                memo=into.memo,
            )
        )
    return made


def moved(posted: Sequence[Transaction], wanted: Sequence[Transaction]) -> list[Moved]:
    """Say what a month comes to on every account, in order: as posted, and as restated."""
    before, after = _on_accounts(posted), _on_accounts(wanted)
    return [
        Moved(
            account=account,
            before=Money(before[account, currency], currency),
            restated=Money(after[account, currency], currency),
        )
        for account, currency in sorted({*before, *after})
    ]


def is_of(period: Period, key: str, kind: str) -> bool:
    """Tell whether a transaction divides this month, or adjusts its division."""
    if kind == ADJUSTMENT:
        return key.partition(f"/{ADJUSTMENT}/")[2].startswith(f"{period}/")
    return kind in DIVIDED and key.startswith(f"{period}/")


def month_adjusted(key: str) -> Period | None:
    """Name the month that an adjustment puts right, by its key; None where that names none."""
    try:
        return Period.parse(key.partition(f"/{ADJUSTMENT}/")[2].partition("/")[0])
    except ValueError:
        return None


def changes(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> list[str]:
    """Say in plain words what decides otherwise now; snapshots by kind. Shares are worded apart."""
    return [
        words
        for kind, words in _CHANGES.items()
        if set(before.get(kind, ())) != set(after.get(kind, ()))
    ]


def share_changes(versions: Iterable[tuple[str, int]]) -> list[str]:
    """Say of tracks (id, version of their shares) whether these were corrected or came late."""
    last = dict(sorted(versions))  # the highest version of each
    anew = [track for track, version in last.items() if version > 1]
    late = [track for track, version in last.items() if version == 1]
    said = [f"corrected shares of {_named(anew)}"] if anew else []
    return said + ([f"shares of {_named(late)}, which had none"] if late else [])


def memo(changed: Sequence[str], reason: str) -> str:
    """Say why a month is adjusted: what changed, and the reason that was given."""
    return ": ".join(filter(None, ["; ".join(changed) or OTHERWISE, reason]))


def by_track(before: Table, after: Table, most: int) -> Table:
    """Find the tracks that moved each payee's money most: payee, track, micros.

    Both tables have the columns of `royalty.lines.SCHEMA`. A track of '' is money of no track:
    unattributed, or fixed by the rule.
    """
    signed = [
        rows.filter(rows.payee.notnull()).select("payee", "track", micros=rows.micros * sign)
        for rows, sign in ((before, -1), (after, 1))
    ]
    rows = ibis.union(*signed)
    sums = rows.group_by("payee", "track").agg(micros=exact_sum(rows.micros))
    sums = sums.filter(sums.micros != 0)
    largest = ibis.window(group_by="payee", order_by=[ibis.desc(sums.micros.abs()), sums.track])
    ranked = sums.mutate(place=ibis.row_number().over(largest))
    return ranked.filter(ranked.place < most).order_by("payee", "place").drop("place")


def _by_original(posted: Iterable[Transaction]) -> dict[str, Sums]:
    """Sum what is posted by the transaction of the division that it is, adjusts or undoes."""
    original: dict[str, str] = {}
    sums: dict[str, Sums] = {}
    for each in posted:
        key = original[each.reverses] if each.reverses else _original(each)
        original[each.key] = key
        of = sums.setdefault(key, defaultdict(int))
        for side, micros in _sums(each).items():
            of[side] += micros
    return sums


def _original(transaction: Transaction) -> str:
    """Name what an adjustment corrects, by its key: that of a new pool is not posted itself."""
    if transaction.kind != ADJUSTMENT:
        return transaction.key
    return transaction.key.partition(f"/{ADJUSTMENT}/")[2].rpartition("/")[0]


def _own(keys: Iterable[str]) -> Iterator[str]:
    return (key for key in keys if not key.endswith("/reversal"))


def _sums(transaction: Transaction) -> Sums:
    sums: Sums = defaultdict(int)
    for each in transaction.postings:
        side = (each.account, each.right or "", each.pool or "", each.amount.currency)
        sums[*side, each.fx_rate or ""] += each.amount.micros
    return sums


def _difference(there: Mapping[Side, int], goal: Mapping[Side, int]) -> dict[Side, int]:
    sides = {side: goal.get(side, 0) - there.get(side, 0) for side in sorted({*there, *goal})}
    return {side: micros for side, micros in sides.items() if micros}


def _postings(sides: Mapping[Side, int]) -> Iterator[Posting]:
    for (account, right, pool, currency, rate), micros in sides.items():
        amount = Money(micros, currency)
        posting = Posting(account=account, amount=amount, pool=pool or None)
        yield replace(posting, right=right or None, fx_rate=rate or None)


def _on_accounts(transactions: Iterable[Transaction]) -> defaultdict[tuple[str, str], int]:
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in transactions:
        for posting in each.postings:
            sums[posting.account, posting.amount.currency] -= posting.amount.micros
    return sums


def _named(tracks: Sequence[str]) -> str:
    more = len(tracks) - _NAMED
    return ", ".join(tracks[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
