"""Divide a closed month again, from nothing but what it was divided from, and compare bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ibis import BaseBackend, Table

from cli.jobs.blending import divide_by
from cli.jobs.dividing import Division
from cli.jobs.given import given_then
from cli.jobs.month import Month, open_given
from cli.workspace import Workspace
from db import chain, engines, queries, snapshots
from db.engine import Books
from db.queries import EVERYONE, Decided, Payout, PeriodRow
from db.roots import Divided
from royalty.money import Money
from royalty.period import Period

NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """One thing that a month was closed with, and the same as it comes out again."""

    what: str
    closed: str  # hashes, or `NOTHING`
    again: str

    @property
    def same(self) -> bool:
        """Whether both are the same bytes."""
        return self.closed == self.again


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduced:
    """A closed month, held against itself divided again."""

    period: Period
    rule: str  # that closed it
    compared: tuple[Repeated, ...]
    differences: tuple[str, ...]  # sentences: where allocations first differ

    @property
    def holds(self) -> bool:
        """Whether everything came out as it was closed."""
        return all(each.same for each in self.compared)


def reproduce(workspace: Workspace, period: Period, *, engine: str = "duckdb") -> Reproduced:
    """Divide a closed month again, by the rule that closed it and by all that it is compared with.

    What decided each is read from snapshots; what became known since plays no part, and nothing
    is written. Raises `PeriodNotClosed`, `NotReady` on a month closed before all that decides was
    kept, and `CorruptSnapshot` where a file is not what it was.
    """
    books = workspace.books()
    month = queries.closed_period(EVERYONE, books, period)
    compared: list[Repeated] = []
    differences: list[str] = []
    opened: list[tuple[Decided, Month]] = []
    for rule in sorted(month.computed, key=lambda each: (each != month.rule, each)):
        paid = queries.payout(EVERYONE, books, period, rule)
        division = divide_by(_opened(books, paid, opened, engine), rule)
        compared += _allocations(books, paid, division)
        if not compared[-1].same:
            differences += _first(books, paid, division.rows, engines.connect(engine))
        if rule == month.rule:
            compared += _posted(books, month, division)
    return Reproduced(
        period=period,
        rule=str(month.rule),
        compared=tuple(compared),
        differences=tuple(differences),
    )


def _opened(books: Books, paid: Payout, opened: list[tuple[Decided, Month]], engine: str) -> Month:
    """Open a payout's month, once for all payouts that the same decided."""
    decided = queries.decided(EVERYONE, books, paid)
    for known, month in opened:
        if known == decided:
            return month
    opened.append((decided, open_given(books, paid.period, given_then(books, paid), engine=engine)))
    return opened[-1][1]


def _allocations(books: Books, paid: Payout, division: Division) -> list[Repeated]:
    """Compare what decided beside the snapshots, the code's versions, and then the bytes."""
    rows = snapshots.hash_rows(books, "allocations", division.rows)
    return [
        Repeated(what=f"rule {paid.rule}", closed=paid.rule_version, again=division.version),
        Repeated(what=f"allocations by {paid.rule}", closed=paid.snapshot, again=rows),
    ]


def _posted(books: Books, month: PeriodRow, division: Division) -> Iterator[Repeated]:
    """Compare the transactions by which the month was divided, and the month's root."""
    anew = {each.key: each for each in division.transactions()}
    posted = queries.divided(EVERYONE, books, month.period)
    for key in dict.fromkeys([*posted, *anew]):
        again = chain.content(anew[key]) if key in anew else NOTHING
        yield Repeated(what=f"transaction {key}", closed=posted.get(key, NOTHING), again=again)
    rows = Divided(rows=division.rows, currency=division.currency)
    root = queries.root_with(EVERYONE, books, month.period, anew.values(), rows)
    if root is not None:
        yield Repeated(what="root of the month", closed=str(month.root), again=root)


def _first(books: Books, paid: Payout, rows: Table, engine: BaseBackend) -> Iterator[str]:
    """Say which rows of allocations first differ, in canonical order."""
    closed = snapshots.table(books, "allocations", [paid.snapshot], engine)
    again = rows.select(*closed.columns)
    found = False
    for one, other, when in ((closed, again, "closed"), (again, closed, "divided again")):
        only = one.difference(other).order_by(closed.columns).limit(1)
        for row in snapshots.run(only).to_pylist():
            found = True
            yield f"by {paid.rule}, only as {when}: {_said(row, paid.pool.currency)}"
    if not found:
        yield f"by {paid.rule}, all rows are the same; another version of Parquet wrote the file"


def _said(row: Mapping[str, Any], currency: str) -> str:
    """Describe a row of allocations."""
    of = [row[name] for name in ("pool", "track", "recording", "right", "party", "payee", "kind")]
    return f"{', '.join(filter(None, of))}: {Money(row['micros'], currency)}"
