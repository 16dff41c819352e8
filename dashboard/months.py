"""A month with every rule that is stored for it and is of what came in for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard import components, identity, reads, wording
from db.queries import Earnings, PayeeAmount, PeriodRow, Window
from royalty.errors import NotReady
from royalty.money import Money
from royalty.period import Period
from royalty.rules import RULES

LISTED = 1_000  # payees in a table; `tantieme export` writes all


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What rules pay some payees; one whom a rule pays nothing is not among its own."""

    currency: str
    names: Mapping[str, str]  # by id, in the order asked for; no two alike
    by_rule: Mapping[str, Mapping[str, PayeeAmount]]

    def amount(self, rule: str, payee: str) -> Money:
        """Return what a rule pays a payee."""
        found = self.by_rule[rule].get(payee)
        return Money(0, self.currency) if found is None else found.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How a month stands, and the head of what each rule pays in it."""

    row: PeriodRow
    payouts: Mapping[str, Earnings]  # by rule; the one that closed the month first
    stale: Sequence[str]  # rules left out: more came in since they divided the month

    @property
    def currency(self) -> str:
        """The currency that all of them pay in."""
        return next(iter(self.payouts.values())).pool.currency

    @property
    def count(self) -> int:
        """How many payees some rule pays, by the rule that pays most of them."""
        return max(payout.payee_count for payout in self.payouts.values())

    def ranked(self, weights: Mapping[str, int], limit: int) -> list[str]:
        """Name the payees for whom what rules pay, each times its weight, sums to most."""
        weighed = tuple((self.payouts[rule].id, weight) for rule, weight in weights.items())
        window = Window(limit=limit)
        return reads.ranked(identity.viewer(), reads.place(), weighed, window)

    def paid_to(self, payees: Sequence[str]) -> Paid:
        """Read what every rule pays these payees."""
        ids = {rule: payout.id for rule, payout in self.payouts.items()}
        found = reads.paid_to(
            identity.viewer(), reads.place(), tuple(ids.values()), self.currency, tuple(payees)
        )
        names = {each.id: each.name for paid in found.values() for each in paid.values()}
        return Paid(
            currency=self.currency,
            names=components.distinct({payee: names[payee] for payee in payees}),
            by_rule={rule: found[id_] for rule, id_ in ids.items()},
        )

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
    payouts = {rule: reads.earnings(viewer, where, period, rule) for rule in month.fresh}
    return Month(row=month.row, payouts=payouts, stale=month.stale)


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


def some_of(shown: int, count: int) -> str:
    """Say how many are listed of how many: all, or those who come first."""
    return (
        f"All {shown:,}"
        if shown < LISTED or shown == count
        else f"The first {shown:,} of {count:,}"
    )


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
