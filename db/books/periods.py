"""Periods: there once something came in for them, and closed once."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from db import schema
from royalty.errors import PeriodClosed
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
