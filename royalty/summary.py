"""What allocations come to: sums of payees, recordings and suspense, and what closing posts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from royalty.allocation import Allocation
from royalty.ledger import Kind, Total
from royalty.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A sum of allocations with its interval: low ends and high ends add up, so it is cautious."""

    micros: int = 0
    low_micros: int = 0
    high_micros: int = 0
    attributed_micros: int = 0

    def plus(self, row: Allocation) -> Amount:
        """Add one allocation to the sum."""
        return Amount(
            micros=self.micros + row.micros,
            low_micros=self.low_micros + row.low_micros,
            high_micros=self.high_micros + row.high_micros,
            attributed_micros=self.attributed_micros + row.micros * (row.kind == "attributed"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a period's allocations come to; payees + suspense + platform = the pools."""

    payees: Mapping[str, Amount]
    recordings: Mapping[str, Amount]  # by use of tracks, whoever it went to; no unattributed money
    suspense: Mapping[str, int]  # unmatched, unclaimed
    platform_micros: int
    unattributed_micros: int  # of which, in the sums above, was divided equally
    totals: tuple[Total, ...]  # what closing posts


def summarise(rows: Iterable[Allocation], currency: str) -> Summary:
    """Sum allocations of pools of one currency, in one pass, everything in order of ids."""
    payees: defaultdict[str, Amount] = defaultdict(Amount)
    recordings: defaultdict[str, Amount] = defaultdict(Amount)
    sums: defaultdict[tuple[str, str, str, Kind], int] = defaultdict(int)
    unattributed = 0
    for row in rows:
        sums[row.pool, row.payee or "", row.right or "", row.kind] += row.micros
        if row.payee is not None:
            payees[row.payee] = payees[row.payee].plus(row)
        if row.recording is not None and row.track:
            recordings[row.recording] = recordings[row.recording].plus(row)
        elif row.recording is not None:
            unattributed += row.micros
    totals = tuple(
        Total(
            pool=pool,
            payee=payee or None,
            right=right or None,
            kind=kind,
            amount=Money(micros, currency),
        )
        for (pool, payee, right, kind), micros in sorted(sums.items())
    )
    return Summary(
        payees=dict(sorted(payees.items())),
        recordings=dict(sorted(recordings.items())),
        suspense={
            kind: _micros_of(totals, f"suspense_{kind}") for kind in ("unclaimed", "unmatched")
        },
        platform_micros=_micros_of(totals, "platform"),
        unattributed_micros=unattributed,
        totals=totals,
    )


def _micros_of(totals: Iterable[Total], kind: str) -> int:
    return sum(total.amount.micros for total in totals if total.kind == kind)
