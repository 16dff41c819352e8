"""What `tantieme payouts` prints: payouts of one month, alone or beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from cli.output import print_table
from db.queries import PayeeAmount, Payout
from royalty.differences import Difference
from royalty.money import Money

SIDE_BY_SIDE = 3  # rules whose amounts fit a line
DIFFERENCES = 2  # rules whose differences fit a line, each with its interval
NAME = 20  # letters of a name that fit beside them
INTERVAL = ">90 % interval"
UNATTRIBUTED = """\
Unattributed money is divided equally among works. Intervals add up as if all errors of the run
went together, so they are wide."""
SELDOM = {  # columns that are there only where there is anything in them, and what they mean
    "idle": "Idle money is of listeners who played nothing, or of none; plays divide it, if any.",
    "fixed by the rule": "What a rule fixes, it gives to all works alike.",
    "platform, by terms": "What terms leave with the platform is no payee's; it is part of what "
    "was divided.",
}
Differences = Mapping[str, Sequence[Difference]]  # by rule, from the first one


def print_payouts(computed: Sequence[Payout], differences: Differences | None = None) -> None:
    """Print what rules pay, side by side, and how they differ from the first where that is given.

    What lies outside the payees' amounts comes last.
    """
    first, *others = computed
    kept = first.gross - first.pool
    share = f", of {first.gross} that came in; the rest is the platform's" if kept.micros else ""
    click.echo(f"{first.period}: {first.pool} to divide{share}\n")
    payees = _largest_first(computed)
    if not others:
        _print_one(first)
    elif differences and len(others) == 1:
        _print_two(first, others[0], payees, differences)
    else:
        for some in _blocks(computed, SIDE_BY_SIDE):
            _print_amounts(some, payees)
        if differences:
            click.echo(f"More or less than by {first.rule}, to the cent:\n")
            for some in _blocks(others, DIFFERENCES):
                _print_differences(some, payees, differences)
    _print_rest(computed)


def _print_one(payout: Payout) -> None:
    rows = [
        (payee.name, str(payee.amount), _between(payee.low, payee.high)) for payee in payout.payees
    ]
    print_table("", ["payee", _heading(payout), INTERVAL], rows)
    click.echo()


def _print_two(
    first: Payout, second: Payout, payees: Sequence[PayeeAmount], differences: Differences
) -> None:
    one, other, changed = _amounts(first), _amounts(second), _by_payee(differences[second.rule])
    nothing = Money(0, first.pool.currency)
    rules = map(_heading, (first, second))
    print_table(
        "",
        ["payee", *rules, ">difference", INTERVAL],
        [
            (
                _short(payee.name, NAME + 4),
                str(one.get(payee.id, nothing)),
                str(other.get(payee.id, nothing)),
                *_cells(changed.get(payee.id), exact=True),
            )
            for payee in payees
        ],
    )
    click.echo()


def _print_amounts(some: Sequence[Payout], payees: Sequence[PayeeAmount]) -> None:
    amounts = [_amounts(payout) for payout in some]
    nothing = Money(0, some[0].pool.currency)
    print_table(
        "",
        ["payee", *(_heading(payout) for payout in some)],
        [(payee.name, *(str(each.get(payee.id, nothing)) for each in amounts)) for payee in payees],
    )
    click.echo()


def _print_differences(
    some: Sequence[Payout], payees: Sequence[PayeeAmount], differences: Differences
) -> None:
    changed = [_by_payee(differences[payout.rule]) for payout in some]
    columns = (
        column
        for each in some
        for column in (">", f"{_heading(each)}\n{INTERVAL.removeprefix('>')}")
    )
    print_table(
        "",
        ["payee", *columns],
        [
            (
                _short(payee.name, NAME),
                *(text for each in changed for text in _cells(each.get(payee.id))),
            )
            for payee in payees
        ],
    )
    click.echo()


def _print_rest(computed: Sequence[Payout]) -> None:
    """Print what of the amounts was divided without evidence, and what is nobody's yet."""
    columns: dict[str, list[Money]] = {
        "unattributed": [each.unattributed for each in computed],
        "fixed by the rule": [each.fixed for each in computed],
        "idle": [each.idle for each in computed],
        "waits in suspense": [each.suspense for each in computed],
        "platform, by terms": [each.platform for each in computed],
    }
    some = {
        name: amounts
        for name, amounts in columns.items()
        if name not in SELDOM or any(each.micros for each in amounts)
    }
    rows = zip((each.rule for each in computed), *some.values(), strict=True)
    print_table(
        "Of this",
        ["", *(f">{name}" for name in some)],
        [(rule, *(each.rounded for each in amounts)) for rule, *amounts in rows],
    )
    click.echo(f"\n{UNATTRIBUTED}")
    for name, meaning in SELDOM.items():
        if name in some:
            click.echo(meaning)


def _heading(payout: Payout) -> str:
    """Name a rule above its column; a blend takes a line for each of its rules."""
    return f">{payout.rule}".replace("+", "\n+")


def _largest_first(computed: Sequence[Payout]) -> list[PayeeAmount]:
    """List everybody whom some rule pays: who gets most by the first rule first."""
    payees: dict[str, PayeeAmount] = {}
    for payout in computed:
        for payee in payout.payees:
            payees.setdefault(payee.id, payee)
    return [*payees.values()]


def _blocks(rules: Sequence[Payout], size: int) -> Iterator[Sequence[Payout]]:
    for start in range(0, len(rules), size):
        yield rules[start : start + size]


def _amounts(payout: Payout) -> dict[str, Money]:
    return {payee.id: payee.amount for payee in payout.payees}


def _by_payee(differences: Sequence[Difference]) -> dict[str, Difference]:
    return {each.payee: each for each in differences}


def _cells(difference: Difference | None, *, exact: bool = False) -> tuple[str, str]:
    if difference is None:  # paid by neither of the two rules
        return "–", ""  # noqa: RUF001
    amount = str(difference.amount) if exact else difference.amount.rounded
    return amount, _between(difference.low, difference.high)


def _short(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"


def _between(low: Money, high: Money) -> str:
    return f"{low.rounded} to {high.rounded}"
