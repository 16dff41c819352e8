"""`tantieme pay` and `tantieme payment`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any

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
    print_table,
)
from cli.workspace import Workspace
from royalty.paying import UNDONE, Event
from royalty.period import Period

if TYPE_CHECKING:
    from cli.jobs.paying import Plan
    from db.books.payments import Word
    from db.queries import PaymentRow


class DayType(click.ParamType[date]):
    """A day such as 2026-11-20."""

    name = "day"

    def convert(
        self, value: str | date, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Read the day, or say what one looks like."""
        from db.intake.rows import read_day

        try:
            return value if isinstance(value, date) else read_day(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


@click.command()
@period_argument
@click.option("--payee", "payees", multiple=True, help="Only this payee; may be given repeatedly.")
@click.option(
    "--on",
    "day",
    type=DayType(),
    help="The day of payment.  [default: today, once the open month has begun; else its first day]",
)
@as_name
@dry_run
@as_json
@pass_workspace
def pay(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    workspace: Workspace,
    period: Period,
    payees: tuple[str, ...],
    day: date | None,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    """Pay what the last closed month left payable, and say why others are not paid.

    Each account is paid in whole minor units of its payee's currency, after tax, where that comes
    to the minimum. Posts into the open month and writes HOME/reports/PERIOD/payments.csv: the
    payments that the bank has not spoken of yet. Again, it pays nothing twice.

    \b
    Example:  tantieme pay 2026-10 --as "Mara Weiss"
    """
    from cli.jobs import paying

    plan = paying.work_out(workspace.books(), period, payees, day=day)
    path = None if dry_run else paying.pay(workspace, plan, name=name)
    if json_:
        print_json(_plan_document(plan, dry_run=dry_run))
    elif plan.payments or plan.carried:
        _print_plan(plan)
    count = f"{len(plan.payments) or 'No'} payment{'s' * (len(plan.payments) != 1)}"
    if path is None:
        narrate(f"{count} would be made on {plan.day}; nothing was written.")
    else:
        narrate(f"{count} made on {plan.day}, in the books of {period.next}; {path} written.")
    if plan.is_ahead:
        narrate(
            f"{period.next} has not begun: what is paid in its books is dated its first day, also "
            "for the rate of exchange and for tax."
        )


def _print_plan(plan: Plan) -> None:
    paid = [(each.account.payee, *_amounts(each.amounts), each.id) for each in plan.payments]
    carried = [
        (each.payee, "", "", "", f"{each.balance} is carried: {each.why}") for each in plan.carried
    ]
    columns = ["payee", ">gross", ">withheld", ">paid", "payment"]
    print_table("", columns, sorted([*paid, *carried]))


def _amounts(of: Any) -> tuple[str, str, str]:  # noqa: ANN401
    return str(of.gross), str(of.withheld), str(of.paid)


def _plan_document(plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "period": str(plan.period),
        "posted_in": str(plan.period.next),
        "day": str(plan.day),
        "dry_run": dry_run,
        "payments": [
            {
                "id": each.id,
                "payee": each.account.payee,
                "name": plan.names[each.account.payee],
                "gross": each.amounts.gross.json,
                "withheld": each.amounts.withheld.json,
                "jurisdiction": each.account.jurisdiction,
                "paid": each.amounts.paid.json,
                "fx_rate": each.amounts.rate and each.amounts.rate.id,
            }
            for each in plan.payments
        ],
        "carried": [
            {
                "payee": each.payee,
                "name": plan.names[each.payee],
                "balance": each.balance.json,
                "why": each.why,
            }
            for each in plan.carried
        ],
    }


@click.group()
def payment() -> None:
    """Show payments, and keep what the bank says of them."""


@payment.command("list")
@click.option("--period", type=PeriodType(), help="Only payments in this month's books.")
@as_json
@pass_workspace
def list_(workspace: Workspace, period: Period | None, json_: bool) -> None:
    """List payments and what became of them.

    \b
    Example:  tantieme payment list
    """
    from db import queries
    from db.queries import EVERYONE

    rows = queries.payments(EVERYONE, workspace.books(), period=period)
    if json_:
        print_json({"schema": 1, "payments": [_document(row) for row in rows]})
    elif rows:
        _print_payments(rows)
    else:
        narrate("No payment was made yet; run 'tantieme pay PERIOD'.")


def _print_payments(rows: Sequence[PaymentRow]) -> None:
    columns = ["payment", "day", ">gross", ">withheld", ">paid", "state", "note"]
    table = [
        (row.id, str(row.day), *_amounts(row), row.state, row.events[-1].note if row.events else "")
        for row in rows
    ]
    print_table("", columns, table)


def _document(row: PaymentRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "posted_in": str(row.period),
        "payee": row.payee,
        "name": row.payee_name,
        "gross": row.gross.json,
        "withheld": row.withheld.json,
        "paid": row.paid.json,
        "fx_rate": row.fx_rate,
        "day": str(row.day),
        "state": row.state,
        "events": [
            {"event": each.event, "day": str(each.day), "note": each.note} for each in row.events
        ],
    }


def _of_payment(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments of what the bank says: ID, --on, --note, --as, and how."""
    options = (
        click.argument("id_", metavar="ID"),
        click.option("--on", "day", type=DayType(), help="The day of it.  [default: today]"),
        click.option("--note", default="", help="What the bank says, kept beside it."),
        as_name,
        dry_run,
        as_json,
        pass_workspace,
    )
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


@payment.command()
@_of_payment
def confirm(workspace: Workspace, **said: Any) -> None:  # noqa: ANN401
    """Keep that the bank made a payment.

    \b
    Example:  tantieme payment confirm 2026-11/lantern-records/1 --on 2026-11-23
    """
    _keep(workspace, "confirmed", **said)


@payment.command()
@_of_payment
def fail(workspace: Workspace, **said: Any) -> None:  # noqa: ANN401
    """Keep that the bank did not make a payment; the money, and its tax, is payable again.

    \b
    Example:  tantieme payment fail 2026-11/lantern-records/1 --note "account closed"
    """
    _keep(workspace, "failed", **said)


@payment.command("return")
@_of_payment
def return_(workspace: Workspace, **said: Any) -> None:  # noqa: ANN401
    """Keep that a confirmed payment came back; the money, and its tax, is payable again.

    \b
    Example:  tantieme payment return 2026-11/lantern-records/1 --note "no such account"
    """
    _keep(workspace, "returned", **said)


def _keep(  # noqa: PLR0913 - the options of a command
    workspace: Workspace,
    event: Event,
    *,
    id_: str,
    day: date | None,
    note: str,
    name: str,
    dry_run: bool,
    json_: bool,
) -> None:
    from cli.jobs import paying
    from db.books.payments import Word, record_word

    books = workspace.books()
    word = Word(payment=id_, event=event, day=day or paying.day_of_word(books, id_), note=note)
    new = record_word(books, word, name=name, dry_run=dry_run)
    if json_:
        print_json(_word_document(word, already=not new, dry_run=dry_run))
    if not new:
        narrate(f"Payment {id_} is {event} already; nothing changed.")
        return
    again = "; it is payable again" if event in UNDONE else ""
    narrate(f"Payment {id_} {'would be' if dry_run else 'is'} {event}{again}.")


def _word_document(word: Word, *, already: bool, dry_run: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "payment": word.payment,
        "event": word.event,
        "day": str(word.day),
        "note": word.note,
        "already": already,
        "dry_run": dry_run,
    }
