"""What waits in suspense: whose, how long, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ibis import Table
from sqlalchemy import select

from db import schema, snapshots
from db.engine import Books, reading, today
from db.queries.ledger import PostingRow, posting_row, selected
from db.queries.restatements import in_force
from db.queries.viewer import Viewer
from royalty import ledger
from royalty.money import Money
from royalty.period import Period
from royalty.rules.arithmetic import exact_sum
from royalty.suspense import UNOWNED, Lain, Waiting, causes, waiting, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why some money of a pool has no owner."""

    kind: str  # unmatched | unclaimed
    pool: str
    track: str  # without shares; empty where rights have a gap, or no track came into it
    recording: str
    right: str
    why: str  # in plain words
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """The largest causes, and how many more there are."""

    rows: tuple[Cause, ...]
    more: int
    more_micros: int


def suspense(viewer: Viewer, books: Books, *, on: date | None = None) -> list[Waiting]:
    """List what waits by pool or hold, the oldest first; on a day, what counts by then.

    Only for those who see all.
    """
    viewer.require_all("what waits in suspense")
    mine = schema.posting.c.account.in_(map(ledger.suspense, ledger.SUSPENSE))
    with reading(books) as connection:
        rows = [posting_row(row) for row in connection.execute(selected().where(mine))]
        of = schema.transaction_.c
        undone = {row.reverses for row in rows}
        keys = dict(connection.execute(select(of.id, of.key).where(of.id.in_(undone))).all())
    lain = [_lain(row, keys) for row in rows if on is None or row.effective_on <= on]
    return waiting(lain, on or today())


def suspense_causes(
    viewer: Viewer, books: Books, periods: Sequence[Period], *, most: int
) -> Causes:
    """Say why money of these closed months has no owner, the largest causes first.

    Only for those who see all.
    """
    viewer.require_all("what waits in suspense")
    held = in_force(viewer, books)
    snapshots_ = [held[period] for period in periods if period in held]
    return causes_of(snapshots.table(books, "allocations", snapshots_), most=most)


def causes_of(allocations: Table, *, most: int) -> Causes:
    """Read the largest causes off lines of allocations."""
    found = causes(allocations)
    rows = snapshots.run(found.limit(most)).to_pylist()
    counted = found.agg(count=found.count(), micros=exact_sum(found.micros))
    [whole] = snapshots.run(counted).to_pylist()
    return Causes(
        rows=tuple(_cause(row) for row in rows),
        more=whole["count"] - len(rows),
        more_micros=(whole["micros"] or 0) - sum(row["micros"] for row in rows),
    )


def _cause(row: dict[str, object]) -> Cause:
    named = {name: str(row[name]) for name in ("kind", "pool", "track", "recording", "right")}
    currency = str(row["pool"]).rpartition("/")[2]
    return Cause(**named, why=why(row), amount=Money(int(str(row["micros"])), currency))


def _lain(row: PostingRow, keys: dict[int, str]) -> Lain:
    kind = ledger.suspense_of(row.account)
    assert kind is not None, f"{row.account} is no account of suspense"
    hold = keys.get(row.reverses or 0, row.key)
    about = row.pool if kind in UNOWNED and row.pool else hold
    return Lain(kind=kind, about=about, day=row.effective_on, amount=-row.amount)
