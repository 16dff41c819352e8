"""Payments: the money that leaves, and what the bank says of it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, func, select

from db import schema
from db.books.acts import Act, ActName, record_act
from db.books.ledger import post_within
from db.books.periods import open_period
from db.engine import Books, now, today, writing
from db.queries.accounts import not_reversed
from royalty.errors import Conflict, NotFound
from royalty.ledger import payable, reverse
from royalty.paying import EVENTS, UNDONE, Account, Event, Payment, State, keys, transactions
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the bank says of a payment."""

    payment: str
    event: Event
    day: date
    note: str = ""


def pay(books: Books, payments: Sequence[Payment], *, name: str, dry_run: bool = False) -> None:
    """Post payments into the open period and keep them, all of them or none.

    Raises `Conflict` where an account is not as it was when the payment was worked out, or where
    another month is open: run again.
    """
    with writing(books, dry_run=dry_run) as connection:
        period = open_period(connection)
        for each in payments:
            _require_unchanged(connection, each, period)
            post_within(connection, transactions(each))
            connection.execute(schema.payment.insert(), _row(each))
            record_act(connection, _act(name, "paid", period, each.id))


def record_word(books: Books, word: Word, *, name: str, dry_run: bool = False) -> bool:
    """Keep what the bank says; a payment that failed or came back is payable again.

    Says whether that was new. Raises `NotFound`, and `Conflict` where the payment is in no state
    to be that, or is said to have been so before it was made or on a day that has not come.
    """
    with writing(books, dry_run=dry_run) as connection:
        said, state = _state(connection, word)
        if state == word.event:
            return False
        if word.event not in EVENTS[state]:
            raise Conflict(_refusal(word, state))
        row = {"payment": word.payment, "number": said + 1, "event": word.event}
        more = {"day": word.day, "note": word.note, "recorded_at": now()}
        connection.execute(schema.payment_event.insert(), row | more)
        period = open_period(connection)
        if word.event in UNDONE:
            _undo(connection, word, period)
        act = _act(name, word.event, period, word.payment)
        record_act(connection, replace(act, note=word.note))
    return True


def _require_unchanged(connection: Connection, payment: Payment, period: Period) -> None:
    account = payment.account
    stands = _payable(connection, account)
    if (stands, period) != (account.balance.micros, payment.period):
        raise Conflict(
            f"what is payable to {account.payee} changed while payments were worked out; "
            "run 'tantieme pay' again"
        )


def _payable(connection: Connection, account: Account) -> int:
    posted = schema.posting.c
    mine = posted.account == payable(account.payee)
    same = posted.currency == account.balance.currency
    return -int(connection.scalar(select(func.sum(posted.amount_micros)).where(mine, same)) or 0)


def _row(payment: Payment) -> dict[str, object]:
    amounts = payment.amounts
    return {
        "id": payment.id,
        "period": str(payment.period),
        "payee": payment.account.payee,
        "currency": amounts.gross.currency,
        "gross_micros": amounts.gross.micros,
        "withheld_micros": amounts.withheld.micros,
        "paid_currency": amounts.paid.currency,
        "paid_micros": amounts.paid.micros,
        "fx_rate": None if amounts.rate is None else amounts.rate.id,
        "day": payment.day,
        "recorded_at": now(),
    }


def _state(connection: Connection, word: Word) -> tuple[int, State]:
    """Say how many words came of a payment before, and what state the last left it in."""
    made, said = schema.payment.c, schema.payment_event.c
    day = connection.scalar(select(made.day).where(made.id == word.payment))
    if day is None:
        raise NotFound(f"there is no payment '{word.payment}'; 'tantieme payment list' names them")
    if word.day < day:
        raise Conflict(
            f"payment {word.payment} was made on {day}, after {word.day}; give a later day"
        )
    if word.day > max(today(), day):
        raise Conflict(
            f"{word.day} has not come: today is {today()} (UTC); give the day on which the bank "
            f"said that payment {word.payment} is {word.event}"
        )
    events = select(said.event).where(said.payment == word.payment).order_by(said.number)
    found: list[State] = ["sent", *connection.scalars(events)]
    return len(found) - 1, found[-1]


def _refusal(word: Word, state: State) -> str:
    may = " or ".join(EVENTS[state])
    said = "the bank has not said anything of it yet" if state == "sent" else f"it is {state}"
    then = f"it can only be {may}" if may else "which is the end of it; 'tantieme pay' pays anew"
    return f"payment {word.payment} cannot be {word.event}: {said}, {'and ' * bool(may)}{then}"


def _undo(connection: Connection, word: Word, period: Period) -> None:
    """Reverse what a payment posted, in the open period, not before it begins."""
    mine = schema.transaction_.c.key.in_(keys(word.payment))
    memo = f"payment {word.payment} {word.event}" + (f": {word.note}" if word.note else "")
    day = max(word.day, period.start)
    undone = (
        replace(reverse(each, period=period, effective_on=day), memo=memo)
        for each in not_reversed(connection, mine)
    )
    post_within(connection, undone)


def _act(name: str, act: ActName, period: Period, payment: str) -> Act:
    return Act(name=name, act=act, period=period, subject=payment)
