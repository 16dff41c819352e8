"""Holds: money that waits, its release, and what attribution says of what is disputed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from db import schema
from db.books.acts import Act, ActName, record_act
from db.books.ledger import post_within
from db.books.periods import open_period
from db.engine import Books, now, today, writing
from db.queries.accounts import not_reversed
from royalty.errors import Conflict, NotFound
from royalty.holds import (
    ENDINGS,
    Available,
    Ending,
    Hold,
    hold_id,
    hold_transaction,
    release_transaction,
    require_payable,
)
from royalty.ledger import payable
from royalty.money import Money
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A hold that was made, or was there; or one that was released, or had been."""

    id: str
    amount: Money
    period: Period | None  # in which it was posted; None where nothing was
    already: bool  # nothing changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Who lets an amount go, and why: in the words of statements."""

    name: str
    why: str
    ending: Ending = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a method says of a disputed track."""

    method: str  # with its version
    evidence_sha256: str
    summary: str  # the shares found, as canonical JSON


def make_hold(books: Books, wanted: Hold, *, name: str, dry_run: bool = False) -> Made:
    """Take an amount off what is payable, in the open period, and say why.

    What is held for the same reason already stays as it is. Raises `Conflict` where the same thing
    is held otherwise, `RoyaltyError` where more is asked than is payable, `NotReady` where no month
    is closed.
    """
    with writing(books, dry_run=dry_run) as connection:
        standing = _standing_hold(connection, wanted.subject)
        if standing is not None:
            return _same(connection, standing, wanted)
        period = open_period(connection)
        require_payable(wanted, available_to(connection, wanted.payee, wanted.amount.currency))
        id_ = hold_id(wanted.subject, set(connection.scalars(select(schema.hold.c.id))))
        connection.execute(schema.hold.insert(), _row(id_, wanted, name))
        if wanted.amount.micros:
            day = period.nearest(today())
            post_within(connection, [hold_transaction(id_, wanted, period, day)])
        record_act(connection, _act(name, wanted.kind, period, id_, wanted.reason))
    posted = period if wanted.amount.micros else None
    return Made(id=id_, amount=wanted.amount, period=posted, already=False)


def release_hold(books: Books, id_: str, release: Release, *, dry_run: bool = False) -> Made:
    """Give back what was held, to the micro, in the open period; once released, nothing changes.

    Raises `NotFound` where there is no such hold.
    """
    with writing(books, dry_run=dry_run) as connection:
        _hold(connection, id_)
        amount = _amount(connection, id_, _currency(connection))
        if _is_released(connection, id_):
            return Made(id=id_, amount=amount, period=None, already=True)
        period = open_period(connection)
        held = not_reversed(connection, schema.transaction_.c.key == id_)
        day = period.nearest(today())
        post_within(
            connection, [release_transaction(each, release.why, period, day) for each in held]
        )
        act = _act(release.name, release.ending, period, id_, release.why)
        record_act(connection, act)
    return Made(id=id_, amount=amount, period=period if held else None, already=False)


def record_findings(books: Books, id_: str, findings: Sequence[Finding]) -> None:
    """Keep what methods say of what a hold disputes; what was found by a method before stays.

    Raises `NotFound` where there is no such hold.
    """
    with writing(books) as connection:
        _hold(connection, id_)
        of = schema.hold_finding.c
        known = set(connection.scalars(select(of.method).where(of.hold == id_)))
        for each in findings:
            if each.method not in known:
                connection.execute(schema.hold_finding.insert(), _finding(id_, each))


def available_to(connection: Connection, payee: str, currency: str) -> Available:
    """Say what of a payee's money is payable, and what was paid or waits already."""
    posted, of = schema.posting.c, schema.transaction_
    undone = of.alias("undone")
    kind = func.coalesce(undone.c.kind, of.c.kind)
    sums = (
        select(kind, func.sum(posted.amount_micros))
        .join(of, of.c.id == posted.transaction_id)
        .outerjoin(undone, undone.c.id == of.c.reverses)
        .where(posted.account == payable(payee), posted.currency == currency)
        .group_by(kind)
    )
    of_kind = {name: int(micros) for name, micros in connection.execute(sums)}
    return Available(
        payable=Money(-sum(of_kind.values()), currency),
        paid=Money(of_kind.get("payment", 0), currency),
        waiting=Money(of_kind.get("hold", 0), currency),
    )


def _same(connection: Connection, there: Row[Any], wanted: Hold) -> Made:
    """Find that what is wanted is there; raise `Conflict` where it is there otherwise."""
    amount = _amount(connection, there.id, wanted.amount.currency)
    if there.kind != wanted.kind or amount != wanted.amount:
        raise Conflict(
            f"{wanted.subject} is {there.kind} already, {amount} of it, by {there.id} "
            f"({there.reason}); run 'tantieme release {there.id}' first to hold it otherwise"
        )
    return Made(id=there.id, amount=amount, period=None, already=True)


def _standing_hold(connection: Connection, subject: str) -> Row[Any] | None:
    """Find the hold of a subject that is not released."""
    rows = connection.execute(select(schema.hold).where(schema.hold.c.subject == subject))
    return next((row for row in rows if not _is_released(connection, row.id)), None)


def _is_released(connection: Connection, id_: str) -> bool:
    said = schema.act.c
    ended = select(said.id).where(said.subject == id_, said.act.in_(ENDINGS)).limit(1)
    return connection.scalar(ended) is not None


def _hold(connection: Connection, id_: str) -> Row[Any]:
    row = connection.execute(select(schema.hold).where(schema.hold.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound(f"there is no hold '{id_}'; 'tantieme hold --list' names them")
    return row


def _amount(connection: Connection, id_: str, currency: str) -> Money:
    """Read what a hold took off what is payable: nothing of `currency`, where it posted nothing."""
    posted, of = schema.posting.c, schema.transaction_.c
    mine = select(posted.amount_micros, posted.currency).where(of.key == id_, posted.line == 1)
    joined = mine.join(schema.transaction_, of.id == posted.transaction_id)
    row = connection.execute(joined).one_or_none()
    return Money(0, currency) if row is None else Money(*row)


def _currency(connection: Connection) -> str:
    """Name the currency of the books: that of the last closed month; before that, nothing waits."""
    month, paid = schema.period.c, schema.payout.c
    joined = select(paid.currency).join(schema.period, month.payout == paid.id)
    closed = joined.where(month.status == "closed").order_by(month.id.desc()).limit(1)
    return str(connection.execute(closed).scalar_one())


def _row(id_: str, wanted: Hold, name: str) -> dict[str, object]:
    said = ("kind", "subject", "payee", "track", "recording", "reason")
    row: dict[str, object] = {key: getattr(wanted, key) for key in said}
    return row | {"id": id_, "opened_by": name, "recorded_at": now()}


def _finding(id_: str, found: Finding) -> dict[str, object]:
    return {
        "hold": id_,
        "method": found.method,
        "evidence_sha256": found.evidence_sha256,
        "summary": found.summary,
        "recorded_at": now(),
    }


def _act(name: str, act: ActName, period: Period, subject: str, note: str) -> Act:
    return Act(name=name, act=act, period=period, subject=subject, note=note)
