"""Postings and their totals as tables: what the ledger page shows, and what its files have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dashboard import reads
from db.queries import AccountTotal, PostingRow, Sought, Viewer
from db.queries.ledger import POSTED_MAX
from royalty.period import Period
from royalty.reports.table import Column, Table

ROWS = 200  # of a page
TOTALS = (
    Column(name="account", title="Account"),
    Column(name="meaning", title="What stands on it"),
    Column(name="postings", title="Postings", kind="count"),
    Column(name="debit", title="Debit", kind="money"),
    Column(name="credit", title="Credit", kind="money"),
    Column(name="balance", title="Balance", kind="money"),
)
POSTINGS = (
    Column(name="posting", title="Posting", kind="id"),
    Column(name="period", title="Month"),
    Column(name="effective_on", title="On", kind="date"),
    Column(name="kind", title="Kind"),
    Column(name="account", title="Account", kind="id"),
    Column(name="amount", title="Amount", kind="money"),
    Column(name="memo", title="Why"),
    Column(name="right", title="Right"),
    Column(name="pool", title="Pool", kind="id"),
    Column(name="key", title="Transaction", kind="id"),
    Column(name="hash", title="Hash", kind="id"),
)
MEANINGS = {
    "receivable": "What generation platforms owe us.",
    "exchange": "Money on its way from one currency into another.",
    "pool": "What came in and is divided; at zero once it is.",
    "payable": "What payees are owed.",
    "suspense": "Money without a known owner, held or disputed.",
    "advance": "Advances that are not recouped yet.",
    "reserve": "Kept back of payees' money for a while.",
    "withheld": "Tax, to be handed on.",
    "platform": "Not royalty-bearing, or left by agreements.",
    "cash": "What payments leave from.",
}


def totals_table(period: Period, totals: Sequence[AccountTotal]) -> Table:
    """Set totals out by kind of account."""
    return Table(
        name="accounts",
        title="Totals by kind of account",
        columns=TOTALS,
        rows=tuple(
            (
                each.account,
                MEANINGS.get(each.account, ""),
                each.postings,
                each.debit,
                each.credit,
                each.balance,
            )
            for each in totals
        ),
        period=period,
    )


def every(viewer: Viewer, where: reads.Place, sought: Sought) -> Iterator[PostingRow]:
    """Read everything that is looked for, a part at a time."""
    start = 0
    while rows := reads.posted(viewer, where, sought, limit=POSTED_MAX, offset=start):
        yield from rows
        start += len(rows)


def table(period: Period, rows: Sequence[PostingRow]) -> Table:
    """Set postings out, one a row."""
    return Table(
        name="postings",
        title="Postings",
        columns=POSTINGS,
        rows=tuple(
            (
                each.id,
                str(each.period),
                each.effective_on,
                each.kind,
                each.account,
                each.amount,
                each.memo,
                each.right,
                each.pool,
                each.key,
                each.hash,
            )
            for each in rows
        ),
        period=period,
    )
