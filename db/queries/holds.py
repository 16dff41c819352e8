"""Holds and disputes: what waits, since when, and what was found."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from db import schema
from db.engine import Books, reading
from db.queries.ledger import posting_row, selected
from db.queries.nouns import noun
from db.queries.viewer import Viewer
from royalty.holds import ENDINGS
from royalty.money import Money
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """What a method says of a disputed track."""

    method: str
    evidence_sha256: str
    summary: str  # as `royalty.disputes.Found` writes it
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


def holds(viewer: Viewer, books: Books) -> list[HoldRow]:
    """List holds and disputes, the earliest first: all, or those of the viewer's own money."""
    with reading(books) as connection:
        return [row for row in _holds(connection) if viewer.sees(row.payee)]


def disputes(viewer: Viewer, books: Books) -> list[HoldRow]:
    """List the holds that contest an attribution, with what was found."""
    return [row for row in holds(viewer, books) if row.kind == "disputed"]


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
