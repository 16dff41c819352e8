"""Steps of a walk back, and those that postings share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from db import schema
from db.queries.ledger import PostingRow

Fact = str | int | None
SHOWN = 20  # lines, or differences of lines, named for one posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the walk: what it is, which one, and what the books know of it."""

    # line | posting | allocation | share | evidence | run | recording; of what moved otherwise
    # transaction | restatement | difference | hold | finding | payment | event | rate
    step: str
    id: str
    facts: Mapping[str, Fact]


def posting_step(row: PostingRow) -> Step:
    """State a posting, and the transaction that it is of."""
    return Step(
        step="posting",
        id=row.id,
        facts={
            "account": row.account,
            "amount": str(row.amount),
            "right": row.right,
            "pool": row.pool,
            "fx_rate": row.fx_rate,
            "transaction": row.key,
            "kind": row.kind,
            "memo": row.memo or None,
            "effective_on": row.effective_on.isoformat(),
            "recorded_at": row.recorded_at,
            "hash": row.hash,
        },
    )


def rate_step(connection: Connection, rate: str) -> Step:
    """State the rate of exchange at which an amount was converted."""
    stated = schema.fx_rate.c
    row = connection.execute(select(schema.fx_rate).where(stated.id == rate)).one()
    day = {"day": row.day.isoformat()}
    return Step(step="rate", id=rate, facts=day | facts(row, "base", "quote", "rate_ppb", "source"))


def facts(found: Row[Any] | object, *names: str) -> dict[str, Fact]:
    """Take these facts of what was found."""
    return {name: getattr(found, name) for name in names}
