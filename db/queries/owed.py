"""What a statement line, a posting, a payee's account or a payee's part of a track comes to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from db import schema
from db.engine import Books, reading
from db.queries.ledger import posting
from db.queries.months import closed_periods
from db.queries.statements import statement
from db.queries.viewer import Viewer
from royalty.errors import NotFound, RoyaltyError
from royalty.holds import LineId, PostingId, track_subject
from royalty.ledger import payable, payee_of
from royalty.money import Money, total
from royalty.period import Period
from royalty.statement import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What somebody is owed for one thing, such as a line or a track in a month."""

    subject: str
    payee: str
    amount: Money
    period: Period | None = None  # whose statement it is on, where it is of one
    lines: tuple[Line, ...] = ()  # of that statement

    @property
    def track(self) -> str | None:
        """The track it is of, if it is of one."""
        tracks = {line.track for line in self.lines if line.track}
        return tracks.pop() if len(tracks) == 1 else None

    @property
    def recordings(self) -> tuple[str, ...]:
        """The recordings it is of, in order of their ids."""
        return tuple(sorted({line.recording for line in self.lines if line.recording}))


def owed_by_line(viewer: Viewer, books: Books, line: LineId) -> Owed:
    """Find a statement line. Raises `PeriodNotClosed` and `NotFound`."""
    owed = statement(viewer, books, line.payee, line.period)
    if not 1 <= line.number <= len(owed.lines):
        raise NotFound(
            f"statement {owed.id} has {len(owed.lines)} lines, and no line {line.number};"
            f" 'tantieme statement {line.payee} {line.period}' numbers them"
        )
    found = owed.lines[line.number - 1]
    return Owed(
        subject=found.id,
        payee=line.payee,
        amount=found.net,
        period=line.period,
        lines=(found,),
    )


def owed_by_posting(viewer: Viewer, books: Books, id_: PostingId) -> Owed:
    """Find what a posting gave to a payee. Raises `NotFound`, or `RoyaltyError` where it took."""
    row = posting(viewer, books, id_)
    payee = payee_of(row.account)
    if payee is None or row.amount.micros >= 0:
        raise RoyaltyError(
            f"posting {row.id}, {row.amount} on {row.account}, gives no payee anything; "
            "hold a posting that credits a payable account"
        )
    return Owed(subject=row.id, payee=payee, amount=-row.amount)


def owed_to_payee(viewer: Viewer, books: Books, payee: str) -> Owed:
    """Find all that is payable to a payee, in the one currency in which anything is.

    Raises `NotFound` for nobody's name, `RoyaltyError` where there are several currencies.
    """
    viewer.require(payee)
    posted, named = schema.posting.c, schema.party.c
    sums = select(posted.currency, func.sum(posted.amount_micros)).group_by(posted.currency)
    with reading(books) as connection:
        if connection.scalar(select(named.id).where(named.id == payee)) is None:
            raise NotFound(
                f"'{payee}' is no payee; give a payee, a statement line such as 2026-10/ann/1, "
                "or a posting such as 12.3"
            )
        found = connection.execute(sums.where(posted.account == payable(payee))).all()
    owed = [Money(-int(micros), currency) for currency, micros in found if micros]
    if len(owed) > 1:
        amounts = " and ".join(map(str, owed))
        raise RoyaltyError(f"{payee} is owed {amounts}; hold a line or a posting, of one currency")
    known = next((currency for currency, _ in found), "")
    return Owed(subject=payee, payee=payee, amount=owed[0] if owed else Money(0, known))


def owed_for_track(viewer: Viewer, books: Books, payee: str, track: str) -> Owed:
    """Find what a payee earned by a track in the latest closed month that it earned in.

    Nothing of the last closed month, where it earned in none: that may be what is contested.
    Raises `NotFound` for nobody's name, and where no month is closed.
    """
    latest: Owed | None = None
    for period in reversed(closed_periods(viewer, books)):
        owed = _of_track(viewer, books, period, (payee, track))
        if owed.lines:
            return owed
        latest = latest or owed
    if latest is None:
        raise NotFound("no month is closed yet; run 'tantieme close PERIOD' first")
    return latest


def _of_track(viewer: Viewer, books: Books, period: Period, of: tuple[str, str]) -> Owed:
    payee, track = of
    owed = statement(viewer, books, payee, period)
    lines = tuple(line for line in owed.lines if line.track == track)
    return Owed(
        subject=track_subject(period, payee, track),
        payee=payee,
        amount=total((line.net for line in lines), owed.currency),
        period=period,
        lines=lines,
    )
