"""What moved an account besides earnings, read off the kinds of its postings' transactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from db.queries.ledger import PostingRow
from db.schema import transaction_
from royalty.movements import EARNED, Movement, term_of, worded
from royalty.period import Period
from royalty.restatement import month_adjusted

Known = Mapping[int, Row[Any]]  # transactions by their place in the chain


def movements(connection: Connection, rows: Sequence[PostingRow]) -> list[Movement]:
    """Say what each of an account's postings did that is no earning, in the ledger's order."""
    moved = [row for row in rows if row.kind != EARNED]
    known = earlier(connection, moved)
    return [_movement(row, known) for row in moved]


def earlier(connection: Connection, rows: Iterable[PostingRow | Row[Any]]) -> Known:
    """Find the transactions that these reverse or adjust, and those that these do in turn."""
    known: dict[int, Row[Any]] = {}
    wanted = _behind(rows)
    while wanted:
        those = select(transaction_).where(transaction_.c.id.in_(wanted))
        found = {row.id: row for row in connection.execute(those)}
        known |= found
        wanted = _behind(found.values()) - known.keys()
    return known


def _behind(rows: Iterable[PostingRow | Row[Any]]) -> set[int]:
    return {each for row in rows for each in (row.reverses, row.adjusts) if each is not None}


def _movement(row: PostingRow, known: Known) -> Movement:
    kinds = [each.kind for each in _undoing(row, known)]
    corrected = known.get(row.reverses or row.adjusts or 0)
    about = _about(_origin(row, known))
    return Movement(
        term=term_of(kinds),
        what=worded(kinds, corrects=None if about == row.period else about),
        why=_why(row, known),
        posting=row.id,
        posting_hash=row.content_sha256,
        adjusts=None if corrected is None else corrected.key,
        usage_period=about,
        effective_on=row.effective_on,
        right=row.right,
        pool=row.pool,
        amount=-row.amount,  # a credit of what is payable is money to the payee
        fx_rate=row.fx_rate,
    )


def _undoing(row: PostingRow, known: Known) -> Iterator[PostingRow | Row[Any]]:
    """Yield a transaction, what it reverses, what that reverses, and so on."""
    each: PostingRow | Row[Any] | None = row
    while each is not None:
        yield each
        each = known.get(each.reverses or 0)


def _origin(row: PostingRow, known: Known) -> PostingRow | Row[Any]:
    """Find the first transaction of a row of corrections."""
    each: PostingRow | Row[Any] = row
    while behind := each.reverses or each.adjusts:
        each = known[behind]
    return each


def _about(origin: PostingRow | Row[Any]) -> Period:
    """Name the month that a row of corrections began in, or that its first one puts right."""
    return month_adjusted(origin.key) or Period.parse(str(origin.period))


def _why(row: PostingRow, known: Known) -> str:
    """Say why, in the transaction's words; a reversal that gives none is told by what it undoes."""
    undone = known.get(row.reverses or 0)
    if undone is None or row.memo not in {"", f"reverses {undone.key}"}:
        return row.memo
    return f"undone: {undone.memo or undone.key}"
