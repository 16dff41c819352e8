"""The hash chain: every transaction's hash covers its content and the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from db.schema import ADDED, PAYOUT_PARTS, payout, posting, transaction_
from royalty.ledger import Transaction

HEADER = tuple(c.name for c in transaction_.columns if c.name not in {"hash", "sealed"})
PAYOUT = tuple(c.name for c in payout.columns if c.name not in {"content_sha256", "recorded_at"})
LINE = tuple(c.name for c in posting.columns if c.name != "transaction_id")


def digest(value: object) -> str:
    """Hash a value over its canonical JSON: sorted keys, no spaces, UTF-8, dates in ISO."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def content(transaction: Transaction) -> str:
    """Hash what a transaction says, whenever and wherever in the chain it is posted."""
    said = ("kind", "key", "period", "effective_on", "adjusts", "reverses", "memo")
    header = {name: getattr(transaction, name) for name in said}
    return digest(header | {"postings": [_said(row, LINE) for row in lines(transaction)]})


def link(header: Mapping[str, object], postings: Sequence[Mapping[str, object]]) -> str:
    """Hash a transaction as it stands in the chain; `header` holds the previous hash."""
    rows = [_said(row, LINE) for row in postings]
    return digest({name: header[name] for name in HEADER} | {"postings": rows})


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


def _said(row: Mapping[str, object], names: Sequence[str]) -> list[object]:
    """List what a row says, without what columns that came later leave empty."""
    return [row[name] for name in names if not _came_later(row, name)]


def _came_later(row: Mapping[str, object], name: str) -> bool:
    return name in ADDED and row.get(name) is None
