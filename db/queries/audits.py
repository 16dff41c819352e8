"""Whether the books add up, and whether they are as they were written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from db import chain, roots, schema, snapshots, triggers
from db.engine import Books, reading
from db.queries.viewer import Viewer
from royalty import merkle
from royalty.audit import Conservation
from royalty.audit import conservation as identity
from royalty.errors import NotFound, NotReady
from royalty.ledger import payee_of
from royalty.money import Money
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first link of the chain that does not hold."""

    transaction: int
    key: str
    why: str

    def __str__(self) -> str:
        """Say which transaction, and what is wrong with it."""
        return f"transaction {self.transaction} ({self.key}): {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFound:
    """A closed month that has a root: by what it was closed with, by the books now, or by both."""

    period: Period
    closed_with: str | None  # None: it closed before there were roots
    posted: str  # its root by what is in the books now


def conservation(viewer: Viewer, books: Books, period: Period) -> Conservation:
    """Read the identity off a period's postings, where they are in one currency.

    Raises `NotReady` on several currencies, and where nothing is posted yet.
    """
    found = conservations(viewer, books, period)
    if len(found) > 1:
        named = ", ".join(each.currency for each in found)
        raise NotReady(f"period {period} is posted in {named}; each has an identity of its own")
    return found[0]


def conservations(viewer: Viewer, books: Books, period: Period) -> tuple[Conservation, ...]:
    """Read the identity off a period's postings, currency by currency; all must hold.

    Zeros where a closed period had no money. Advances that went out are left out: cash became a
    claim, which comes back as recouped. Raises `NotReady` where nothing is posted yet.
    """
    viewer.require_all("conservation")
    posted, of = schema.posting.c, schema.transaction_
    undone = of.alias("undone")
    sums = (
        select(posted.account, posted.currency, func.sum(posted.amount_micros))
        .join(of, of.c.id == posted.transaction_id)
        .outerjoin(undone, undone.c.id == of.c.reverses)
        .where(of.c.period == str(period), func.coalesce(undone.c.kind, of.c.kind) != "advance")
        .group_by(posted.account, posted.currency)
    )
    balances: defaultdict[str, dict[str, Money]] = defaultdict(dict)
    with reading(books) as connection:
        for account, currency, micros in connection.execute(sums):
            balances[currency][account] = Money(int(micros), currency)
        if not balances and (paid := _paid_in(connection, period)):
            balances[paid] = {}
    if not balances:
        raise NotReady(
            f"period {period} is posted in no currency yet; money is conserved once it is closed: "
            f"run 'tantieme close {period}'"
        )
    return tuple(identity(period, *each) for each in sorted(balances.items()))


def verify_books(books: Books) -> list[str]:
    """Say everything that is not as it was written, or does not add up: nothing, or sentences."""
    broken = verify_chain(books)
    with reading(books) as connection:
        return [
            *([str(broken)] if broken else []),
            *verify_snapshots(books),
            *triggers.faults(connection),
            *_lost_payouts(connection),
            *_changed_payouts(connection),
            *_unequal_payees(connection),
            *_changed_roots(books, connection),
        ]


def verify_chain(books: Books) -> Broken | None:
    """Recompute every hash from the first transaction on; name the first link that is broken."""
    with reading(books) as connection:
        return next(_broken(connection), None)


def find_root(books: Books, root: str) -> RootFound | None:
    """Find the closed month that has a Merkle root, computed again by what is in the books.

    Raises `CorruptSnapshot` or `NotFound` where that cannot be read any more.
    """
    with reading(books) as connection:
        months = _roots(connection)
        for period in sorted(months, key=lambda period: months[period] != root):
            posted = merkle.root(roots.stored_leaves(books, connection, period))
            if root in {months[period], posted}:
                found, with_ = Period.parse(period), months[period]
                return RootFound(period=found, closed_with=with_, posted=posted)
    return None


def verify_snapshots(books: Books) -> list[str]:
    """Hash every registered snapshot's file; say which are gone or corrupt."""
    with reading(books) as connection:
        known = list(connection.scalars(select(schema.snapshot.c.sha256).order_by("sha256")))
    faults = []
    for sha256 in known:
        try:
            snapshots.checked(books, sha256)
        except snapshots.CorruptSnapshot as fault:
            faults.append(str(fault))
    return faults


def _paid_in(connection: Connection, period: Period) -> str | None:
    """Name the currency that a closed period is paid in, even where nothing came in for it."""
    closed, payout = schema.period.c, schema.payout.c
    mine = select(payout.currency).join(schema.period, closed.payout == payout.id)
    return connection.scalar(mine.where(closed.id == str(period), closed.status == "closed"))


def _lost_payouts(connection: Connection) -> list[str]:
    """Find closed periods whose payout is not there any more, or is another period's."""
    closed, payout = schema.period.c, schema.payout.c
    there = select(payout.id).where(payout.id == closed.payout, payout.period == closed.id)
    lost = select(closed.id, closed.payout).where(closed.status == "closed", ~there.exists())
    rows = connection.execute(lost.order_by(closed.id))
    return [f"payout {name} that period {period} closed with is gone" for period, name in rows]


def _changed_payouts(connection: Connection) -> Iterator[str]:
    """Find payouts that are not what was hashed when they were computed."""
    for head in connection.execute(select(schema.payout).order_by("id")).mappings():
        parts = {
            table.name: [
                dict(row)
                for row in connection.execute(
                    select(table).where(table.c.payout == head["id"])
                ).mappings()
            ]
            for table in schema.PAYOUT_PARTS
        }
        if chain.computed(dict(head), parts) != head["content_sha256"]:
            yield f"payout {head['id']} is not what was computed"


def _unequal_payees(connection: Connection) -> Iterator[str]:
    """Find payees to whom a closing posted another amount than the payout that it closed with."""
    closed, paid = schema.period.c, schema.payout_payee.c
    rows = select(closed.id, closed.payout).where(closed.status == "closed").order_by(closed.id)
    for period, payout in connection.execute(rows):
        said = select(paid.payee, paid.micros).where(paid.payout == payout)
        computed = dict(connection.execute(said).all())
        posted = _posted(connection, period)
        for payee in sorted({*computed, *posted}):
            owed, booked = computed.get(payee, 0), posted.get(payee, 0)
            if owed != booked:
                yield (
                    f"period {period} closed with {booked} micros posted to {payee};"
                    f" payout {payout} says {owed}"
                )


def _changed_roots(books: Books, connection: Connection) -> Iterator[str]:
    """Find closed periods that have not the root that they were closed with any more.

    Where what it was divided into is gone, that is the fault, which is stated elsewhere.
    """
    for period, root in _roots(connection).items():
        with suppress(snapshots.CorruptSnapshot, NotFound):
            now = root and merkle.root(roots.stored_leaves(books, connection, period))
            if now != root:
                yield f"period {period} was closed with root {root}; it has root {now} now"


def _roots(connection: Connection) -> dict[str, str | None]:
    """Read what every closed period was closed with; None where that was before roots."""
    month = schema.period.c
    closed = select(month.id, month.root).where(month.status == "closed").order_by(month.id)
    return {row.id: row.root for row in connection.execute(closed)}


def _posted(connection: Connection, period: str) -> dict[str, int]:
    """Sum what a period's closing posted to payees; what was adjusted in it is no part of it."""
    posted, of = schema.posting.c, schema.transaction_.c
    sums = (
        select(posted.account, func.sum(posted.amount_micros))
        .join(schema.transaction_, of.id == posted.transaction_id)
        .where(of.period == period, of.kind == "allocation")
        .group_by(posted.account)
    )
    rows = [(payee_of(account), -int(micros)) for account, micros in connection.execute(sums)]
    return {payee: micros for payee, micros in rows if payee is not None}


def _broken(connection: Connection) -> Iterator[Broken]:
    previous, expected, hashes = chain.GENESIS, 1, {chain.GENESIS}
    for header, lines in _transactions(connection):
        why = _fault(header, lines, expected, previous)
        if why:
            yield Broken(transaction=header["id"], key=header["key"], why=why)
        previous, expected = header["hash"], header["id"] + 1
        hashes.add(previous)
    for period in connection.execute(
        select(schema.period).where(schema.period.c.status == "closed")
    ):
        if period.chain_head not in hashes:
            why = f"the chain does not hold what period {period.id} was closed with"
            yield Broken(transaction=expected - 1, key="the last", why=why)


def _fault(
    header: RowMapping, lines: list[dict[str, Any]], expected: int, previous: str
) -> str | None:
    if header["id"] != expected:
        return f"transaction {expected} is missing before it"
    if header["prev_hash"] != previous:
        return "it does not follow from the one before"
    if not header["sealed"]:
        return "it is not sealed"
    if header["hash"] != chain.link(dict(header), lines):
        return "it or its postings are not what was hashed"
    return None


def _transactions(connection: Connection) -> Iterator[tuple[RowMapping, list[dict[str, Any]]]]:
    """Stream the chain: every transaction with its postings."""
    groups = _lines(connection)
    id_, lines = next(groups, _NO_LINES)
    headers = select(schema.transaction_).order_by(schema.transaction_.c.id)
    for header in connection.execute(headers).mappings():
        while id_ < header["id"]:
            id_, lines = next(groups, _NO_LINES)
        yield header, lines if id_ == header["id"] else []


def _lines(connection: Connection) -> Iterator[tuple[float, list[dict[str, Any]]]]:
    """Stream the postings, those of one transaction together."""
    posting = schema.posting
    names = [column.name for column in posting.columns]
    ordered = select(posting).order_by(posting.c.transaction_id, posting.c.line)
    rows = connection.execute(ordered, execution_options={"yield_per": chain.AT_ONCE})
    for id_, of_one in groupby(rows, key=itemgetter(0)):
        yield id_, [dict(zip(names, row, strict=True)) for row in of_one]


_NO_LINES: tuple[float, list[dict[str, Any]]] = (inf, [])  # after the last transaction's
