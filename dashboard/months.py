"""A month with every rule that is stored for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import components, identity, reads
from db.queries import Payout, PeriodRow
from royalty.errors import NotReady
from royalty.money import Money
from royalty.period import Period
from royalty.rules import RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How a month stands, what each rule pays in it, and the payees of any of them by id."""

    row: PeriodRow
    payouts: Mapping[str, Payout]  # by rule; the one that closed the month first
    names: Mapping[str, str]

    @property
    def currency(self) -> str:
        """The currency that all of them pay in."""
        return next(iter(self.payouts.values())).pool.currency


def opened(period: Period) -> Month:
    """Read a month. Raises `NotReady` where no rule was computed for it."""
    viewer, where = identity.viewer(), reads.place()
    row = reads.standing(viewer, where, period)
    if not row.computed:
        raise NotReady(
            f"{components.month(period)} has usage or revenue and no payout yet; "
            f"run 'tantieme payouts {period} --compare'"
        )
    payouts = {rule: reads.payout(viewer, where, period, rule) for rule in _ordered(row)}
    payees = {payee.id: payee.name for payout in payouts.values() for payee in payout.payees}
    return Month(row=row, payouts=payouts, names=components.distinct(dict(sorted(payees.items()))))


def amounts(payout: Payout) -> dict[str, Money]:
    """Take from a payout what it gives each payee."""
    return {payee.id: payee.amount for payee in payout.payees}


def _ordered(row: PeriodRow) -> list[str]:
    """Put the rule that closed the month first, then rules as they are listed, then blends."""
    known = {rule: place for place, rule in enumerate(RULES)}
    return sorted(
        row.computed, key=lambda rule: (rule != row.rule, known.get(rule, len(known)), rule)
    )
