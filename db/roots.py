"""What the root of a month is over: its postings, and what each payee's account says by them.

A root of version 1 is over the postings only. Since version 2 there is after them, for every
payee's account that stood at something, moved or was allotted something, one leaf: what it opened
and closed at, how many postings are on it, and the hash of all rows of the division that are the
payee's. So no posting can be left out, and none can fall on other lines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, case, func, select

from db import chain, engines, schema, snapshots
from db.engine import Books
from royalty import lines
from royalty.errors import NotFound
from royalty.ledger import payable

VERSION = 2  # of the roots that months are closed with now
POSTINGS_ONLY = 1

# A row is fixed without plays, which are told to nobody where few listened.
NUMBERS = (*lines.SHARE, "interest_ppm", *lines.AMOUNTS)
AT_ONCE = 1 << 17  # rows that are hashed at once
_NOTHING = (0, hashlib.sha256().hexdigest())

Hashed = dict[str, tuple[int, str]]  # by payee: how many rows, and the hash of them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """The rows that a month was divided into, and the currency of their amounts."""

    rows: ir.Table
    currency: str


def divided(books: Books, connection: Connection, payout: str, engine: str = "duckdb") -> Divided:
    """Open the rows of a payout. Raises `NotFound` and `CorruptSnapshot`."""
    paid = schema.payout.c
    this = select(paid.snapshot, paid.currency).where(paid.id == payout)
    found = connection.execute(this).one_or_none()
    if found is None:
        raise NotFound(f"payout {payout} is gone; restore the books from a backup")
    rows = snapshots.table(books, "allocations", [found.snapshot], engines.connect(engine))
    return Divided(rows=rows, currency=found.currency)


def stored_leaves(books: Books, connection: Connection, period: str) -> Iterator[bytes]:
    """Stream the leaves of a closed month as the books have it now, by its root's version.

    Raises `NotFound` or `CorruptSnapshot` where what it was divided into is not there any more.
    """
    month = schema.period.c
    this = select(month.payout, month.root_version).where(month.id == period)
    payout, version = connection.execute(this).one()
    by = None if version == POSTINGS_ONLY else divided(books, connection, payout)
    return leaves(connection, period, chain.leaves(connection, period), by)


def leaves(
    connection: Connection, period: str, postings: Iterable[bytes], by: Divided | None
) -> Iterator[bytes]:
    """Stream the leaves of a month: of these postings, then of payees' accounts in their order.

    What accounts stood at and how many postings are on them is read from the books. `by` is what
    the month was divided into; None makes the leaves of a root of version 1.
    """
    yield from postings
    if by is not None:
        yield from _of_accounts(connection, period, by)


def hash_rows(rows: ir.Table) -> Hashed:
    """Hash every payee's rows of a division, as SHA-256 over what `written` makes of each.

    A payee's are the rows that pay it and, of its parties, those that their terms kept back. Each
    ends in a line feed; they stand in the order of their bytes. Rows need not fit into memory.
    """
    own = rows.filter(rows.payee.notnull())
    parties = own.select("party", whose=own.payee).distinct()
    kept = rows.filter(rows.payee.isnull() & (rows.kind == "platform")).join(parties, "party")
    texts = ibis.union(
        own.select(whose=own.payee, text=written(own)),
        kept.select(whose=kept.whose, text=written(kept)),
    )
    return _hashed(texts.order_by("whose", "text").to_pyarrow_batches(chunk_size=AT_ONCE))


def written(rows: ir.Table) -> ir.StringValue:
    """Write each row as one text that no other row has: texts with their lengths, then numbers."""
    texts = [rows[name].fill_null("") for name in lines.TEXTS]
    cells = [
        *(text.length().cast("string").concat(":", text) for text in texts),
        *(rows[name].cast("int64").cast("string") for name in NUMBERS),
    ]
    return ibis.literal(",").join(cells) + "\n"


def _of_accounts(connection: Connection, period: str, by: Divided) -> Iterator[bytes]:
    rows = {(payable(payee), by.currency): of for payee, of in hash_rows(by.rows).items()}
    stood = _stood(connection, period)
    for key in sorted({*stood, *rows}):
        opening, closing, postings = stood.get(key, (0, 0, 0))
        count, sha256 = rows.get(key, _NOTHING)
        said = {
            "account": key[0],
            "closing_micros": closing,
            "currency": key[1],
            "opening_micros": opening,
            "period": period,
            "postings": postings,
            "rows": count,
            "rows_sha256": sha256,
        }
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        yield text.encode()


def _stood(connection: Connection, period: str) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Read what payees' accounts stood at before a month and after it, and count its postings.

    By account and currency; what is owed is positive. Those that stood at nothing and did not move
    are left out.
    """
    posted, of = schema.posting.c, schema.transaction_.c
    opening = func.sum(case((of.period < period, -posted.amount_micros), else_=0))
    postings = func.sum(case((of.period == period, 1), else_=0))
    sums = (
        select(posted.account, posted.currency, opening, -func.sum(posted.amount_micros), postings)
        .join(schema.transaction_, of.id == posted.transaction_id)
        .where(posted.account.startswith(payable(""), autoescape=True), of.period <= period)
        .group_by(posted.account, posted.currency)
        .having((opening != 0) | (postings > 0))
    )
    return {
        (account, currency): (int(before), int(after), int(count))
        for account, currency, before, after, count in connection.execute(sums)
    }


def _hashed(batches: Iterable[pa.RecordBatch]) -> Hashed:
    """Hash texts that stand by whose they are, without making one of them a Python string."""
    found: Hashed = {}
    for payee, runs in groupby(_runs(batches), itemgetter(0)):
        count, digest = 0, hashlib.sha256()
        for _, rows, content in runs:
            count += rows
            digest.update(content)
        found[payee] = (count, digest.hexdigest())
    return found


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, int, memoryview]]:
    """Cut batches of (whose, text) where they go on to somebody else: whose, rows, their bytes."""
    for batch in batches:
        whose, texts = batch.columns
        texts = pc.cast(texts, pa.large_string())
        _, offsets, content = texts.buffers()
        begins = memoryview(offsets).cast("q")[texts.offset :]
        runs = pc.run_end_encode(whose)
        start = 0
        for end, name in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
            yield name, end - start, memoryview(content)[begins[start] : begins[end]]
            start = end
