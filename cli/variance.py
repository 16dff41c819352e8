"""What `tantieme payouts --variance` prints: a month against the month before."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.output import print_table
from royalty.period import Period
from royalty.variance import Compared, Counted, PayeeCompared, Variance, percent

SHOWN = 20  # payees; --json has them all
NONE = "–"  # noqa: RUF001


def print_variance(variance: Variance) -> None:
    """Print totals, the payees whose amounts changed most, who is new and gone, and sources."""
    before, now = variance.against, variance.period
    click.echo(f"{now} by {variance.rule} against {before} by {variance.against_rule}\n")
    totals = [_total(each) for each in variance.totals]
    print_table("", ["", f">{before}", f">{now}", ">change", ">"], totals)
    click.echo(f"\n{variance.summary}\n")
    print_changes(variance, SHOWN)
    for line in _lines(variance):
        click.echo(line)


def print_changes(variance: Variance, shown: int) -> None:
    """Print the payees whose amounts changed most."""
    rows = [_payee(each) for each in variance.payees[:shown]]
    heading = [f">{variance.against}", f">{variance.period}", ">change", ">"]
    print_table("", ["payee", *heading], rows)
    left = len(variance.payees) - shown
    click.echo(f"and {left:,} more with smaller changes; --json has all\n" if left > 0 else "")


def no_month_before(period: Period, rule: str) -> str:
    """Say that there is nothing to hold a month against."""
    return (
        f"There is no month before {period} to hold it against: {period.before(1)} is neither"
        f" closed nor computed by {rule}, or is in another currency."
    )


def _lines(variance: Variance) -> list[str]:
    """Say who and what is new and gone, where anybody or anything is."""
    said = {
        f"New since {variance.against}": [each.name for each in variance.new],
        f"Gone since {variance.against}": [each.name for each in variance.gone],
        f"Had revenue in {variance.against} and has none now": [*map(str, variance.missing)],
        f"Has revenue now and had none in {variance.against}": [*map(str, variance.came)],
    }
    return [f"{what}: {_listed(names)}." for what, names in said.items() if names]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _total(each: Compared | Counted) -> tuple[str, str, str, str, str]:
    if isinstance(each, Compared):
        return (each.name, each.before.rounded, each.now.rounded, *_change(each))
    change = f"{each.change:+,}" if each.change else "0"
    return (each.name, f"{each.before:,}", f"{each.now:,}", change, _percent(each.change_ppm))


def _payee(each: PayeeCompared) -> tuple[str, str, str, str, str]:
    before, now = each.before.rounded, each.now.rounded
    gone, new = (NONE if each.gone else now), (NONE if each.new else before)
    return (each.name, new, gone, *_change(each))


def _change(each: Compared) -> tuple[str, str]:
    return each.change.rounded_signed, _percent(each.change_ppm)


def _percent(change_ppm: int | None) -> str:
    return NONE if change_ppm is None else percent(change_ppm)
