"""Periods: there once something came in for them, and closed once."""

from __future__ import annotations

from sqlalchemy import Connection, select

from db import schema
from royalty.errors import PeriodClosed
from royalty.period import Period


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
