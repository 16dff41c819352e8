"""Rule comparison: what each rule that a month was computed by pays whom, beside the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from royalty.concentration import concentration
from royalty.differences import Difference, moved
from royalty.money import Money
from royalty.payout import PayeeAmount, Payout
from royalty.reports.table import Cell, Column, Table

COLUMNS = (
    Column(name="rule", title="Rule"),
    Column(name="payee", title="Payee", kind="id"),
    Column(name="name", title="Name"),
    Column(name="amount", title="Amount", kind="money"),
    Column(name="low", title="Low", kind="money"),
    Column(name="high", title="High", kind="money"),
    Column(name="difference", title="Difference", kind="money"),
    Column(name="difference_low", title="Its low end", kind="money"),
    Column(name="difference_high", title="Its high end", kind="money"),
    Column(name="moved", title="Changes hands", kind="money"),
    Column(name="gini", title="Gini", kind="percent"),
    Column(name="top_10_percent", title="Top tenth gets", kind="percent"),
)
Differences = Mapping[str, Sequence[Difference]]  # by rule; of the first there are none


def rules_table(payouts: Sequence[Payout], differences: Differences, root: str | None) -> Table:
    """Lay a month's payouts side by side; the first is the one that the others are held against.

    Of each rule first a row for all payees, with how unequally they are paid, then a row a payee.
    Who gets nothing by a rule has a zero there.
    """
    first = payouts[0]
    names = {payee.id: payee.name for paid in payouts for payee in paid.payees}
    return Table(
        name="rules",
        title=f"Rules compared, {first.period}",
        columns=COLUMNS,
        rows=tuple(
            row for paid in payouts for row in _rows(paid, names, differences.get(paid.rule, ()))
        ),
        notes=(
            f"Differences are from {first.rule}.",
            "All rules divide by the same shares: a difference is surer than its two amounts are.",
        ),
        period=first.period,
        root=root,
    )


def _rows(
    paid: Payout, names: Mapping[str, str], differences: Sequence[Difference]
) -> Iterator[tuple[Cell, ...]]:
    given = {payee.id: payee for payee in paid.payees}
    beyond = {each.payee: each for each in differences}
    yield _whole(paid, len(names), differences)
    for payee, name in sorted(names.items()):
        yield (paid.rule, payee, name, *_amounts(given.get(payee), beyond.get(payee), paid))


def _whole(paid: Payout, count: int, differences: Sequence[Difference]) -> tuple[Cell, ...]:
    currency = paid.pool.currency
    amounts = [payee.amount.micros for payee in paid.payees]
    everyone = [*amounts, *[0] * (count - len(amounts))]
    found = concentration(everyone) if any(everyone) else None
    measured = (None, None) if found is None else (found.gini, found.top_10_percent)
    ends = (Money(sum(amounts), currency), *[None] * 5, moved(differences, currency))
    return (paid.rule, None, "all payees", *ends, *measured)


def _amounts(
    given: PayeeAmount | None, beyond: Difference | None, paid: Payout
) -> tuple[Cell, ...]:
    zero = Money(0, paid.pool.currency)
    got = (zero,) * 3 if given is None else (given.amount, given.low, given.high)
    more = (zero,) * 3 if beyond is None else (beyond.amount, beyond.low, beyond.high)
    return (*got, *more, None, None, None)
