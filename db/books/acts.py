"""Acts: who prepared, approved, closed, paid, held. Names are as given; nothing proves them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import Connection

from db import schema
from db.books.periods import acting_in
from db.engine import now
from royalty.period import Period

ActName = Literal[
    "prepared",
    "approved",
    "closed",
    "adjusted",
    "reversed",
    "held",
    "disputed",
    "released",
    "dismissed",
    "upheld",
    "paid",
    "confirmed",
    "failed",
    "returned",
    "opt_out",
    "takedown",
    "imported",
    "withdrawn",
    "corrected",
    "aliased",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that someone did, in a period's books."""

    name: str  # of who did it
    act: ActName
    period: Period
    subject: str  # a rule, a payment, a hold, a transaction, a file
    content_sha256: str | None = None  # of what it was done to, where that can change
    note: str = ""


def record_act(connection: Connection, act: Act) -> None:
    """Record an act, as part of the write that it is."""
    row = asdict(act) | {"period": str(act.period), "recorded_at": now()}
    connection.execute(schema.act.insert(), row)


def record_done(
    connection: Connection, name: str | None, act: ActName, done: Iterable[tuple[str, str]]
) -> None:
    """Record what `name` did to subjects that are of no one month, each with a note.

    It counts in the month that is worked on. Where nobody is named (None), nobody did it.
    """
    if name is None:
        return
    period = acting_in(connection)
    for subject, note in done:
        record_act(connection, Act(name=name, act=act, period=period, subject=subject, note=note))
