"""`tantieme suspense`: money that waits, how long and why, and what finds its owners."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from cli.adjusting import adjusted_document, print_adjusted
from cli.output import (
    PeriodType,
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    print_json,
    print_table,
)
from cli.workspace import Workspace
from royalty.ledger import suspense_of
from royalty.money import Money
from royalty.period import Period

if TYPE_CHECKING:
    from cli.jobs.adjusting import Adjusted
    from db.queries import Causes
    from royalty.suspense import Waiting

SHOWN = 20


@click.group()
def suspense() -> None:
    """See what money waits in suspense, and have it find its owners."""


@suspense.command("list")
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="The day on which it has waited so long.  [default: today]",
)
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=SHOWN,
    show_default=True,
    help="How many causes to show, the largest first.",
)
@as_json
@pass_workspace
def list_(workspace: Workspace, on: datetime | None, rows: int, json_: bool) -> None:
    """List all that waits: unmatched, unclaimed, held and disputed, with its age in days.

    Unmatched is money of tracks without shares, unclaimed that of rights that nobody holds; the
    largest of both are named.

    \b
    Example:  tantieme suspense list
              tantieme suspense list --on 2027-01-31 --json
    """
    from db import queries
    from db.queries import EVERYONE
    from royalty.suspense import months

    books = workspace.books()
    waiting = queries.suspense(EVERYONE, books, on=on.date() if on else None)
    causes = queries.suspense_causes(EVERYONE, books, months(waiting), most=rows)
    if json_:
        print_json({"schema": 1, **_document(waiting), **causes_document(causes)})
    elif waiting:
        _print(waiting)
        _print_causes(causes)
    else:
        narrate("Nothing waits in suspense.")


@suspense.command("reprocess")
@click.argument("period", type=PeriodType(), required=False)
@as_name
@dry_run
@as_json
@pass_workspace
def reprocess(
    workspace: Workspace, period: Period | None, name: str, dry_run: bool, json_: bool
) -> None:
    """Adjust the closed months that have money without an owner, or one of them.

    Shares that came since, and interests that were recorded since, give it one. What stays is said
    with the reason.

    \b
    Example:  tantieme suspense reprocess --as kim --dry-run
    """
    from cli.jobs.adjusting import reprocess as again

    done = again(workspace, period, name=name, dry_run=dry_run)
    if json_:
        print_json(
            {
                "schema": 1,
                "dry_run": dry_run,
                "months": [
                    {
                        **adjusted_document(each),
                        "owners": {payee: of.json for payee, of in each.owners.items()},
                        **causes_document(each.stays),
                    }
                    for each in done.adjusted
                ],
                "refused": {str(each): why for each, why in done.refused.items()},
            }
        )
        return
    if not (done.adjusted or done.refused):
        narrate("No closed month has money without an owner.")
    for each in done.adjusted:
        print_adjusted(each, dry_run=dry_run)
        _print_left(each)
        _print_causes(each.stays)
    for month, why in done.refused.items():
        narrate(f"{month} stays as it is: {why}")


def causes_document(causes: Causes) -> dict[str, Any]:
    """Write causes as JSON documents carry them."""
    return {
        "causes": [
            {
                "kind": each.kind,
                "pool": each.pool,
                "track": each.track or None,
                "recording": each.recording or None,
                "right": each.right or None,
                "why": each.why,
                "amount": each.amount.json,
            }
            for each in causes.rows
        ],
        "more": {"count": causes.more, "micros": causes.more_micros},
    }


def _document(waiting: list[Waiting]) -> dict[str, Any]:
    from royalty.suspense import totals

    return {
        "waiting": [
            {
                "kind": each.kind,
                "about": each.about,
                "amount": each.amount.json,
                "since": each.since.isoformat(),
                "days": each.days,
                "band": each.band,
            }
            for each in waiting
        ],
        "totals": [
            {"kind": kind, "band": band, "amount": Money(micros, currency).json}
            for (kind, band, currency), micros in totals(waiting).items()
        ],
    }


def _print(waiting: list[Waiting]) -> None:
    from royalty.suspense import totals

    rows = [
        (each.kind, each.about, str(each.since), str(each.days), each.band, str(each.amount))
        for each in waiting
    ]
    columns = ("kind", "of", "since", ">days", "band", ">amount")
    print_table("In suspense", columns, rows)
    sums = [
        (kind, f"{band} days", str(Money(micros, currency)))
        for (kind, band, currency), micros in totals(waiting).items()
    ]
    click.echo()
    print_table("In all", ("kind", "waiting", ">amount"), sums)


def _print_causes(causes: Causes) -> None:
    if not causes.rows:
        return
    click.echo()
    rows = [(each.pool, each.why, str(each.amount)) for each in causes.rows]
    print_table("Why it has no owner", ("pool", "why", ">amount"), rows)
    if causes.more:
        currency = causes.rows[0].amount.currency
        narrate(f"And {causes.more:,} more, {Money(causes.more_micros, currency)}.")


def _print_left(done: Adjusted) -> None:
    """Say what left suspense and for whom, and what stays."""
    for each in done.moved:
        if suspense_of(each.account) is None:
            continue
        if each.difference.micros < 0:
            narrate(f"{-each.difference} left {each.account}.")
        if each.restated.micros:
            narrate(f"{each.restated} of {done.period} stays in {each.account}.")
    for payee, amount in done.owners.items():
        narrate(f"{payee} gets {amount} of what waited.")
