"""What another rule would pay whom: the difference of two divisions of a month, with its interval.

Both rules divide by the same shares, so an error in a share moves both amounts. A row of
allocations is revenue times share; between two rules it differs by (revenue by the second - revenue
by the first) times that one share, and by as much as the share is uncertain: from its low end to
its high end, which change places where the second rule gives less. Ends of rows add up, as those of
amounts do (decision 5). Unattributed money is paid as one sum, so it is as uncertain as that sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import ibis
from ibis import Table

from royalty.lines import AMOUNTS, TEXTS
from royalty.money import Money, total
from royalty.rules.arithmetic import exact_sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one payee gets by a rule beyond what the first rule gives, between two ends."""

    payee: str
    amount: Money
    low: Money
    high: Money


def differences(first: Table, second: Table) -> Table:
    """Subtract the first rule's allocations from the second's: payee, micros, low and high micros.

    Both are of one month and in the columns of `royalty.lines.SCHEMA`; a row that one of them
    lacks is nothing there. Suspense and the platform are no payees.
    """
    rows = ibis.union(_signed(first, -1), _signed(second, 1))
    sums = rows.group_by(TEXTS).agg(**{name: exact_sum(rows[name]) for name in AMOUNTS})
    paid = sums.filter(sums.payee.fill_null("") != "")
    ends = paid.select(
        "payee",
        "micros",
        # The amount too, since each row's may have been rounded up.
        low_micros=ibis.least(paid.micros, paid.low_micros, paid.high_micros),
        high_micros=ibis.greatest(paid.micros, paid.low_micros, paid.high_micros),
    )
    return ends.group_by("payee").agg(**{name: exact_sum(ends[name]) for name in AMOUNTS})


def moved(differences: Iterable[Difference], currency: str) -> Money:
    """Return what the second rule gives to payees who gain by it."""
    gains = (each.amount for each in differences if each.amount.micros > 0)
    return total(gains, currency)


def _signed(allocations: Table, sign: int) -> Table:
    return allocations.select(*TEXTS, **{name: allocations[name] * sign for name in AMOUNTS})
