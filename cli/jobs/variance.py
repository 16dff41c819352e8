"""Hold a month's payout against that of the month before, or of another."""

from __future__ import annotations

from cli.workspace import Workspace
from db import queries
from db.engine import Books
from db.queries import EVERYONE, Payout
from royalty.period import Period
from royalty.variance import Variance, vary


def vary_from(
    workspace: Workspace, now: Payout, against: Period | None = None, *, engine: str = "duckdb"
) -> Variance | None:
    """Hold a payout against a month's, the month before unless told otherwise.

    That is the payout which closed the month or, while it is open, its preview by the same rule.
    None where no month is named and the one before has none, or one in another currency. Raises
    `NotReady` where the one named has none, and `CurrencyMismatch` where it is in another currency.
    """
    books = workspace.books()
    before = _before(books, now, against)
    if before is None:
        return None
    came, came_before = (
        queries.revenue_by_source(EVERYONE, books, each, engine=engine) for each in (now, before)
    )
    return vary(now, before, came=came, came_before=came_before)


def _before(books: Books, now: Payout, against: Period | None) -> Payout | None:
    month = against or now.period.before(1)
    row = next((row for row in queries.periods(EVERYONE, books) if row.period == month), None)
    rule = (row and row.rule) or now.rule
    if against is None and (row is None or rule not in row.computed):
        return None
    before = queries.payout(EVERYONE, books, month, rule)
    alike = before.pool.currency == now.pool.currency
    return before if alike or against else None
