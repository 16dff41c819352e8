"""`tantieme hold` and `release`: money that waits, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from cli.jobs.holding import Asked, Outcome, Released
from cli.jobs.holding import hold as hold_back
from cli.jobs.holding import release as let_go
from cli.output import (
    as_json,
    as_name,
    dry_run,
    narrate,
    pass_workspace,
    print_json,
    print_table,
)
from cli.workspace import Workspace
from db import queries
from db.books.holds import Made
from db.engine import today
from db.queries import EVERYONE, HoldRow
from royalty.money import parse_micros


class AmountType(click.ParamType[int]):
    """A decimal amount such as 12.50, as micros."""

    name = "amount"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read the amount, or say what one looks like."""
        try:
            return value if isinstance(value, int) else parse_micros(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


amount_option = click.option(
    "--amount",
    "micros",
    type=AmountType(),
    metavar="DECIMAL",
    default=None,
    help="Only so much of it, such as 12.50.  [default: all of it]",
)


reason_option = click.option(
    "--reason", required=True, metavar="TEXT", help="Why, in words for the payee's statement."
)


@click.command()
@click.argument("what", metavar="ID", required=False)
@amount_option
@click.option(
    "--reason", default=None, metavar="TEXT", help="Why, in words for the payee's statement."
)
@click.option("--list", "list_", is_flag=True, help="List every hold and dispute, and its age.")
@as_name
@dry_run
@as_json
@pass_workspace
def hold(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    what: str | None,
    micros: int | None,
    reason: str | None,
    list_: bool,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    """Keep an amount from being paid until it is released.

    ID is a statement line (2026-10/ann/1), a posting (12.3), or a payee: all that is payable, or
    --amount of it. The money goes to the account suspense.held, in the open period; the statement
    says why. What was paid cannot be held. To hold the same again changes nothing.

    \b
    Example:  tantieme hold 2026-10/bach/1 --reason "ownership is contested"
              tantieme hold bach --amount 5.00 --reason "bank details unconfirmed"
              tantieme hold --list
    """
    if list_ == (what is not None):
        raise click.UsageError("name what is to be held, or --list what is")
    if list_:
        _print_holds(queries.holds(EVERYONE, workspace.books()), json_=json_)
        return
    if not (reason or "").strip():
        raise click.UsageError("--reason is missing: the payee's statement says why")
    asked = Asked(id=str(what), reason=str(reason), name=name, micros=micros)
    made = hold_back(workspace, asked, dry_run=dry_run)
    if json_:
        print_json({"schema": 1, **made_json(made, dry_run=dry_run)})
    else:
        narrate(said_of(made, "held", dry_run=dry_run))


@click.command()
@click.argument("id_", metavar="HOLD-ID")
@reason_option
@click.option("--dismissed", "outcome", flag_value="dismissed", help="A dispute had no ground.")
@click.option(
    "--upheld",
    "outcome",
    flag_value="upheld",
    help="A dispute was right: the exact shares hold from now on.",
)
@as_name
@dry_run
@as_json
@pass_workspace
def release(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    id_: str,
    reason: str,
    outcome: Outcome | None,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    """Let a hold or a dispute go: the amount is payable again, to the micro.

    A dispute ends --dismissed unless it is --upheld. Then what the exact re-score found becomes the
    track's corrected shares, and 'tantieme adjust' of its month posts what follows.

    \b
    Example:  tantieme release hold/2026-10/bach/1 --reason "settled between the parties"
              tantieme release hold/2026-10/bach/2 --upheld --reason "the exact score is right"
    """
    asked = Asked(id=id_, reason=reason, name=name)
    released = let_go(workspace, asked, outcome, dry_run=dry_run)
    if json_:
        print_json(_released_json(released, dry_run=dry_run))
        return
    narrate(said_of(released.made, "released", dry_run=dry_run))
    if released.adjust:
        narrate(
            f"The exact shares hold from now on. Run 'tantieme adjust {released.adjust}': it "
            "divides the month anew and posts the difference."
        )


def said_of(made: Made, how: str, *, dry_run: bool) -> str:
    """Say what was done to a hold, or would be: its amount is held, disputed or released."""
    amount = str(made.amount) if made.amount.micros else "nothing"
    if made.already:
        return f"{made.id}, {amount}, was {how} already; nothing changed."
    if dry_run:
        return f"{made.id}: {amount} would be {how}; nothing was written."
    posted = f", posted in {made.period}" if made.period else ""
    return f"{made.id}: {amount} is {how}{posted}."


def _print_holds(rows: list[HoldRow], *, json_: bool) -> None:
    day = today()
    if json_:
        print_json({"schema": 1, "holds": [_hold_json(row, day) for row in rows]})
        return
    print_table(
        "",
        ["hold", "payee", "kind", ">amount", "state", ">days", "reason"],
        [
            (
                row.id,
                row.payee_name,
                row.kind,
                str(row.amount or "nothing"),
                row.ending or "held",
                str(row.age_days(day)),
                row.reason,
            )
            for row in rows
        ],
    )


def _hold_json(row: HoldRow, day: date) -> dict[str, Any]:
    said = ("id", "kind", "state", "subject", "payee", "payee_name", "track", "recording")
    when = ("reason", "opened_by", "recorded_at", "released_at", "ending")
    return {
        **{key: getattr(row, key) for key in said},
        "amount": row.amount.json if row.amount else None,
        "period": str(row.period) if row.period else None,
        **{key: getattr(row, key) for key in when},
        "age_days": row.age_days(day),
        "findings": [
            {"method": each.method, "evidence_sha256": each.evidence_sha256}
            for each in row.findings
        ],
    }


def made_json(made: Made, *, dry_run: bool) -> dict[str, Any]:
    """Say in a document what was done to a hold, or would be."""
    return {
        "hold": made.id,
        "amount": made.amount.json,
        "period": str(made.period) if made.period else None,
        "already": made.already,
        "dry_run": dry_run,
    }


def _released_json(released: Released, *, dry_run: bool) -> dict[str, Any]:
    adjust = str(released.adjust) if released.adjust else None
    return {
        "schema": 1,
        **made_json(released.made, dry_run=dry_run),
        "ending": released.ending,
        "adjust": adjust,
    }
