"""`tantieme audit`: does a month's money add up, and how fair would each rule be to it."""

from __future__ import annotations

import click

from cli.output import (
    FAILED,
    as_json,
    pass_workspace,
    period_argument,
    print_json,
    print_table,
    progress,
)
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.audit import Conservation
from royalty.period import Period

CONSERVATION, RULES = "conservation", "rules"


@click.command()
@period_argument
@click.argument("what", type=click.Choice([CONSERVATION, RULES]), default=CONSERVATION)
@click.option(
    "--without",
    metavar="PREFIX|FILE",
    default=None,
    help="Of `rules`: listeners to leave out, for comparison; a prefix such as 'bot-*', or a file "
    "with an id on each line.  [default: farm-* in a simulated month]",
)
@as_json
@pass_workspace
@click.pass_context
def audit(  # noqa: PLR0913, PLR0917 - click passes each of them
    ctx: click.Context,
    workspace: Workspace,
    period: Period,
    what: str,
    without: str | None,
    json_: bool,
) -> None:
    """Prove that a month's money adds up, or show how fair each rule is to it.

    conservation: the identity of the month, to the micro; ends with 5 where it does not hold.
    rules: for every rule its properties and this month's figures: envy, concentration, what one
    listener moved, who looks suspicious, and what some listeners cost the others.

    \b
    Example:  tantieme audit 2026-10 conservation
              tantieme audit 2026-10 rules --without 'bot-*'
    """
    if what == RULES:
        _rules(workspace, period, without, json_=json_)
        return
    if without is not None:
        raise click.UsageError("--without belongs to 'tantieme audit PERIOD rules'")
    found = queries.conservation(EVERYONE, workspace.books(), period)
    if json_:
        print_json(_conservation_json(found))
    else:
        _print_conservation(found)
    if not found.holds:
        ctx.exit(FAILED)


def _print_conservation(found: Conservation) -> None:
    rows = [("revenue", str(found.revenue))]
    rows += [(f"- {name}", str(amount)) for name, amount in found.parts.items()]
    rows.append(("= difference", str(found.difference)))
    print_table(f"{CONSERVATION} of {found.period}", ["", ">amount"], rows)


def _conservation_json(found: Conservation) -> dict[str, object]:
    return {
        "schema": 1,
        "period": str(found.period),
        "revenue": found.revenue.json,
        "parts": {name: amount.json for name, amount in found.parts.items()},
        "difference": found.difference.json,
        "holds": found.holds,
    }


def _rules(workspace: Workspace, period: Period, without: str | None, *, json_: bool) -> None:
    from cli.fairness import print_fairness
    from cli.fairness_document import fairness_json
    from cli.jobs.fairness import judge_rules

    with progress("Dividing the month by every rule") as report:
        found = judge_rules(workspace, period, without, report)
    if json_:
        print_json(fairness_json(found))
    else:
        print_fairness(found)
