"""`tantieme adjust` and `tantieme reverse`: what is put right of what was posted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

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
from cli.payouts import engine_option
from cli.workspace import Workspace
from royalty.ledger import payee_of, platform, suspense_of
from royalty.money import Money
from royalty.period import Period
from royalty.restatement import Moved

if TYPE_CHECKING:
    from cli.jobs.adjusting import Adjusted
    from royalty.ledger import Transaction


@click.command()
@period_argument
@click.option("--reason", default="", metavar="TEXT", help="Why, in words for statements.")
@engine_option
@as_name
@dry_run
@as_json
@pass_workspace
def adjust(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    period: Period,
    reason: str,
    engine: str,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    """Divide a closed month again by what is known now, and post the difference in the open one.

    What is known now: usage and revenue that came late, shares that were corrected or had been
    missing, rights as recorded now for the month's first day. Rule and settings are those that it
    was closed with. The closed month stays as it is; doing this again posts nothing more.

    \b
    Example:  tantieme usage import late.csv --late
              tantieme adjust 2026-10 --reason "plays reported late by app" --as kim
    """
    from cli.jobs.adjusting import adjust as put_right

    done = put_right(workspace, period, name=name, reason=reason, engine=engine, dry_run=dry_run)
    if json_:
        print_json({"schema": 1, "dry_run": dry_run, **adjusted_document(done)})
    else:
        print_adjusted(done, dry_run=dry_run)


@click.command()
@click.argument("transaction", metavar="KEY|NUMBER")
@click.option("--reason", required=True, metavar="TEXT", help="Why, in words for statements.")
@as_name
@dry_run
@as_json
@pass_workspace
def reverse(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace, transaction: str, reason: str, name: str, dry_run: bool, json_: bool
) -> None:
    """Undo one transaction: post its exact negation in the open month.

    A month's division that was reversed is posted anew by 'tantieme adjust'. Payments, holds and
    reserves have commands of their own.

    \b
    Example:  tantieme reverse 2026-11/adjustment/2026-10/allocation/2026-10/app/DE/EUR/1 \\
                --reason "the late file was a test" --as kim
    """
    from cli.jobs.adjusting import reverse as undo

    done = undo(workspace, transaction, reason=reason, name=name, dry_run=dry_run)
    if json_:
        print_json({"schema": 1, "dry_run": dry_run, **_document(done)})
        return
    rows = [(each.account, each.right or "", str(each.amount)) for each in done.postings]
    print_table(f"Reversal of {done.reverses}", ("account", "right", ">amount"), rows)
    would = "would be posted" if dry_run else "is posted"
    narrate(f"{done.key} {would} in {done.period}{'; nothing was written' * dry_run}.")


def print_adjusted(done: Adjusted, *, dry_run: bool = False) -> None:
    """Say what an adjustment changes, for whom and why."""
    for change in done.changes:
        narrate(f"{done.period}: {change}.")
    if not done.transactions:
        lines = "; only lines that explain them did" if done.restatement else ""
        narrate(f"Dividing {done.period} again changes no amount{lines}.")
        return
    rows = [_row(done, each) for each in done.moved if _is_shown(each)]
    columns = ("account", ">before", ">restated", ">difference", "why")
    print_table(f"{done.period}, divided again", columns, rows)
    posted, nothing = len(done.transactions), "; nothing was written" * dry_run
    narrate(
        f"{posted} adjustment{'s' * (posted > 1)} {'would be' if dry_run else 'posted'} in "
        f"{done.posted_in}{f', as restatement {done.restatement}' * bool(done.restatement)}"
        f"{nothing}."
    )


def adjusted_document(done: Adjusted) -> dict[str, Any]:
    """Write an adjustment as JSON documents carry it."""
    return {
        "period": str(done.period),
        "posted_in": str(done.posted_in),
        "restatement": done.restatement,
        "changes": list(done.changes),
        "payees": [
            {"id": payee, **_amounts(each), "why": _tracks_document(done.tracks.get(payee, ()))}
            for payee, each in done.payees.items()
        ],
        "others": [
            {"account": each.account, **_amounts(each)}
            for each in done.moved
            if payee_of(each.account) is None and _is_shown(each)
        ],
        "transactions": [each.key for each in done.transactions],
    }


def _is_shown(each: Moved) -> bool:
    """Leave out accounts that money only passes through."""
    account = each.account
    return (
        payee_of(account) is not None or suspense_of(account) is not None or account == platform()
    )


def _row(done: Adjusted, each: Moved) -> tuple[str, ...]:
    payee = payee_of(each.account)
    moved = done.tracks.get(payee, ()) if payee and each.difference.micros else ()
    said = [f"{track or 'no track'} {amount.signed}" for track, amount in moved]
    return (
        payee or each.account,
        str(each.before),
        str(each.restated),
        each.difference.signed,
        ", ".join(said),
    )


def _amounts(each: Moved) -> dict[str, Any]:
    return {
        "before": each.before.json,
        "restated": each.restated.json,
        "difference": each.difference.json,
    }


def _tracks_document(tracks: Sequence[tuple[str, Money]]) -> list[dict[str, Any]]:
    return [{"track": track, "amount": amount.json} for track, amount in tracks]


def _document(done: Transaction) -> dict[str, Any]:
    return {
        "key": done.key,
        "reverses": done.reverses,
        "period": str(done.period),
        "reason": done.memo,
        "postings": [
            {"account": each.account, "right": each.right, "amount": each.amount.json}
            for each in done.postings
        ],
    }
