"""Approval: a payout that one prepared and another looked at, before it is posted for good.

What is prepared and approved is a content, by its hash: a payout that comes out differently when it
is computed anew has to be approved anew, and so has one after which agreements or adjustments were
recorded, since closing settles by them. Names are as given; two that differ in capitals are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from sqlalchemy import Connection, Row, func, select

from db import schema
from db.books.acts import Act, ActName, record_act
from db.engine import Books, writing
from royalty.errors import NotReady, PeriodClosed
from royalty.period import Period
from royalty.restatement import ADJUSTMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What was approved, and who had prepared it."""

    already: bool  # by the same person before; nothing changed
    content_sha256: str
    prepared_by: tuple[str, ...]


def prepare(books: Books, period: Period, rule: str, name: str) -> bool:
    """Record who computed a payout first that came out as it stands; say whether it was this one.

    Who computes it again, with the same result, only looks at it. Raises `NotReady` where there is
    no such payout.
    """
    with writing(books) as connection:
        content = _content(connection, period, rule)
        if _by(connection, "prepared", period, rule, content):
            return False
        record_act(connection, _act(name, "prepared", period, rule, content))
    return True


def approve(  # noqa: PLR0913  what is approved, as what, and by whom
    books: Books,
    period: Period,
    rule: str,
    name: str,
    *,
    looked_at: str | None = None,
    dry_run: bool = False,
) -> Approval:
    """Record that someone approves a payout as it stands.

    Raises `PeriodClosed`, and `NotReady` where there is no such payout, where its content is not
    that of the one `looked_at`, nobody is on record as having prepared it, or the same person did.
    """
    with writing(books, dry_run=dry_run) as connection:
        _require_open(connection, period)
        content = _content(connection, period, rule)
        if looked_at not in (None, content):
            raise NotReady(f"{period} by {rule} was computed anew meanwhile; look at it again")
        prepared = _by(connection, "prepared", period, rule, content)
        _require_another(period, rule, name, prepared)
        already = _key(name) in map(_key, _approved(connection, period, rule, content))
        if not already:
            record_act(connection, _act(name, "approved", period, rule, content))
    return Approval(already=already, content_sha256=content, prepared_by=prepared)


def require_approved(connection: Connection, period: Period, rule: str, name: str) -> None:
    """Refuse to let someone close with a payout that nobody else approved as it stands.

    Raises `NotReady`, with whose approval does not count and why.
    """
    content = _content(connection, period, rule)
    prepared = _by(connection, "prepared", period, rule, content)
    approved = _approved(connection, period, rule, content)
    concerned = {_key(each) for each in (*prepared, name)}
    if not {_key(each) for each in approved} - concerned:
        why = _why_not(_acts(connection, "approved", period, rule), approved, content)
        others = _listed([*dict.fromkeys((*prepared, *filter(None, [name])))])
        but = f" other than {others}" if others else ""
        raise NotReady(
            f"{period} by {rule} {why}; someone{but} looks at it and runs"
            f" 'tantieme approve {period}{_option(rule)} --as NAME'"
        )


def _why_not(acts: list[Row[Any]], approved: tuple[str, ...], content: str) -> str:
    """Say why what was approved does not let it be closed, as a clause."""
    if approved:
        return f"is approved by {_listed(approved)} only, who closes it"
    if before := [row.name for row in acts if row.content_sha256 == content]:
        earlier = _listed(list(dict.fromkeys(before)))
        return f"was approved by {earlier} before agreements or adjustments were recorded"
    if acts:
        earlier = _listed(list(dict.fromkeys(row.name for row in acts)))
        return f"was computed anew since {earlier} approved it, with another result"
    return "is not approved"


def _require_another(period: Period, rule: str, name: str, prepared: tuple[str, ...]) -> None:
    if not prepared:
        raise NotReady(
            f"nobody is on record as having prepared {period} by {rule}; run"
            f" 'tantieme payouts {period}{_option(rule)} --as NAME' first"
        )
    if _key(name) in map(_key, prepared):
        raise NotReady(
            f"{name} prepared {period} by {rule} and cannot approve it, too; someone else runs"
            f" 'tantieme approve {period}{_option(rule)} --as NAME'"
        )


def _require_open(connection: Connection, period: Period) -> None:
    month = select(schema.period).where(schema.period.c.id == str(period))
    row = connection.execute(month).one_or_none()
    if row is not None and row.status == "closed":
        raise PeriodClosed(
            f"period {period} is closed, with {row.rule}; nothing is left to approve"
        )


def _content(connection: Connection, period: Period, rule: str) -> str:
    """Read the hash of a payout's content. Raises `NotReady` where it is not computed."""
    head = schema.payout.c
    wanted = select(head.content_sha256).where(head.period == str(period), head.rule == rule)
    content = connection.scalar(wanted)
    if content is None:
        raise NotReady(
            f"period {period} is not computed with {rule};"
            f" run 'tantieme payouts {period}{_option(rule)}' first"
        )
    return str(content)


def _by(
    connection: Connection, act: str, period: Period, rule: str, content: str
) -> tuple[str, ...]:
    """Name who did this to a payout of this content, the first to do it first."""
    acts = _acts(connection, act, period, rule)
    return tuple(dict.fromkeys(row.name for row in acts if row.content_sha256 == content))


def _approved(connection: Connection, period: Period, rule: str, content: str) -> tuple[str, ...]:
    """Name whose approval of a payout of this content stands."""
    since = _last_change(connection, period)
    acts = _acts(connection, "approved", period, rule)
    standing = (row for row in acts if row.content_sha256 == content and row.recorded_at > since)
    return tuple(dict.fromkeys(row.name for row in standing))


def _last_change(connection: Connection, period: Period) -> str:
    """Say when something was recorded last that closing settles by: agreements, adjustments."""
    agreed, of = schema.terms.c, schema.transaction_.c
    adjusted = (of.period == str(period)) & (of.kind == ADJUSTMENT)
    moments = [
        connection.scalar(select(func.max(agreed.recorded_at))),
        connection.scalar(select(func.max(agreed.recorded_to))),
        connection.scalar(select(func.max(of.recorded_at)).where(adjusted)),
    ]
    return max(filter(None, moments), default="")


def _acts(connection: Connection, act: str, period: Period, rule: str) -> list[Row[Any]]:
    done = schema.act.c
    mine = select(done.name, done.content_sha256, done.recorded_at).where(
        done.act == act, done.period == str(period), done.subject == rule
    )
    return list(connection.execute(mine.order_by(done.id)))


def _act(name: str, act: ActName, period: Period, rule: str, content: str) -> Act:
    return Act(name=name, act=act, period=period, subject=rule, content_sha256=content)


def _key(name: str) -> str:
    """Reduce a name to what tells people apart."""
    return " ".join(normalize("NFKC", name).split()).casefold()


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return " and ".join(names)


def _option(rule: str) -> str:
    return f" --rule {rule.replace('_', '-')}"
