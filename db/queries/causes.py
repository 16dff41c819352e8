"""What a movement walks back to: a hold, a payment, a restatement, and what it puts right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select

from db import schema, snapshots
from db.engine import Books, reading
from db.queries.holds import HoldRow, holds
from db.queries.ledger import PostingRow, posting_row, selected
from db.queries.restatements import RestatementRow, restatements
from db.queries.steps import SHOWN, Step, facts, rate_step
from db.queries.viewer import Viewer
from royalty.money import Money
from royalty.period import Period
from royalty.restatement import month_adjusted


def causes(viewer: Viewer, books: Books, row: PostingRow) -> Iterator[Step]:
    """Walk from a posting to what it was made for, and at which rate it was converted."""
    if row.fx_rate is not None:
        with reading(books) as connection:
            yield rate_step(connection, row.fx_rate)
    match row.kind:
        case "hold":
            for held in holds(viewer, books):
                if held.id == row.key:
                    yield from _hold(held)
        case "payment" | "withholding":
            yield from _payment(books, row)
        case "adjustment":
            yield from _restated(viewer, books, row)


def put_right(books: Books, row: PostingRow) -> tuple[Step | None, list[PostingRow]]:
    """Find the transaction that a posting's reverses or adjusts, and what that did to the account.

    Of what one pool gave for one right, only that.
    """
    behind = row.reverses or row.adjusts
    if behind is None:
        return None, []
    posted, of = schema.posting.c, schema.transaction_
    same = (posted.account == row.account, posted.transaction_id == behind)
    with reading(books) as connection:
        header = connection.execute(select(of).where(of.c.id == behind)).one()
        rows = [posting_row(each) for each in connection.execute(selected().where(*same))]
    said = facts(header, "kind", "period", "memo", "recorded_at", "hash")
    step = Step(step="transaction", id=header.key, facts=said)
    return step, [each for each in rows if (each.pool, each.right) == (row.pool, row.right)]


def _hold(held: HoldRow) -> Iterator[Step]:
    yield Step(
        step="hold",
        id=held.id,
        facts=facts(held, "kind", "subject", "reason", "opened_by", "recorded_at", "state")
        | facts(held, "released_at", "ending"),
    )
    for found in held.findings:
        yield Step(
            step="finding",
            id=f"{held.id}/{found.method}",
            facts=facts(found, "evidence_sha256", "summary", "recorded_at"),
        )


def _payment(books: Books, row: PostingRow) -> Iterator[Step]:
    """Find the payment that a transaction paid out, and what the bank said of it."""
    paid, said = schema.payment.c, schema.payment_event.c
    id_ = row.key.removeprefix("payment/").removesuffix("/withholding")
    with reading(books) as connection:
        for each in connection.execute(select(schema.payment).where(paid.id == id_)):
            yield Step(
                step="payment",
                id=each.id,
                facts={
                    "gross": str(Money(each.gross_micros, each.currency)),
                    "withheld": str(Money(each.withheld_micros, each.currency)),
                    "paid": str(Money(each.paid_micros, each.paid_currency)),
                    "day": each.day.isoformat(),
                    **facts(each, "fx_rate", "recorded_at"),
                },
            )
            events = select(schema.payment_event).where(said.payment == each.id)
            for event in connection.execute(events.order_by(said.number)):
                day = {"day": event.day.isoformat()}
                what = facts(event, "event", "note", "recorded_at")
                yield Step(step="event", id=f"{each.id}/{event.number}", facts=what | day)


def _restated(viewer: Viewer, books: Books, row: PostingRow) -> Iterator[Step]:
    """Find where the adjusted month was divided again, and which lines came out otherwise."""
    about = _adjusted(books, row)
    for each in restatements(viewer, books, posted_in=row.period):
        if each.period == about:
            said = facts(each, "reason", "before", "snapshot") | {"period": str(each.period)}
            yield Step(step="restatement", id=each.id, facts=said)
            yield from _differences(books, each, row)


def _adjusted(books: Books, row: PostingRow) -> Period:
    """Name the month that was put right; where it had posted nothing, the key alone says which."""
    if row.adjusts is None:
        return month_adjusted(row.key) or row.period
    of = schema.transaction_.c
    with reading(books) as connection:
        period = connection.execute(select(of.period).where(of.id == row.adjusts)).scalar_one()
    return Period.parse(period)


def _differences(books: Books, restated: RestatementRow, row: PostingRow) -> Iterator[Step]:
    """List the largest differences between a posting's lines as they were and as they are."""
    before, after = (_lines(books, each, row) for each in (restated.before, restated.snapshot))
    moved = Counter(after)
    moved.subtract(before)
    ranked = sorted(((-abs(n), key) for key, n in moved.items() if n))
    for _, (track, recording, party) in ranked[:SHOWN]:
        key = (track, recording, party)
        amounts = {"before": before[key], "after": after[key], "difference": moved[key]}
        yield Step(
            step="difference",
            id=f"{track or 'unattributed'}/{recording}/{party}",
            facts={
                **{name: str(Money(n, row.amount.currency)) for name, n in amounts.items()},
                "of_differences": len(ranked),
            },
        )


def _lines(books: Books, snapshot: str, row: PostingRow) -> Counter[tuple[str, str, str]]:
    """Sum the lines of one payee, pool and right, by track, recording and party."""
    mine = {"payee": row.payee, "pool": row.pool, "right": row.right}
    table = snapshots.matching(books, snapshot, **{name: [of or ""] for name, of in mine.items()})
    sums: Counter[tuple[str, str, str]] = Counter()
    for each in table.to_pylist():
        sums[each["track"], each["recording"] or "", each["party"] or ""] += each["micros"]
    return sums
