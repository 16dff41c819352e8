"""What the pages read: the books through `db.queries`, and files of the workspace.

Streamlit's cache is shared by everybody who looks, so each cached read takes the viewer first
and the workspace second; the query itself filters by the viewer. What was read is kept for as long
as nothing is written to the books. The engine is cached, and never a connection. Nothing here
writes.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import streamlit as st

from db import queries
from db.queries import (
    LARGEST,
    AccountMonth,
    AccountTotal,
    Band,
    Books,
    Difference,
    Earnings,
    Flow,
    Gains,
    Inputs,
    Listener,
    PayeeAmount,
    PayeesPage,
    Payout,
    PeriodRow,
    PostingRow,
    RecordingRow,
    RecordingsPage,
    Sought,
    TrackDetail,
    TracksPage,
    Trail,
    Used,
    Viewer,
    Window,
)
from royalty.audit import Conservation
from royalty.catalogue import Use
from royalty.concentration import Concentration
from royalty.errors import NotReady
from royalty.period import Period
from royalty.statement import Statement

KEPT = 256  # results kept for each read
STATEMENTS = 32  # of which one may have 10^5 lines


@dataclass(frozen=True, slots=True)
class Place:
    """Where the workspace lies, which database holds its books (None: the workspace's own).

    And how those stand: what was read of them is kept until something is written to them.
    """

    home: str
    database: str | None
    stand: str = ""

    def command(self, words: str) -> str:
        """Write a command that works from any folder."""
        return f"tantieme --home {shlex.quote(self.home)} {words}"

    def file(self, *parts: str) -> Path:
        """Return the path of a file of the workspace, which may not exist."""
        return Path(self.home, *parts)


def place() -> Place:
    """Return the workspace that the environment names.

    Raises `NotReady` where there is none, instead of making an empty one.
    """
    home = os.environ.get("TANTIEME_HOME", "tantieme-home")
    found = Place(str(Path(home).resolve()), os.environ.get("TANTIEME_DATABASE_URL") or None)
    if not found.file("workspace.toml").exists():
        raise NotReady(f"no workspace stands at {home}; run 'tantieme demo' or 'tantieme init'")
    return replace(found, stand=queries.stand(books(found)))


def books(where: Place) -> Books:
    """Open the books once for everybody; each query takes a connection of its own."""
    return _books(where.home, where.database)


@st.cache_resource(show_spinner=False)
def _books(home: str, database: str | None) -> Books:
    return queries.open_books(database, Path(home))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def periods(viewer: Viewer, where: Place) -> list[PeriodRow]:
    """Read the months that there is money of, the latest first.

    A month that only follows a closed one is open to be posted to, and has nothing to show yet.
    """
    rows = [row for row in queries.periods(viewer, books(where)) if row.revenue or row.computed]
    return sorted(rows, key=lambda row: row.period, reverse=True)


def standing(viewer: Viewer, where: Place, period: Period) -> PeriodRow:
    """Read how one of those months stands: what is computed, and what closed it."""
    return next(row for row in periods(viewer, where) if row.period == period)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def payout(viewer: Viewer, where: Place, period: Period, rule: str) -> Payout:
    """Read what a month pays under one rule."""
    return queries.payout(viewer, books(where), period, rule)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def stale(viewer: Viewer, where: Place, period: Period) -> frozenset[str]:
    """Read which rules' payouts of a month are older than what came in for it."""
    return queries.stale(viewer, books(where), period)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def differences(
    viewer: Viewer, where: Place, snapshots: tuple[str, str], _payouts: tuple[Payout, Payout]
) -> tuple[Difference, ...]:
    """Read what the second payout gives each payee beyond the first.

    `snapshots` name their allocations, which never change: this is kept while there is room.
    """
    assert snapshots == tuple(each.snapshot for each in _payouts)
    return queries.differences(viewer, books(where), *_payouts)


@st.cache_resource(max_entries=STATEMENTS, show_spinner=False)
def statement(viewer: Viewer, where: Place, payee: str, period: Period) -> Statement:
    """Read one payee's statement of a closed month. It is frozen, so it is shared uncopied."""
    return queries.statement(viewer, books(where), payee, period)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def stated(viewer: Viewer, where: Place, period: Period) -> dict[str, str]:
    """Read who has a statement of a closed month: names by id."""
    return queries.stated(viewer, books(where), period)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def track(viewer: Viewer, where: Place, track_id: str) -> TrackDetail:
    """Read one track with the shares of it."""
    return queries.track(viewer, books(where), track_id)


def evidence(where: Place, track_id: str) -> dict[str, Any] | None:
    """Read what attribution found about a track, or None before it has run."""
    return _document(where.file("evidence", f"{track_id}.json"))


def provenance(where: Place, track_id: str) -> dict[str, Any]:
    """Read how a track was generated; empty for a track that came from elsewhere."""
    return _document(where.file("tracks", f"{track_id}.json")) or {}


def evaluations(where: Place) -> list[dict[str, Any]]:
    """Read what `tantieme evaluate` found, the latest first."""
    found = [_document(path) for path in sorted(where.file("evaluation").glob("*.json"))]
    return sorted(filter(None, found), key=lambda each: str(each["made_at"]), reverse=True)


def audio(where: Place, audio_sha256: str | None) -> Path | None:
    """Return the rendered sound of a track or recording, or None where it was not rendered."""
    path = where.file("audio", f"{audio_sha256}.wav")
    return path if path.exists() else None


def _document(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


# --- pages of music


@st.cache_data(max_entries=KEPT, show_spinner=False)
def earnings(
    viewer: Viewer, where: Place, period: Period, rule: str, window: Window = LARGEST
) -> Earnings:
    """Read the totals of a month under one rule, and the largest of what it pays."""
    return queries.earnings(viewer, books(where), period, rule, window)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def gains(viewer: Viewer, where: Place, payouts: tuple[str, str], currency: str) -> Gains:
    """Read what the second payout, named by its id, gives payees beyond the first."""
    return queries.gains(viewer, books(where), payouts, currency)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def bands(
    viewer: Viewer, where: Place, payouts: tuple[str, str], currency: str
) -> tuple[Band, ...]:
    """Read what the second payout changes, by bands of what the first pays."""
    return queries.bands(viewer, books(where), payouts, currency)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def ranked(
    viewer: Viewer, where: Place, weights: tuple[tuple[str, int], ...], window: Window
) -> list[str]:
    """Read for whom a weighed sum of payouts, named by their ids, is largest."""
    return queries.ranked(viewer, books(where), dict(weights), window)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def paid_to(
    viewer: Viewer, where: Place, payouts: tuple[str, ...], currency: str, payees: tuple[str, ...]
) -> dict[str, dict[str, PayeeAmount]]:
    """Read what payouts, named by their ids, give some payees: by payout and payee."""
    return queries.paid_to(viewer, books(where), dict.fromkeys(payouts, currency), payees)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def differences_of(
    viewer: Viewer,
    where: Place,
    payees: tuple[str, ...],
    _two: tuple[Earnings, Earnings],
    *snapshots: str,
) -> tuple[Difference, ...]:
    """Read what the second payout gives these payees beyond the first, as `differences` does."""
    assert snapshots == tuple(each.snapshot for each in _two)
    return queries.differences_of(viewer, books(where), _two, payees)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def flows(viewer: Viewer, where: Place, snapshot: str, _earned: Earnings) -> tuple[Flow, ...]:
    """Read which recordings brought which payees their money.

    `snapshot` names the allocations, which never change: this is kept while there is room.
    """
    assert snapshot == _earned.snapshot
    return queries.flows(viewer, books(where), _earned)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def tracks_page(viewer: Viewer, where: Place, payout: str | None, window: Window) -> TracksPage:
    """Read some of the generated tracks, those of a payout or all."""
    return queries.tracks_page(viewer, books(where), payout, window)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def recordings_page(viewer: Viewer, where: Place, window: Window) -> RecordingsPage:
    """Read some of the recordings that the viewer may see."""
    return queries.recordings_page(viewer, books(where), window)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def recording(viewer: Viewer, where: Place, recording_id: str) -> RecordingRow:
    """Read one recording that the viewer may see."""
    return queries.recording(viewer, books(where), recording_id)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def used(viewer: Viewer, where: Place, recording_id: str, payout: str) -> Used:
    """Read where a recording was used in the month of a payout."""
    return queries.used(viewer, books(where), recording_id, payout)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def not_to_be_used(
    viewer: Viewer, where: Place, recording_id: str, on: date
) -> Mapping[Use, str | None]:
    """Read why a recording may not be trained on, or paid for output, on a day."""
    return queries.not_to_be_used(viewer, books(where), recording_id, on)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def payees_of(viewer: Viewer, where: Place, recordings: tuple[str, ...]) -> dict[str, str]:
    """Read who is paid for some recordings."""
    return queries.payees_of(viewer, books(where), recordings)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def titles(viewer: Viewer, where: Place, recordings: tuple[str, ...]) -> dict[str, str]:
    """Read the titles of some recordings."""
    return queries.titles(viewer, books(where), recordings)


def contact(where: Place) -> str | None:
    """Return the address that people write to, where `access.toml` says whom to ask by one."""
    listed = queries.access(where.file())
    return listed.ask if listed and "@" in listed.ask else None


# --- pages of books


@st.cache_data(max_entries=KEPT, show_spinner=False)
def payees_page(viewer: Viewer, where: Place, period: Period, window: Window) -> PayeesPage:
    """Read some of those whom a closed month paid."""
    return queries.payees_page(viewer, books(where), period, window)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def account_month(
    viewer: Viewer, where: Place, payee: str, period: Period, currency: str
) -> AccountMonth:
    """Read how one payee's account moved in a month, by the ledger alone."""
    return queries.account_month(viewer, books(where), payee, period, currency)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def trail(viewer: Viewer, where: Place, id_: str) -> Trail:
    """Read what an amount walks back to."""
    return queries.trail(viewer, books(where), id_)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def conservations(viewer: Viewer, where: Place, period: Period) -> tuple[Conservation, ...]:
    """Read whether a month's money adds up, by currency."""
    return queries.conservations(viewer, books(where), period)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def concentrations(viewer: Viewer, where: Place, period: Period) -> dict[str, Concentration]:
    """Read how evenly each stored rule divides a month."""
    return queries.concentrations(viewer, books(where), period)


def movers(viewer: Viewer, where: Place, period: Period) -> dict[str, Any] | None:
    """Read which listener moved most by each rule, with the inputs and whose shares that is of.

    None before `tantieme audit PERIOD rules` has run. It is read anew once it is written anew.
    """
    path = where.file("reports", str(period), "audit_rules.json")
    if not path.exists():
        return None
    return _movers(viewer, replace(where, stand=str(path.stat().st_mtime_ns)), period)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _movers(viewer: Viewer, where: Place, period: Period) -> dict[str, Any]:
    viewer.require_all("what single listeners moved")
    found = _document(where.file("reports", str(period), "audit_rules.json")) or {}
    moved = {rule: each["moved"] for rule, each in found["rules"].items() if each["moved"]}
    return {"inputs": found["inputs"], "provider": found["provider"], "moved": moved}


@st.cache_data(max_entries=KEPT, show_spinner=False)
def inputs(viewer: Viewer, where: Place, period: Period) -> Inputs:
    """Read what came in for a month."""
    return queries.inputs(viewer, books(where), period)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def pseudonyms(viewer: Viewer, where: Place, listeners: tuple[str, ...]) -> dict[str, str]:
    """Read under which names listeners are shown."""
    return queries.pseudonyms(viewer, books(where), listeners)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def heaviest(viewer: Viewer, where: Place, period: Period) -> list[Listener]:
    """Read which listeners played one track most, under pseudonyms."""
    return queries.heaviest(viewer, books(where), period)


def faults(viewer: Viewer, where: Place) -> list[str]:
    """Check all of the books anew; name what is not as it was written. Slow where they are long."""
    viewer.require_all("whether the books are as they were written")
    return queries.verify_books(books(where))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def posted(
    viewer: Viewer, where: Place, sought: Sought, limit: int, offset: int
) -> list[PostingRow]:
    """Read some of the postings that are looked for."""
    return queries.posted(viewer, books(where), sought, limit=limit, offset=offset)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def posted_count(viewer: Viewer, where: Place, sought: Sought) -> int:
    """Count the postings that are looked for."""
    return queries.posted_count(viewer, books(where), sought)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def account_totals(viewer: Viewer, where: Place, sought: Sought) -> list[AccountTotal]:
    """Read what the postings that are looked for come to."""
    return queries.account_totals(viewer, books(where), sought)
