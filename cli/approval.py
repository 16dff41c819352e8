"""`tantieme approve`: someone other than who prepared a month looks at it and says yes."""

from __future__ import annotations

import click

from cli.jobs.approval import Approved
from cli.jobs.approval import approve as approve_payout
from cli.output import (
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    period_argument,
    print_json,
    print_table,
)
from cli.payouts import RuleType, rules_help
from cli.variance import no_month_before, print_changes
from cli.workspace import Workspace
from db import queries
from db.queries import EVERYONE, ActRow
from royalty.period import Period
from royalty.reports.variance import variance_document

SHOWN = 5  # payees
SETTLED = {  # what closing settles, by the kind of transaction
    "advance": "advances paid out",
    "reversal": "reserves released",
    "reserve": "kept in reserve",
    "recoupment": "recouped against advances",
}


@click.command()
@period_argument
@click.option("--rule", type=RuleType(), default=None, help=f"Of which preview, {rules_help}")
@click.option("--list", "list_", is_flag=True, help="Show who did what in the month instead.")
@as_name
@dry_run
@as_json
@pass_workspace
def approve(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    period: Period,
    rule: str | None,
    list_: bool,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    """Approve a month's preview, so that it can be closed where workspace.toml wants approval.

    Shows what is divided, what closing settles of it (advances, reserves, recoupments), and what
    changed since the month before.
    Whoever computed the preview first prepared it, and someone else approves it. What is approved
    is what it comes to: computed anew with another result, it has to be approved again. Approving
    again changes nothing.

    \b
    Example:  tantieme approve 2026-10 --as clara
              tantieme approve 2026-10 --list
    """
    if list_:
        _print_acts(period, queries.acts(EVERYONE, workspace.books(), period), json_=json_)
        return
    chosen = rule or workspace.settings().rule
    approved = approve_payout(workspace, period, chosen, name, dry_run=dry_run)
    if json_:
        print_json(_document(approved, name, dry_run=dry_run))
        return
    _print_approved(approved)
    narrate(_said(approved, name, dry_run=dry_run))
    if not dry_run:
        narrate(f"Next: tantieme close {period}{f' --rule {rule}' if rule else ''}")


def _print_approved(approved: Approved) -> None:
    payout, variance = approved.payout, approved.variance
    prepared = " and ".join(approved.approval.prepared_by)
    click.echo(
        f"{payout.period} by {payout.rule}, prepared by {prepared}: {payout.pool} to divide among"
        f" {len(payout.payees):,} payees; {payout.suspense} waits in suspense.\n"
    )
    _print_settled(approved)
    if variance is None:
        click.echo(f"{no_month_before(payout.period, payout.rule)}\n")
        return
    click.echo(f"{variance.summary}\n")
    print_changes(variance, SHOWN)
    click.echo(f"In full: tantieme payouts {payout.period} --variance\n")


def _print_settled(approved: Approved) -> None:
    """Print what closing posts between earned and payable, in total by kind."""
    rows = [
        (SETTLED[each.kind], f"{each.transactions:,}", str(each.amount))
        for each in approved.settled
    ]
    if rows:
        print_table("Closing settles of this", ["what", ">transactions", ">amount"], rows)
        click.echo()
    else:
        click.echo("Closing settles nothing: all that is earned is payable.\n")


def _said(approved: Approved, name: str, *, dry_run: bool) -> str:
    what = f"{approved.payout.period} by {approved.payout.rule}"
    if approved.approval.already:
        return f"{name} approved {what} before; nothing changed."
    if dry_run:
        return f"{name} could approve {what}; nothing was written."
    return f"{name} approves {what} as it stands."


def _document(approved: Approved, name: str, *, dry_run: bool) -> dict[str, object]:
    payout, approval = approved.payout, approved.approval
    against = variance_document(payout.period, payout.rule, approved.variance)
    return {
        "schema": 1,
        "period": str(payout.period),
        "rule": payout.rule,
        "approved_by": name,
        "prepared_by": list(approval.prepared_by),
        "already": approval.already,
        "dry_run": dry_run,
        "content_sha256": approval.content_sha256,
        "pool": payout.pool.json,
        "suspense": payout.suspense.json,
        "payees": len(payout.payees),
        "settles": [
            {
                "kind": each.kind,
                "transactions": each.transactions,
                "amount": each.amount.json,
            }
            for each in approved.settled
        ],
        "variance": None if approved.variance is None else against,
    }


def _print_acts(period: Period, acts: list[ActRow], *, json_: bool) -> None:
    if json_:
        names = ("name", "act", "subject", "content_sha256", "note", "recorded_at")
        rows = [{name: getattr(each, name) for name in names} for each in acts]
        print_json({"schema": 1, "period": str(period), "acts": rows})
    elif not acts:
        click.echo(f"Nobody has done anything in {period} yet.")
    else:
        heading = ["when (UTC)", "who", "did", "to", "note"]
        print_table(f"{period}: who did what", heading, [_act(each) for each in acts])


def _act(row: ActRow) -> tuple[str, ...]:
    content = f" ({row.content_sha256[:12]})" if row.content_sha256 else ""
    when = row.recorded_at[:19].replace("T", " ")
    return (when, row.name or "(no name)", row.act, f"{row.subject}{content}", row.note)
