"""A month as it is and had some recordings not been trained on, divided alike. Nothing is written.

An open month is taken as the books have it; a closed one from what it was closed with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from cli.jobs.blending import divide_by
from cli.jobs.counterfactual_error import Measured, evaluations, foretold, measured
from cli.jobs.counterfactual_shares import Reshared, reshared
from cli.jobs.dividing import Division
from cli.jobs.given import Given, given_now, given_then
from cli.jobs.month import Month, credits_of, open_given
from cli.workspace import Workspace
from db import queries, snapshots
from db.engine import Books
from db.queries import EVERYONE
from royalty.counterfactual import Change, Counterfactual, changes, require_others
from royalty.errors import NotFound
from royalty.money import Money
from royalty.period import Period
from royalty.rights import holdings

_WHY = "had it not been trained on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What is imagined not to have been trained on."""

    id: str
    name: str  # a recording's title, or an artist's name
    artist: bool
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """The month beside itself, what that rests on, and how near it is."""

    of: Removed
    found: Counterfactual
    provider: str
    by_evidence: int  # tracks whose evidence was mapped again
    stated: int  # tracks of which only shares are known: their removed part is unattributed
    error: tuple[str, ...]  # sentences
    measured: Measured | None  # the same as numbers, where a bank of retrainings says it


def without(workspace: Workspace, period: Period, what: str) -> Without:
    """Divide a month as if a recording, or all of an artist's, had not been trained on.

    Raises `NotFound` where `what` is neither, `RoyaltyError` where nothing licensed would be left,
    and as dividing the month does.
    """
    books = workspace.books()
    removed = _named(books, what)
    closed = queries.closed_by(EVERYONE, books, period)
    rule = closed or workspace.settings().rule
    month = open_given(books, period, _given(workspace, period, closed))
    known = month.given.rights.recordings
    licensed = known.filter(known["licensed"])["recording"].to_pylist()
    require_others(licensed, removed.recordings)
    actual = divide_by(month, rule)
    shares = reshared(workspace, month, actual.tracks.keys(), removed.recordings)
    imagined = divide_by(_imagined(month, shares, removed.recordings), rule)
    found = _beside(books, actual, imagined, removed.recordings)
    artist, documents = (removed.id if removed.artist else None), evaluations(workspace)
    return Without(
        of=removed,
        found=replace(found, closed=closed is not None),
        provider=month.provider,
        by_evidence=shares.by_evidence,
        stated=shares.stated,
        error=foretold(documents, shares.runs, artist),
        measured=measured(documents, shares.runs, artist),
    )


def _named(books: Books, what: str) -> Removed:
    """Find a recording, or else an artist with all recordings."""
    rows = queries.recordings(EVERYONE, books)
    for row in rows:
        if row.recording.id == what:
            return Removed(id=what, name=row.recording.title, artist=False, recordings=(what,))
    mine = [row for row in rows if row.recording.artist == what]
    if not mine:
        raise NotFound(
            f"'{what}' is neither a recording of the catalogue nor an artist of one; give an id as "
            "'tantieme catalogue show' has it"
        )
    recordings = tuple(row.recording.id for row in mine)
    return Removed(id=what, name=mine[0].artist_name, artist=True, recordings=recordings)


def _given(workspace: Workspace, period: Period, closed: str | None) -> Given:
    books = workspace.books()
    if closed is None:
        return given_now(books, workspace.settings(), period)
    return given_then(books, queries.payout(EVERYONE, books, period, closed))


def _imagined(month: Month, shares: Reshared, removed: Collection[str]) -> Month:
    """Have the same month with other shares, and with what is removed licensed for nothing."""
    rights = replace(
        month.given.rights, recordings=_unlicensed(month.given.rights.recordings, removed)
    )
    held = holdings(rights, month.settings.publishing_ppm, snapshots.run)

    return replace(
        month,
        given=replace(month.given, rights=rights),
        shares=shares.table,
        held=held,
        facts=replace(month.facts, credits=credits_of(shares.table, held)),
    )


def _unlicensed(recordings: pa.Table, removed: Collection[str]) -> pa.Table:
    gone = pc.is_in(recordings["recording"], value_set=pa.array(sorted(removed), pa.string()))
    columns = {
        "licensed": pc.and_(recordings["licensed"], pc.invert(gone)),
        "why": pc.if_else(gone, _WHY, recordings["why"]),
    }
    for name, column in columns.items():
        recordings = recordings.set_column(recordings.column_names.index(name), name, column)
    return recordings


def _beside(
    books: Books, actual: Division, imagined: Division, removed: tuple[str, ...]
) -> Counterfactual:
    names = {party.id: party.name for party in queries.parties(EVERYONE, books)}
    currency, month = actual.currency, actual.month
    return Counterfactual(
        period=month.period,
        rule=actual.rule,
        closed=False,
        removed=removed,
        own=_change("own", _brought(actual, removed), _brought(imagined, removed), currency),
        payees=changes(_payees(actual), _payees(imagined), names, currency),
        others=changes(_others(actual), _others(imagined), _NAMES, currency),
        unattributed=_change(
            "unattributed", _unattributed(actual), _unattributed(imagined), currency
        ),
    )


_NAMES: Mapping[str, str] = {
    "unclaimed": "suspense, unclaimed",
    "unmatched": "suspense, unmatched",
    "platform": "platform, by terms",
}


def _change(name: str, actual: int, imagined: int, currency: str) -> Change:
    return Change(
        id=name, name=name, actual=Money(actual, currency), without=Money(imagined, currency)
    )


def _brought(division: Division, recordings: tuple[str, ...]) -> int:
    known = division.summary.recordings
    return sum(known[each].micros for each in recordings if each in known)


def _payees(division: Division) -> dict[str, int]:
    return {payee: each.micros for payee, each in division.summary.payees.items()}


def _others(division: Division) -> dict[str, int]:
    return {**division.summary.suspense, "platform": division.summary.platform_micros}


def _unattributed(division: Division) -> int:
    return sum(division.summary.unattributed.values())
