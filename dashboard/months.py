"""A month with every rule that is stored for it and is of what came in for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard import components, identity, reads, wording
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
    stale: Sequence[str]  # rules left out: more came in since they divided the month
    names: Mapping[str, str]

    @property
    def currency(self) -> str:
        """The currency that all of them pay in."""
        return next(iter(self.payouts.values())).pool.currency

    @property
    def is_one_whole(self) -> bool:
        """Whether all rules divide the same money; settings may have changed between them."""
        return len({payout.pool for payout in self.payouts.values()}) == 1

    def command(self, rules: Sequence[str]) -> str:
        """Write the command that divides the month anew by some rules."""
        return _command(self.row.period, rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """How a month stands and which rules divided it, each list as a page orders them."""

    row: PeriodRow
    fresh: Sequence[str]  # of what is there now; one at least
    stale: Sequence[str]  # more came in since


def opened(period: Period) -> Month:
    """Read a month. Raises `NotReady` where no rule was computed of what is there now."""
    viewer, where, month = identity.viewer(), reads.place(), divided(period)
    payouts = {rule: reads.payout(viewer, where, period, rule) for rule in month.fresh}
    payees = {payee.id: payee.name for payout in payouts.values() for payee in payout.payees}
    names = components.distinct(dict(sorted(payees.items())))
    return Month(row=month.row, payouts=payouts, stale=month.stale, names=names)


def divided(period: Period) -> Divided:
    """Say by which rules a month is divided, and read none of it.

    Raises `NotReady` where no rule was computed of what is there now.
    """
    viewer, where = identity.viewer(), reads.place()
    row = reads.standing(viewer, where, period)
    if not row.computed:
        raise NotReady(
            f"{components.month(period)} has usage or revenue and no payout yet; "
            f"run 'tantieme payouts {period} --compare'"
        )
    older = reads.stale(viewer, where, period)
    stale = [rule for rule in _ordered(row) if rule in older]
    fresh = [rule for rule in _ordered(row) if rule not in older]
    if not fresh:
        raise NotReady(_renewal(period, stale))
    return Divided(row=row, fresh=fresh, stale=stale)


def warn(month: Month) -> None:
    """Say which rules are left out, or divide other money than the rest, and what mends it."""
    warn_of_stale(month)
    if not month.is_one_whole:
        components.empty(
            "not all rules divide the same money, since workspace.toml changed between them; "
            f"run '{month.command([*month.payouts])}'"
        )


def warn_of_stale(month: Month | Divided) -> None:
    """Say which rules are left out, and the command that divides the month by them anew."""
    if month.stale:
        components.empty(_renewal(month.row.period, month.stale))


def amounts(payout: Payout) -> dict[str, Money]:
    """Take from a payout what it gives each payee."""
    return {payee.id: payee.amount for payee in payout.payees}


def _renewal(period: Period, stale: Sequence[str]) -> str:
    names = ", ".join(wording.rule_name(rule).lower() for rule in stale)
    return (
        f"usage, revenue or shares came in after {components.month(period)} was divided by "
        f"{names}, so that is left out; run '{_command(period, stale)}'"
    )


def _command(period: Period, rules: Sequence[str]) -> str:
    return " ".join([f"tantieme payouts {period}", *(f"--rule {rule}" for rule in rules)])


def _ordered(row: PeriodRow) -> list[str]:
    """Put the rule that closed the month first, then rules as they are listed, then blends."""
    known = {rule: place for place, rule in enumerate(RULES)}
    return sorted(
        row.computed, key=lambda rule: (rule != row.rule, known.get(rule, len(known)), rule)
    )
