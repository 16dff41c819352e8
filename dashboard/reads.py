"""What the pages read: the books through `db.queries`, and files of the workspace.

Streamlit's cache is shared by everybody who looks, so each cached read takes the viewer first
and the workspace second; the query itself filters by the viewer. The engine is cached, and never
a connection. Nothing here writes.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from db import queries
from db.queries import Books, Difference, Payout, PeriodRow, TrackDetail, TrackRow, Viewer
from royalty.errors import NotReady
from royalty.period import Period
from royalty.statement import Statement

FRESH_SECONDS = 15  # a month computed or closed beside an open page shows this soon
KEPT = 256  # results kept for each read


@dataclass(frozen=True, slots=True)
class Place:
    """Where the workspace lies and which database holds its books (None: the workspace's own)."""

    home: str
    database: str | None

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
    return found


@st.cache_resource(show_spinner=False)
def books(where: Place) -> Books:
    """Open the books once for everybody; each query takes a connection of its own."""
    return queries.open_books(where.database, Path(where.home))


@st.cache_data(ttl=FRESH_SECONDS, max_entries=KEPT, show_spinner=False)
def periods(viewer: Viewer, where: Place) -> list[PeriodRow]:
    """Read the months that there is money of, the latest first.

    A month that only follows a closed one is open to be posted to, and has nothing to show yet.
    """
    rows = [row for row in queries.periods(viewer, books(where)) if row.revenue or row.computed]
    return sorted(rows, key=lambda row: row.period, reverse=True)


def standing(viewer: Viewer, where: Place, period: Period) -> PeriodRow:
    """Read how one of those months stands: what is computed, and what closed it."""
    return next(row for row in periods(viewer, where) if row.period == period)


@st.cache_data(ttl=FRESH_SECONDS, max_entries=KEPT, show_spinner=False)
def payout(viewer: Viewer, where: Place, period: Period, rule: str) -> Payout:
    """Read what a month pays under one rule."""
    return queries.payout(viewer, books(where), period, rule)


@st.cache_data(ttl=FRESH_SECONDS, max_entries=KEPT, show_spinner=False)
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


@st.cache_data(ttl=FRESH_SECONDS, max_entries=KEPT, show_spinner=False)
def statement(viewer: Viewer, where: Place, payee: str, period: Period) -> Statement:
    """Read one payee's statement of a closed month."""
    return queries.statement(viewer, books(where), payee, period)


@st.cache_data(ttl=FRESH_SECONDS, max_entries=KEPT, show_spinner=False)
def stated(viewer: Viewer, where: Place, period: Period) -> dict[str, str]:
    """Read who has a statement of a closed month: names by id."""
    return queries.stated(viewer, books(where), period)


@st.cache_data(ttl=FRESH_SECONDS, max_entries=KEPT, show_spinner=False)
def tracks(viewer: Viewer, where: Place) -> list[TrackRow]:
    """Read the generated tracks."""
    return queries.tracks(viewer, books(where))


@st.cache_data(ttl=FRESH_SECONDS, max_entries=KEPT, show_spinner=False)
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
