"""`tantieme audit`: does a month's money add up, and how fair would each rule be to it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from attribution.files import json_bytes, write_whole
from cli.output import (
    FAILED,
    as_json,
    pass_workspace,
    period_argument,
    print_json,
    print_table,
    progress,
)
from cli.payouts import engine_option
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE
from royalty.audit import Conservation
from royalty.period import Period

CONSERVATION, RULES, WITHOUT = "conservation", "rules", "without"
REPRODUCE = "reproduce"
RULES_FILE = "audit_rules.json"  # in the month's reports; the Audit page reads it
ENGINE = "duckdb"  # unless told otherwise


@click.command()
@period_argument
@click.argument(
    "what", type=click.Choice([CONSERVATION, RULES, WITHOUT, REPRODUCE]), default=CONSERVATION
)
@click.argument("left_out", metavar="[RECORDING|ARTIST]", required=False)
@click.option(
    "--without",
    metavar="PREFIX|FILE",
    default=None,
    help="Of `rules`: listeners to leave out, for comparison; a prefix such as 'bot-*', or a file "
    "with an id on each line.  [default: farm-* in a simulated month]",
)
@engine_option
@as_json
@pass_workspace
@click.pass_context
def audit(  # noqa: PLR0913, PLR0917 - click passes each of them
    ctx: click.Context,
    workspace: Workspace,
    period: Period,
    what: str,
    left_out: str | None,
    without: str | None,
    engine: str,
    json_: bool,
) -> None:
    """Prove that a month's money adds up, or show what else it could have been.

    conservation: the identity of the month, to the micro; ends with 5 where it does not hold.
    rules: for every rule its properties and this month's figures: envy, concentration, what one
    listener moved, who looks suspicious, and what some listeners cost the others. What it finds is
    kept for the Audit page.
    without: the month had a recording, or all of an artist's, not been trained on: from evidence,
    and how near that is to training again. Nothing is written.
    reproduce: divide a closed month again from its own snapshots, rights and settings, whatever is
    known now, and compare the bytes; ends with 5 where any differ.

    \b
    Example:  tantieme audit 2026-10 conservation
              tantieme audit 2026-10 rules --without 'bot-*'
              tantieme audit 2026-10 without bach
              tantieme audit 2026-10 reproduce
    """
    _require_of(what, left_out, without, engine)
    if what == RULES:
        _rules(workspace, period, without, json_=json_)
        return
    if left_out is not None:
        _without(workspace, period, left_out, json_=json_)
        return
    if what == REPRODUCE:
        _reproduce(ctx, workspace, period, engine, json_=json_)
        return
    found = queries.conservations(EVERYONE, workspace.books(), period)
    if json_:
        print_json(_conservation_json(period, found))
    else:
        _print_conservation(period, found)
    if not all(each.holds for each in found):
        ctx.exit(FAILED)


def _require_of(what: str, left_out: str | None, without: str | None, engine: str) -> None:
    """Refuse what belongs to another audit."""
    if (left_out is None) == (what == WITHOUT):
        raise click.UsageError(
            "name the recording or artist that is left out: 'tantieme audit PERIOD without ID'"
            if what == WITHOUT
            else f"'{left_out}' belongs to 'tantieme audit PERIOD without', and not to '{what}'"
        )
    if without is not None and what != RULES:
        raise click.UsageError("--without belongs to 'tantieme audit PERIOD rules'")
    if engine != ENGINE and what != REPRODUCE:
        raise click.UsageError("--engine belongs to 'tantieme audit PERIOD reproduce'")


def _print_conservation(period: Period, found: Sequence[Conservation]) -> None:
    for each in found:
        of = f" in {each.currency}" if len(found) > 1 else ""
        rows = [("revenue", str(each.revenue))]
        rows += [(f"- {name}", str(amount)) for name, amount in each.parts.items()]
        rows.append(("= difference", str(each.difference)))
        print_table(f"{CONSERVATION} of {period}{of}", ["", ">amount"], rows)


def _conservation_json(period: Period, found: Sequence[Conservation]) -> dict[str, object]:
    """State the identity; one of each currency under `currencies`, where there are several."""
    document: dict[str, object] = {"schema": 1, "period": str(period)}
    if len(found) == 1:
        return document | _identity_json(found[0])
    several = [{"currency": each.currency, **_identity_json(each)} for each in found]
    return document | {"currencies": several, "holds": all(each.holds for each in found)}


def _identity_json(found: Conservation) -> dict[str, object]:
    return {
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
    document = fairness_json(found)
    kept = workspace.folder(f"reports/{period}") / RULES_FILE
    write_whole(kept, json_bytes(document))
    kept.chmod(0o600)  # it names listeners
    if json_:
        print_json(document)
    else:
        print_fairness(found)


def _without(workspace: Workspace, period: Period, left_out: str, *, json_: bool) -> None:
    from cli.counterfactual import print_without, without_json
    from cli.jobs.counterfactual import without

    found = without(workspace, period, left_out)
    if json_:
        print_json(without_json(found))
    else:
        print_without(found)


def _reproduce(
    ctx: click.Context, workspace: Workspace, period: Period, engine: str, *, json_: bool
) -> None:
    from cli.jobs.reproducing import reproduce
    from cli.reproducing import print_reproduced, reproduced_json

    found = reproduce(workspace, period, engine=engine)
    if json_:
        print_json(reproduced_json(found))
    else:
        print_reproduced(found)
    if not found.holds:
        ctx.exit(FAILED)
