"""Hold what somebody is owed, file disputes, and let both go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from cli.jobs.evidence import is_ours
from cli.workspace import Workspace
from db import queries
from db.books.holds import Made, Release, make_hold, release_hold
from db.engine import Books
from db.intake import shares
from db.queries import EVERYONE, HoldRow, Owed, Payout
from royalty.disputes import Found, read_summary
from royalty.errors import NotFound, NotReady, RoyaltyError
from royalty.holds import Ending, Hold, HoldKind, LineId, PostingId, parse_subject
from royalty.money import Money
from royalty.period import Period

EXACT = "ekfac"  # the method that re-scores what is disputed
Outcome = Literal["dismissed", "upheld"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks to be held or released, and why."""

    id: str  # a statement line, a posting, a payee; of a dispute, a line or a track; a hold
    reason: str
    name: str  # of who asks
    micros: int | None = None  # None: all of it
    payee: str | None = None  # whose part of a track


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A dispute in the books, and what it is about."""

    made: Made
    owed: Owed
    track: str
    provider: str  # whose shares the month was paid by


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What was let go; `adjust` names the month that is to be restated, if one is."""

    made: Made
    ending: Ending
    adjust: Period | None


def hold(workspace: Workspace, asked: Asked, *, dry_run: bool = False) -> Made:
    """Hold a statement line, a posting, or what is payable to a payee.

    Raises `RoyaltyError` where there is nothing to hold, or less than is asked.
    """
    books = workspace.books()
    owed = _owed(books, asked)
    if asked.micros == 0:
        raise RoyaltyError(
            f"an amount of 0 holds nothing of {owed.subject}; say how much is to be held, or leave "
            "--amount out to hold all of it"
        )
    wanted = _wanted(books, owed, asked, "held")
    if not wanted.amount.micros:
        raise RoyaltyError(f"nothing of {owed.subject} is payable, so there is nothing to hold")
    return make_hold(books, wanted, name=asked.name, dry_run=dry_run)


def dispute(workspace: Workspace, asked: Asked, *, dry_run: bool = False) -> Filed:
    """Hold what a payee earned by a track whose attribution is contested, or find it held.

    Nothing is held where nothing was earned. Raises `RoyaltyError` for money that no track earned.
    """
    books = workspace.books()
    owed = _contested(books, asked)
    track = owed.track or asked.id
    assert owed.period is not None
    wanted = _wanted(books, owed, asked, "disputed", track=track)
    return Filed(
        made=make_hold(books, wanted, name=asked.name, dry_run=dry_run),
        owed=owed,
        track=track,
        provider=_closed_by(books, owed.period).provider,
    )


def why_not(filed: Filed) -> str:
    """Say why a track cannot be scored again here; nothing where it can."""
    if is_ours(filed.provider):
        return ""
    return (
        f"{filed.track} was paid by the shares of {filed.provider}, which were imported, so it "
        "cannot be scored again here; ask them, and import what they answer with "
        "'tantieme shares import --correct'"
    )


def is_exact(method: str) -> bool:
    """Tell whether a method, named with its version, is the exact one."""
    return method.startswith(f"{EXACT}-")


def disputed_recordings(books: Books, filed: Filed) -> list[str]:
    """Name what a dispute is about: the recordings of its lines, else the payee's own artists'."""
    if filed.owed.recordings:
        return [*filed.owed.recordings]
    payee = {party.id: party.payee for party in queries.parties(EVERYONE, books)}
    return [
        row.recording.id
        for row in queries.recordings(EVERYONE, books)
        if payee[row.recording.artist] == filed.owed.payee
    ]


def release(
    workspace: Workspace, asked: Asked, outcome: Outcome | None, *, dry_run: bool = False
) -> Released:
    """Let a hold or a dispute go, by its id: the money is payable again, to the micro.

    A dispute that is upheld first makes the exact shares the provider's, by which the month can be
    restated. Raises `NotReady` where it was not re-scored, `NotFound` where there is no such hold.
    """
    books = workspace.books()
    row = _row(books, asked.id)
    if outcome and row.kind != "disputed":
        raise RoyaltyError(f"{asked.id} is no dispute; release it without --{outcome}")
    standing = row.released_at is None
    ending: Ending = (outcome or "dismissed") if row.kind == "disputed" else "released"
    if standing and ending == "upheld":
        _correct(books, row, asked.name, dry_run=dry_run)
    why = f"{_SAID[ending]} ({row.subject}): {asked.reason}"
    wanted = Release(name=asked.name, why=why, ending=ending)
    made = release_hold(books, asked.id, wanted, dry_run=dry_run)
    known = ending if standing else _ending(row)
    month = Period.parse(row.subject[:7]) if known == "upheld" else None
    return Released(made=made, ending=known, adjust=month)


_SAID = {"released": "released", "dismissed": "dispute dismissed", "upheld": "dispute upheld"}


def _owed(books: Books, asked: Asked) -> Owed:
    subject = _subject(asked.id)
    if isinstance(subject, LineId):
        return queries.owed_by_line(EVERYONE, books, subject)
    if isinstance(subject, PostingId):
        return queries.owed_by_posting(EVERYONE, books, subject)
    return queries.owed_to_payee(EVERYONE, books, subject)


def _subject(text: str) -> LineId | PostingId | str:
    try:
        return parse_subject(text)
    except ValueError as fault:
        raise NotFound(str(fault)) from None


def _contested(books: Books, asked: Asked) -> Owed:
    if asked.payee is not None:
        owed = queries.owed_for_track(EVERYONE, books, asked.payee, asked.id)
        _require_track(books, owed, asked.id)
        return owed
    if not isinstance(_subject(asked.id), LineId):
        raise NotFound(
            f"'{asked.id}' is no statement line, such as 2026-10/ann/1; of a track, say whose part "
            "is disputed with --payee"
        )
    owed = _owed(books, asked)
    if owed.track is None:
        raise RoyaltyError(
            f"{asked.id} is of no track, so nothing was attributed in it; dispute a line of a "
            "track, or 'tantieme hold' it"
        )
    return owed


def _require_track(books: Books, owed: Owed, track: str) -> None:
    """Refuse a track that nobody knows: neither was it made here, nor played in the month."""
    known = {row.id for row in queries.tracks(EVERYONE, books)}
    if owed.lines or track in known:
        return
    assert owed.period is not None
    if track not in {each.id for each in _closed_by(books, owed.period).tracks}:
        raise NotFound(f"there is no track '{track}' that was made here or played in {owed.period}")


def _wanted(
    books: Books, owed: Owed, asked: Asked, kind: HoldKind, *, track: str | None = None
) -> Hold:
    """Say what is to be held: what is asked, or what is held already, or all of it."""
    there = next((row for row in _standing(books) if row.subject == owed.subject), None)
    amount = owed.amount
    if asked.micros is not None:
        amount = Money(asked.micros, owed.amount.currency)
    elif there is not None:
        amount = there.amount or Money(0, owed.amount.currency)
    whole = owed.amount.micros if owed.subject != owed.payee else amount.micros
    if there is None and amount.micros > whole:
        raise RoyaltyError(
            f"{amount} is more than {owed.subject} comes to, which is {owed.amount}; hold less"
        )
    [recording] = owed.recordings if len(owed.recordings) == 1 else [None]
    return Hold(
        kind=kind,
        subject=owed.subject,
        payee=owed.payee,
        amount=amount,
        reason=asked.reason,
        track=track or owed.track,
        recording=recording,
    )


def _standing(books: Books) -> list[HoldRow]:
    return [row for row in queries.holds(EVERYONE, books) if row.released_at is None]


def _row(books: Books, id_: str) -> HoldRow:
    for row in queries.holds(EVERYONE, books):
        if row.id == id_:
            return row
    raise NotFound(f"there is no hold '{id_}'; 'tantieme hold --list' names them")


def _ending(row: HoldRow) -> Ending:
    assert row.ending in _SAID
    return row.ending  # type: ignore[return-value]  # what acts that end a hold are called


def _closed_by(books: Books, period: Period) -> Payout:
    """Read what a closed month was paid by."""
    rule = queries.closed_by(EVERYONE, books, period)
    return queries.payout(EVERYONE, books, period, str(rule))


def _correct(books: Books, row: HoldRow, name: str, *, dry_run: bool) -> None:
    """Make what the exact method found the shares of the provider that the month was paid by."""
    exact = _exact(row)
    provider = _closed_by(books, Period.parse(row.subject[:7])).provider
    rows = [
        {
            "track": row.track,
            "recording": each.recording,
            "share_ppb": each.ppb,
            "low_ppb": each.low_ppb,
            "high_ppb": each.high_ppb,
            "provider": provider,
        }
        for each in exact.shares
    ]
    given = pa.Table.from_pylist(rows)
    shares.record(books, given, correct=True, name=name, dry_run=dry_run)


def _exact(row: HoldRow) -> Found:
    """Read what the exact method found of a disputed track."""
    for each in row.findings:
        if is_exact(each.method):
            return read_summary(each.summary)
    raise NotReady(
        f"{row.track} was not re-scored, so there are no exact shares to uphold; run "
        f"'tantieme dispute' again, or import corrected shares and dismiss {row.id}"
    )
