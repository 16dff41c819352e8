"""Acts: who prepared, approved, closed, paid, held. Names are as given; nothing proves them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from db import schema
from db.engine import now
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that someone did, in a period's books."""

    name: str  # of who did it
    act: str  # prepared | approved | closed | adjusted | held | released | disputed | paid | …
    period: Period
    subject: str  # a rule, a payment, a hold, a transaction
    content_sha256: str | None = None  # of what it was done to, where that can change
    note: str = ""


def record_act(connection: Connection, act: Act) -> None:
    """Record an act, as part of the write that it is."""
    row = asdict(act) | {"period": str(act.period), "recorded_at": now()}
    connection.execute(schema.act.insert(), row)
