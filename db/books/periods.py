"""Periods: there once something came in for them, and closed once."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from db import schema
from royalty.errors import NotReady, PeriodClosed
from royalty.period import Period

MADE_IN = Period(2026, 11)  # a clock that stands earlier than this code is wrong


def current() -> Period:
    """Name the month that it is, by UTC; nothing can come in for a later one."""
    today = datetime.now(UTC)
    return max(MADE_IN, Period(today.year, today.month))


def begin(connection: Connection, period: Period) -> None:
    """Make sure that the period is there and open. Raises `PeriodClosed`."""
    status = connection.scalar(
        select(schema.period.c.status).where(schema.period.c.id == str(period))
    )
    if status == "closed":
        raise PeriodClosed(
            f"period {period} is closed; what comes late is an adjustment in the open one"
        )
    if status is None:
        connection.execute(schema.period.insert(), {"id": str(period), "status": "open"})


def last_closed(connection: Connection) -> Period | None:
    """Name the latest month that is closed; None where none is."""
    closed = schema.period.c.status == "closed"
    found = connection.scalar(select(func.max(schema.period.c.id)).where(closed))
    return None if found is None else Period.parse(found)


def acting_in(connection: Connection) -> Period:
    """Name the month in whose books something is done now: after the last closed, else this one.

    It does not begin by that.
    """
    closed = last_closed(connection)
    return current() if closed is None else closed.next


def open_period(connection: Connection) -> Period:
    """Name the open month, the one after the last that is closed; it begins if it has not yet.

    What comes after a closing (adjustments, payments, holds) is posted there. Raises `NotReady`
    where no month is closed.
    """
    closed = last_closed(connection)
    if closed is None:
        raise NotReady("no month is closed yet; run 'tantieme close PERIOD' first")
    begin(connection, closed.next)
    return closed.next
