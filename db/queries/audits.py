"""Whether the books add up, and whether they are as they were written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from db import chain, schema, snapshots, triggers
from db.engine import Books, reading
from db.queries.viewer import Viewer
from db.triggers import GENESIS
from royalty.audit import Conservation
from royalty.audit import conservation as identity
from royalty.errors import NotReady
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


def conservation(viewer: Viewer, books: Books, period: Period) -> Conservation:
    """Read the identity off a period's postings: zeros where a closed one had no money.

    Raises `NotReady` on several currencies, and where nothing is posted yet.
    """
    viewer.require_all("conservation")
    posted, of = schema.posting.c, schema.transaction_.c
    sums = (
        select(posted.account, posted.currency, func.sum(posted.amount_micros))
        .join(schema.transaction_, of.id == posted.transaction_id)
        .where(of.period == str(period))
        .group_by(posted.account, posted.currency)
    )
    balances: defaultdict[str, dict[str, Money]] = defaultdict(dict)
    with reading(books) as connection:
        for account, currency, micros in connection.execute(sums):
            balances[currency][account] = Money(int(micros), currency)
        if not balances and (paid := _paid_in(connection, period)):
            balances[paid] = {}
    if len(balances) != 1:
        found = f"in {', '.join(sorted(balances))}" if balances else "in no currency yet"
        raise NotReady(f"period {period} is posted {found}; conservation is of one, once closed")
    [(currency, accounts)] = balances.items()
    return identity(period, currency, accounts)


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
        ]


def verify_chain(books: Books) -> Broken | None:
    """Recompute every hash from the first transaction on; name the first link that is broken."""
    with reading(books) as connection:
        return next(_broken(connection), None)


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
    previous, expected, hashes = GENESIS, 1, {GENESIS}
    lines = _lines(connection)
    headers = select(schema.transaction_).order_by(schema.transaction_.c.id)
    for header in connection.execute(headers).mappings():
        why = _fault(header, lines.get(header["id"], []), expected, previous)
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


def _lines(connection: Connection) -> dict[int, list[dict[str, Any]]]:
    posting = schema.posting
    rows = connection.execute(select(posting).order_by(posting.c.transaction_id, posting.c.line))
    lines: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.mappings():
        lines[row["transaction_id"]].append(dict(row))
    return lines
