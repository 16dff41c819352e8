"""Holds and disputes, and what a statement line, a posting or a track's part comes to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from db import schema
from db.engine import Books, reading
from db.queries.ledger import PostingRow, may_see, posting_row, selected
from db.queries.months import periods
from db.queries.nouns import noun
from db.queries.statements import statement
from db.queries.viewer import Viewer
from royalty.errors import NotFound, RoyaltyError
from royalty.holds import ENDINGS, LineId, PostingId, track_subject
from royalty.ledger import payable, payee_of
from royalty.money import Money, total
from royalty.period import Period
from royalty.statement import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """What a method says of a disputed track."""

    method: str
    evidence_sha256: str
    summary: str  # canonical JSON, of `cli.jobs.disputing`
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """A hold: what waits, since when, why, and how it ended."""

    id: str
    kind: str  # held | disputed
    subject: str
    payee: str
    payee_name: str
    track: str | None
    recording: str | None
    reason: str
    opened_by: str
    recorded_at: str
    amount: Money | None  # None: a dispute for which nothing is held
    period: Period | None  # in which that was posted
    released_at: str | None
    ending: str | None  # released | dismissed | upheld
    findings: tuple[FindingRow, ...]

    @property
    def state(self) -> str:
        """Whether the money still waits: held or released."""
        return "held" if self.released_at is None else "released"

    def age_days(self, today: date) -> int:
        """Count the days it waited: up to its release, or until today."""
        end = date.fromisoformat(self.released_at[:10]) if self.released_at else today
        return (end - date.fromisoformat(self.recorded_at[:10])).days


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


def holds(viewer: Viewer, books: Books) -> list[HoldRow]:
    """List holds and disputes, the earliest first: all, or those of the viewer's own money."""
    with reading(books) as connection:
        return [row for row in _holds(connection) if viewer.sees(row.payee)]


def disputes(viewer: Viewer, books: Books) -> list[HoldRow]:
    """List the holds that contest an attribution, with what was found."""
    return [row for row in holds(viewer, books) if row.kind == "disputed"]


def owed_by_line(viewer: Viewer, books: Books, line: LineId) -> Owed:
    """Find a statement line. Raises `PeriodNotClosed` and `NotFound`."""
    owed = statement(viewer, books, line.payee, line.period)
    if not 1 <= line.number <= len(owed.lines):
        raise NotFound(
            f"statement {owed.id} has {len(owed.lines)} lines, and no line {line.number}"
        )
    found = owed.lines[line.number - 1]
    return Owed(
        subject=found.id,
        payee=line.payee,
        amount=found.net,
        period=line.period,
        lines=(found,),
    )


def owed_by_posting(viewer: Viewer, books: Books, posting: PostingId) -> Owed:
    """Find what a posting gave to a payee. Raises `NotFound`, or `RoyaltyError` where it took."""
    row = _posting(viewer, books, posting)
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
    Raises `PeriodNotClosed` where no month is closed.
    """
    closed = [row.period for row in periods(viewer, books) if row.status == "closed"]
    latest: Owed | None = None
    for period in reversed(closed):
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


def _posting(viewer: Viewer, books: Books, wanted: PostingId) -> PostingRow:
    posted = schema.posting.c
    this = (posted.transaction_id == wanted.transaction) & (posted.line == wanted.line)
    with reading(books) as connection:
        row = connection.execute(selected().where(this)).one_or_none()
    if row is None or not may_see(viewer, posting_row(row)):
        name = f"{wanted.transaction}.{wanted.line}"
        raise NotFound(f"there is no posting {name} that {viewer.name} may see")
    return posting_row(row)


def _holds(connection: Connection) -> list[HoldRow]:
    wanted = (
        select(schema.hold, schema.party.c.name.label("payee_name"))
        .join(schema.party, schema.party.c.id == schema.hold.c.payee)
        .order_by(schema.hold.c.recorded_at, schema.hold.c.id)
    )
    posted, endings, found = _posted(connection), _endings(connection), _findings(connection)
    return [
        noun(
            HoldRow,
            row,
            amount=posted[row.id][0] if row.id in posted else None,
            period=posted[row.id][1] if row.id in posted else None,
            released_at=endings.get(row.id, (None, None))[0],
            ending=endings.get(row.id, (None, None))[1],
            findings=tuple(found[row.id]),
        )
        for row in connection.execute(wanted)
    ]


def _posted(connection: Connection) -> dict[str, tuple[Money, Period]]:
    """Read what holds took off payable accounts, and in which month, by their ids."""
    holding = selected().where(schema.transaction_.c.kind == "hold", schema.posting.c.line == 1)
    rows = map(posting_row, connection.execute(holding))
    return {row.key: (row.amount, row.period) for row in rows}


def _endings(connection: Connection) -> dict[str, tuple[str, str]]:
    """Read when holds ended, and how, by their ids."""
    said = schema.act.c
    acts = select(said.subject, said.recorded_at, said.act).where(said.act.in_(ENDINGS))
    return {subject: (at, act) for subject, at, act in connection.execute(acts)}


def _findings(connection: Connection) -> defaultdict[str, list[FindingRow]]:
    of = schema.hold_finding
    found: defaultdict[str, list[FindingRow]] = defaultdict(list)
    for row in connection.execute(select(of).order_by(of.c.hold, of.c.recorded_at, of.c.method)):
        found[row.hold].append(noun(FindingRow, row))
    return found
