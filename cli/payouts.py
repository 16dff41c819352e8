"""`tantieme payouts` and `tantieme close`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.output import (
    PeriodType,
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    period_argument,
    print_json,
)
from cli.payout_tables import print_payouts
from cli.variance import no_month_before, print_variance
from cli.workspace import Workspace
from db import queries
from db.books.approvals import prepare
from db.books.closing import Closing
from db.queries import EVERYONE, Payout
from royalty.blend import named
from royalty.errors import NotReady
from royalty.period import Period
from royalty.reports.json import payouts_json
from royalty.reports.variance import variance_document
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


rules_help = (
    f"a rule, or a blend of rules: {', '.join(RULES)}.  [default: `rule` in workspace.toml]"
)
engine_option = click.option(
    "--engine",
    default="duckdb",
    show_default=True,
    metavar="URL",
    help="What divides: duckdb, or a Spark cluster as spark://HOST:PORT (docs/scale.md).",
)


@click.command()
@period_argument
@click.option(
    "--rule",
    "rules",
    type=RuleType(),
    multiple=True,
    help=f"How the pools are divided, {rules_help} Give several to compare them.",
)
@click.option("--compare", is_flag=True, help="Several rules side by side: all, or those named.")
@click.option("--variance", is_flag=True, help="The month against the month before instead.")
@click.option(
    "--against", type=PeriodType(), default=None, help="Another month for --variance to look at."
)
@engine_option
@as_name
@as_json
@pass_workspace
def payouts(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    period: Period,
    rules: tuple[str, ...],
    compare: bool,
    variance: bool,
    against: Period | None,
    engine: str,
    name: str,
    json_: bool,
) -> None:
    """Compute and preview a month: who earns what, how sure that is, what nobody earned.

    A preview is kept until the month is closed and posts nothing; while nothing changes that it
    rests on, it is shown again, and not divided again. Who computed it first is on record as having
    prepared it. A closed month is shown as it was computed, by the rule that
    closed it unless told otherwise. A rule can be a blend of others, which divides a part of every
    pool by each.

    \b
    Example:  tantieme payouts 2026-10 --rule user-centric
              tantieme payouts 2026-10 --compare --json
              tantieme payouts 2026-10 --rule pro-rata --rule pro_rata:0.6+user_centric:0.4
              tantieme payouts 2026-11 --variance
    """
    if compare and len({*rules}) == 1:
        raise click.UsageError(
            "--compare takes two rules or more; name another with --rule, or none for all of them"
        )
    _require_variance_of_one(period, rules, against, compare=compare, variance=variance)
    closed = queries.closed_by(EVERYONE, workspace.books(), period)
    usual = closed or workspace.settings().rule
    chosen = rules or ((closed, *RULES) if compare and closed else RULES if compare else (usual,))
    computed = _computed(workspace, period, list(dict.fromkeys(chosen)), engine)
    if closed:
        narrate(f"{period} is closed by {closed}.")
    else:
        for each in computed:
            prepare(workspace.books(), period, each.rule, name)
    if variance:
        _print_variance(workspace, computed[0], against, engine, json_=json_)
    else:
        _print(workspace, computed, engine, json_=json_)
    _warn(workspace, computed[0], engine)


def _require_variance_of_one(
    period: Period,
    rules: Sequence[str],
    against: Period | None,
    *,
    compare: bool,
    variance: bool,
) -> None:
    """Refuse options that do not go together."""
    if variance and (compare or len({*rules}) > 1):
        raise click.UsageError("--variance is of one rule; name one with --rule, or none")
    if against is not None and not variance:
        raise click.UsageError("--against goes with --variance")
    if against == period:
        raise click.UsageError(f"{period} is no different from itself; name another with --against")


def _computed(
    workspace: Workspace, period: Period, rules: Sequence[str], engine: str
) -> list[Payout]:
    """Compute every rule that can divide the month, and say why the others cannot."""
    from cli.jobs.payout import compute_each

    found = compute_each(workspace, period, rules, engine=engine)
    if not found.payouts:
        rule, why = next(iter(found.refused.items()))
        raise NotReady(f"{rule} cannot divide {period}: {why}")
    for rule, why in found.refused.items():
        narrate(f"{rule} is left out: {why}.")
    return [*found.payouts.values()]


def _print(workspace: Workspace, computed: Sequence[Payout], engine: str, *, json_: bool) -> None:
    from db.queries import EVERYONE, differences

    first, *others = computed
    found = {
        each.rule: differences(EVERYONE, workspace.books(), first, each, engine=engine)
        for each in others
    }
    if json_:
        rules = {each.rule: each for each in computed}
        click.echo(payouts_json(first.period, rules, found), nl=False)
    else:
        print_payouts(computed, found)


def _print_variance(
    workspace: Workspace, payout: Payout, against: Period | None, engine: str, *, json_: bool
) -> None:
    from cli.jobs.variance import vary_from

    found = vary_from(workspace, payout, against, engine=engine)
    if json_:
        print_json(variance_document(payout.period, payout.rule, found))
    elif found is None:
        click.echo(f"{no_month_before(payout.period, payout.rule)} Name another with --against.")
    else:
        print_variance(found)


def _warn(workspace: Workspace, payout: Payout, engine: str) -> None:
    """Say what of the month is divided otherwise than one may think, or not at all."""
    from cli.jobs.given import nothing_came
    from cli.jobs.month import plays_without_revenue, tracks_without_shares

    books, settings, period = workspace.books(), workspace.settings(), payout.period
    if nothing_came(books, period):
        narrate(f"Nothing came in for {period}.")
    sources = {pool.source for pool in payout.pools}
    own = [f"{pool} by {rule}" for pool, rule in payout.rule_of_source.items() if pool in sources]
    if own:
        narrate(f"Divided by a rule of its own, whatever the rule asked for: {', '.join(own)}.")
    for source in payout.rule_of_source.keys() - sources:
        narrate(f"workspace.toml names a rule of '{source}', which has no revenue of {period}.")
    for source, territory, plays in plays_without_revenue(books, period, engine):
        narrate(f"{plays:,} plays from {source} in {territory} have no revenue there to divide.")
    for track, plays in tracks_without_shares(books, settings, period, engine):
        narrate(f"Track {track} has no shares: its money, for {plays:,} plays, waits in suspense.")


@click.command()
@period_argument
@click.option(
    "--rule", type=RuleType(), default=None, help=f"How the pools are divided, {rules_help}"
)
@click.option("--without-money", is_flag=True, help="Close it though nothing came in for it.")
@engine_option
@as_name
@dry_run
@as_json
@pass_workspace
def close(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    period: Period,
    rule: str | None,
    without_money: bool,
    engine: str,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    """Close a month: post its division to the ledger, for good, and open the next.

    What is posted is divided anew. To compare with, pro_rata, user_centric and all rules that the
    month was previewed by are kept; previews of what is in the books now are not divided again.
    Months close in order. Where workspace.toml wants approval, somebody else has to have approved
    what is posted. Closing again changes nothing. A closed month refuses further usage, revenue
    and rules. A month for which nothing came in divides nothing, and still settles.

    The root that is printed fixes every posting of the month: keep it where nobody can change it.

    \b
    Example:  tantieme close 2026-10
    """
    from cli.jobs.approval import require_closable
    from cli.jobs.payout import close_period, rehearse

    chosen = rule or workspace.settings().rule
    if not queries.closed_by(EVERYONE, workspace.books(), period):
        require_closable(workspace, period, chosen, name)
        _require_inputs(workspace, period, without_money=without_money)
        if dry_run:
            posts = rehearse(workspace, period, chosen, engine=engine)
            if json_:
                print_json(_close_document(period, chosen, posts, None))
            narrate(
                f"Would post {posts} transactions and close {period} by {chosen}; nothing was"
                " written."
            )
            return
    closing = close_period(workspace, period, chosen, engine=engine, name=name)
    if json_:
        print_json(_close_document(period, chosen, len(closing.transactions), closing))
    elif closing.root:
        click.echo(f"root {closing.root}")
    _tell_closed(period, chosen, closing)


def _require_inputs(workspace: Workspace, period: Period, *, without_money: bool) -> None:
    """Refuse to close a month that nothing came in for unless that is said, and only then."""
    from cli.jobs.given import nothing_came

    books = workspace.books()
    nothing = nothing_came(books, period)
    if without_money and queries.inputs(EVERYONE, books, period).revenue:
        raise NotReady(
            f"money came in for {period}: leave --without-money out, or withdraw what came in"
            f" ('tantieme revenue show {period}')"
        )
    if nothing and not without_money:
        raise NotReady(
            f"nothing came in for {period}; import its usage and revenue or, if there was none, run"
            f" 'tantieme close {period} --without-money'"
        )


def _close_document(
    period: Period, rule: str, posts: int, closing: Closing | None
) -> dict[str, object]:
    """Say what closing a month posted; without `closing`, what it would post."""
    return {
        "schema": 1,
        "period": str(period),
        "rule": rule,
        "dry_run": closing is None,
        "already": closing is not None and closing.already,
        "transactions": posts,
        "chain_head": None if closing is None else closing.chain_head,
        "root": None if closing is None else closing.root,
    }


def _tell_closed(period: Period, rule: str, closing: Closing) -> None:
    if closing.already:
        narrate(f"{period} was already closed by {rule}; nothing changed.")
        return
    posted, head = len(closing.transactions), closing.chain_head[:12]
    narrate(
        f"{period} is closed by {rule}: {posted} transactions, chain head {head}.\n"
        "Keep the root: 'tantieme verify --root ROOT' proves later that not one posting of the"
        " month was changed."
    )
