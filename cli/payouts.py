"""`tantieme payouts` and `tantieme close`."""

from __future__ import annotations

import click

from cli.output import (
    as_json,
    dry_run,
    narrate,
    pass_workspace,
    period_argument,
    print_table,
)
from cli.workspace import Workspace
from db.queries import Payout
from royalty.audit import compare
from royalty.period import Period
from royalty.reports.json import payouts_json
from royalty.rules import RULES


class RuleType(click.ParamType[str]):
    """The name of a rule; hyphens are taken for underscores."""

    name = "rule"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Find the rule, or name those there are."""
        rule = value.replace("-", "_")
        if rule not in RULES:
            names = ", ".join(sorted(RULES)).replace("_", "-")
            self.fail(f"'{value}' is not a rule; there are {names}", param, ctx)
        return rule


rule_option = click.option(
    "--rule", type=RuleType(), default=None, help="How the pools are divided."
)


@click.command()
@period_argument
@rule_option
@click.option("--compare", is_flag=True, help="Every rule, side by side.")
@as_json
@pass_workspace
def payouts(
    workspace: Workspace,
    period: Period,
    rule: str | None,
    compare: bool,
    json_: bool,
) -> None:
    """Compute and preview a month: who earns what, how sure that is, what nobody earned.

    A preview is kept until the month is closed and posts nothing. A closed month is shown as it
    was computed.

    \b
    Example:  tantieme payouts 2026-10 --rule user-centric
              tantieme payouts 2026-10 --compare --json
    """
    from cli.jobs.payout import compute, plays_without_revenue, tracks_without_shares

    chosen = rule or workspace.settings().rule
    rules = list(RULES) if compare else [chosen]
    computed = {name: compute(workspace, period, name) for name in rules}
    if json_:
        click.echo(payouts_json(period, computed), nl=False)
    else:
        print_payouts(list(computed.values()))
    for source, territory, plays in plays_without_revenue(workspace, period):
        narrate(f"{plays:,} plays from {source} in {territory} have no revenue there to divide.")
    for track, plays in tracks_without_shares(workspace, period):
        narrate(f"Track {track} has no shares: its money, for {plays:,} plays, waits in suspense.")


def print_payouts(computed: list[Payout]) -> None:
    """Print payouts of one month side by side, and what lies outside the payees' amounts."""
    first = computed[0]
    kept = first.gross - first.pool
    share = f", of {first.gross} that came in; the rest is the platform's" if kept.micros else ""
    click.echo(f"{first.period}: {first.pool} to divide{share}\n")
    if len(computed) == 1:
        columns = ["payee", f">{_name(first)}", ">90 % interval"]
        rows = [
            (payee.name, str(payee.amount), f"{payee.low.rounded} to {payee.high.rounded}")
            for payee in first.payees
        ]
        print_table("", columns, rows)
    else:
        columns = ["payee", *(f">{_name(each)}" for each in computed), ">difference"]
        print_table("", [*columns, f">90 % interval, {_name(first)}"], _side_by_side(computed))
    click.echo()
    for payout in computed:
        click.echo(
            f"{_name(payout)}: of this, {payout.unattributed.rounded} was unattributed and divided "
            f"equally among works,\n  {payout.idle.rounded} came from idle listeners; "
            f"{payout.suspense.rounded} waits in suspense."
        )
    click.echo("Intervals add up as if all errors of the run went together, so they are wide.")


def _name(payout: Payout) -> str:
    return payout.rule.replace("_", "-")


def _side_by_side(computed: list[Payout]) -> list[tuple[str, ...]]:
    """Set every payee's amounts side by side, who gets most by the first rule first."""
    first, last = computed[0], computed[-1]
    payees = {payee.id: payee for payout in reversed(computed) for payee in payout.payees}
    by_rule = {each.rule: {p.id: p.amount for p in each.payees} for each in computed}
    compared = compare(by_rule, first.pool.currency)
    compared.sort(key=lambda each: -each.amounts[first.rule].micros)
    return [
        (
            payees[each.payee].name,
            *(str(amount) for amount in each.amounts.values()),
            str(each.differences[last.rule]),
            f"{payees[each.payee].low.rounded} to {payees[each.payee].high.rounded}",
        )
        for each in compared
    ]


@click.command()
@period_argument
@rule_option
@dry_run
@pass_workspace
def close(workspace: Workspace, period: Period, rule: str | None, dry_run: bool) -> None:
    """Close a month: post its division to the ledger, for good.

    Closing again changes nothing. A closed month refuses further usage, revenue and rules.

    \b
    Example:  tantieme close 2026-10
    """
    from cli.jobs.payout import close_period, divide_month

    chosen = rule or workspace.settings().rule
    if dry_run:
        division = divide_month(workspace.books(), workspace.settings(), period, chosen)
        narrate(f"Would post {len(division.transactions())} transactions; nothing was written.")
        return
    closing = close_period(workspace, period, chosen)
    if closing.already:
        narrate(f"{period} was already closed by {chosen.replace('_', '-')}; nothing changed.")
        return
    posted = len(closing.transactions)
    narrate(f"{period} is closed: {posted} transactions, chain head {closing.chain_head[:12]}.")
