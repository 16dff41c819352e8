"""`tantieme payouts` and `tantieme close`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.output import as_json, dry_run, narrate, pass_workspace, period_argument
from cli.payout_tables import print_payouts, rule_name
from cli.workspace import Workspace
from db.queries import Payout
from royalty.blend import named
from royalty.differences import Difference
from royalty.errors import NotReady
from royalty.period import Period
from royalty.reports.json import payouts_json
from royalty.rules import RULES


class RuleType(click.ParamType[str]):
    """The name of a rule or of a blend of rules; hyphens are taken for underscores."""

    name = "rule"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Find the rule, or say what is wrong with its name."""
        try:
            return named(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


@click.command()
@period_argument
@click.option(
    "--rule",
    "rules",
    type=RuleType(),
    multiple=True,
    help="How the pools are divided; give several to compare them.",
)
@click.option("--compare", is_flag=True, help="Several rules side by side: all, or those named.")
@click.option(
    "--engine",
    default="duckdb",
    show_default=True,
    metavar="URL",
    help="What divides: duckdb, or a Spark cluster as spark://HOST:PORT (docs/scale.md).",
)
@as_json
@pass_workspace
def payouts(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    period: Period,
    rules: tuple[str, ...],
    compare: bool,
    engine: str,
    json_: bool,
) -> None:
    """Compute and preview a month: who earns what, how sure that is, what nobody earned.

    A preview is kept until the month is closed and posts nothing. A closed month is shown as it
    was computed. A rule can be a blend of others, which divides a part of every pool by each.

    \b
    Example:  tantieme payouts 2026-10 --rule user-centric
              tantieme payouts 2026-10 --compare --json
              tantieme payouts 2026-10 --rule pro-rata --rule pro_rata:0.6+user_centric:0.4
    """
    from cli.jobs.payout import plays_without_revenue, tracks_without_shares

    chosen = rules or ((workspace.settings().rule,) if not compare else tuple(RULES))
    computed = _computed(workspace, period, list(dict.fromkeys(chosen)), engine)
    _print(workspace, computed, json_=json_)
    for source, territory, plays in plays_without_revenue(workspace, period):
        narrate(f"{plays:,} plays from {source} in {territory} have no revenue there to divide.")
    for track, plays in tracks_without_shares(workspace, period):
        narrate(f"Track {track} has no shares: its money, for {plays:,} plays, waits in suspense.")


def _computed(
    workspace: Workspace, period: Period, rules: Sequence[str], engine: str
) -> list[Payout]:
    """Compute every rule that can divide the month, and say why the others cannot."""
    from cli.jobs.payout import compute_each

    found = compute_each(workspace, period, rules, engine=engine)
    if not found.payouts:
        raise NotReady(next(iter(found.refused.values())))
    for rule, why in found.refused.items():
        narrate(f"{rule_name(rule)} is left out: {why}.")
    return [*found.payouts.values()]


def _print(workspace: Workspace, computed: Sequence[Payout], *, json_: bool) -> None:
    first, *others = computed
    differences = {each.rule: _differences(workspace, first, each) for each in others}
    if json_:
        rules = {each.rule: each for each in computed}
        click.echo(payouts_json(first.period, rules, differences), nl=False)
    else:
        print_payouts(computed, differences)


def _differences(workspace: Workspace, first: Payout, second: Payout) -> tuple[Difference, ...]:
    from db.queries import EVERYONE, differences

    return differences(EVERYONE, workspace.books(), first, second)


@click.command()
@period_argument
@click.option("--rule", type=RuleType(), default=None, help="How the pools are divided.")
@dry_run
@pass_workspace
def close(workspace: Workspace, period: Period, rule: str | None, dry_run: bool) -> None:
    """Close a month: post its division to the ledger, for good.

    Closing again changes nothing. A closed month refuses further usage, revenue and rules.

    \b
    Example:  tantieme close 2026-10
    """
    from cli.jobs.blending import divide_by
    from cli.jobs.month import open_month
    from cli.jobs.payout import close_period

    chosen = rule or workspace.settings().rule
    if dry_run:
        month = open_month(workspace.books(), workspace.settings(), period)
        division = divide_by(month, chosen)
        narrate(f"Would post {len(division.transactions())} transactions; nothing was written.")
        return
    closing = close_period(workspace, period, chosen)
    if closing.already:
        narrate(f"{period} was already closed by {rule_name(chosen)}; nothing changed.")
        return
    posted = len(closing.transactions)
    narrate(f"{period} is closed: {posted} transactions, chain head {closing.chain_head[:12]}.")
