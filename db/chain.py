"""The hash chain: every transaction's hash covers its content and the hash of the one before.

Beside it, what a period's Merkle root is over: postings as what they say, whenever it was recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from json.encoder import encode_basestring as quoted
from operator import itemgetter

from sqlalchemy import Connection, select

from db.schema import ADDED, PAYOUT_PARTS, payout, posting, transaction_
from royalty.ledger import Transaction

GENESIS = "0" * 64  # what the first transaction names as the one before it
HEADER = tuple(c.name for c in transaction_.columns if c.name not in {"hash", "sealed"})
PAYOUT = tuple(c.name for c in payout.columns if c.name not in {"content_sha256", "recorded_at"})
LINE = tuple(c.name for c in posting.columns if c.name != "transaction_id")

_LEAF_HEADER = ("key", "kind", "period", "effective_on")
AT_ONCE = 10_000  # rows of a result that are held in memory
_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
).encode


def digest(value: object) -> str:
    """Hash a value over its canonical JSON: sorted keys, no spaces, UTF-8, dates in ISO."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def content(transaction: Transaction) -> str:
    """Hash what a transaction says, whenever and wherever in the chain it is posted."""
    said = ("kind", "key", "period", "effective_on", "adjusts", "reverses", "memo")
    header = {name: getattr(transaction, name) for name in said}
    return digest(header | {"postings": [_said(row, LINE) for row in lines(transaction)]})


def link(header: Mapping[str, object], postings: Sequence[Mapping[str, object]]) -> str:
    """Hash a transaction as it stands in the chain; `header` holds the previous hash."""
    rows = [_said(row, LINE) for row in postings]
    return digest({name: header[name] for name in HEADER} | {"postings": rows})


def leaf(header: Mapping[str, object], line: Mapping[str, object]) -> bytes:
    """Write what a posting says as a leaf of its period's tree: canonical JSON.

    A transaction's key, kind, period and day; the posting's line, account, amount, currency, right,
    pool, and its rate of exchange where it has one. Nothing of when or where it was posted, so that
    a month that is reproduced has the same root.
    """
    said = {name: header[name] for name in _LEAF_HEADER}
    said |= {name: line[name] for name in LINE if not _came_later(line, name)}
    return _canonical(said).encode()


def leaves(connection: Connection, period: str) -> Iterator[bytes]:
    """Stream the leaves of a period: its postings, in the chain's order."""
    mine = transaction_.c.period == period
    headers = select(transaction_.c.id, *(transaction_.c[name] for name in _LEAF_HEADER))
    by_id = {
        id_: dict(zip(_LEAF_HEADER, said, strict=True))
        for id_, *said in connection.execute(headers.where(mine))
    }
    joined = select(posting.c.transaction_id, *(posting.c[name] for name in LINE)).join(
        transaction_, transaction_.c.id == posting.c.transaction_id
    )
    rows = connection.execute(
        joined.where(mine).order_by(transaction_.c.id, posting.c.line),
        execution_options={"yield_per": AT_ONCE},
    )
    for id_, of_one in groupby(rows, key=itemgetter(0)):
        write = _leaves_of(by_id[id_])
        for row in of_one:
            yield write(*row[1:])


def computed(
    head: Mapping[str, object], parts: Mapping[str, Sequence[Mapping[str, object]]]
) -> str:
    """Hash a payout and its parts, by their tables' names, in whichever order the rows come."""
    stated: dict[str, list[list[object]]] = {}
    for table in PAYOUT_PARTS:
        names = [column.name for column in table.columns if column.name != "payout"]
        rows = [_said(row, names) for row in parts[table.name]]
        stated[table.name] = sorted(rows, key=str)
    said = {name: head[name] for name in PAYOUT if not _came_later(head, name)}
    return digest([said, stated])


def lines(transaction: Transaction) -> list[dict[str, object]]:
    """Write a transaction's postings as rows, numbered from 1."""
    return [
        {
            "line": line,
            "account": each.account,
            "amount_micros": each.amount.micros,
            "currency": each.amount.currency,
            "right": each.right,
            "pool": each.pool,
            "fx_rate": each.fx_rate,
        }
        for line, each in enumerate(transaction.postings, start=1)
    ]


def _leaves_of(header: Mapping[str, object]) -> Callable[..., bytes]:
    """Make what writes a header's leaves from the columns of `LINE`: `leaf`, but faster.

    A period has millions of postings, and all but a few of each leaf's letters are its header's.
    """
    said = {name: _canonical(header[name]) for name in _LEAF_HEADER}
    names = f'"key":{said["key"]},"kind":{said["kind"]}'

    def write(  # noqa: PLR0913, PLR0917  a row
        line: int,
        account: str,
        amount_micros: int,
        currency: str,
        right: str | None,
        pool: str | None,
        fx_rate: str | None,
    ) -> bytes:
        rate = "" if fx_rate is None else f'"fx_rate":{quoted(fx_rate)},'
        return (
            f'{{"account":{quoted(account)},"amount_micros":{amount_micros},'
            f'"currency":{quoted(currency)},"effective_on":{said["effective_on"]},{rate}{names},'
            f'"line":{line},"period":{said["period"]},'
            f'"pool":{"null" if pool is None else quoted(pool)},'
            f'"right":{"null" if right is None else quoted(right)}}}'
        ).encode()

    return write


def _said(row: Mapping[str, object], names: Sequence[str]) -> list[object]:
    """List what a row says, without what columns that came later leave empty."""
    return [row[name] for name in names if not _came_later(row, name)]


def _came_later(row: Mapping[str, object], name: str) -> bool:
    return name in ADDED and row.get(name) is None
