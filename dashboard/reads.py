"""What the pages read: the books through `db.queries`, and files of the workspace.

Streamlit's cache is shared by everybody who looks, so each cached read takes the viewer first
and the workspace second; the query itself filters by the viewer. What was read is kept until
something is written to the books, for ten minutes at most. The engine is cached, and never a
connection. Nothing here writes.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from db import queries
from db.queries import (
    Books,
    Difference,
    Earnings,
    Flow,
    PayeeAmount,
    Payout,
    PeriodRow,
    Viewer,
    Window,
)
from royalty.errors import NotReady
from royalty.period import Period
from royalty.statement import Statement

Asked = ParamSpec("Asked")
Found = TypeVar("Found")

SAID = ("workspace.toml", "access.toml")  # files that people write, by which books are read
KEPT = 256  # results kept for each read
STATEMENTS = 8  # of which one may have 10^5 lines
FOR_SECONDS = 600  # so that what was read of books as they stood long ago makes room


@dataclass(frozen=True, slots=True)
class Place:
    """Where the workspace lies, which database holds its books (None: the workspace's own).

    And how those stand, with the files that people write: what was read is kept until something is
    written to them.
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
    said = [found.file(name).read_bytes() for name in SAID if found.file(name).exists()]
    return replace(found, stand=f"{queries.stand(books(found))} {said}")


def books(where: Place) -> Books:
    """Open the books once for everybody; each query takes a connection of its own."""
    return _books(where.home, where.database)


@st.cache_resource(show_spinner=False)
def _books(home: str, database: str | None) -> Books:
    return queries.open_books(database, Path(home))


def _kept(
    query: Callable[Concatenate[Viewer, Books, Asked], Found],
) -> Callable[Concatenate[Viewer, Place, Asked], Found]:
    """Make the read that keeps what a query finds: for each viewer, workspace and question."""

    def read(viewer: Viewer, where: Place, /, *asked: Asked.args, **named: Asked.kwargs) -> Found:
        return query(viewer, books(where), *asked, **named)

    # Streamlit tells what it keeps apart by these names.
    read.__module__, read.__qualname__ = query.__module__, query.__qualname__
    read.__doc__ = query.__doc__
    return st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)(read)


# Of months.
payout = _kept(queries.payout)
stale = _kept(queries.stale)
stated = _kept(queries.stated)
earnings = _kept(queries.earnings)
gains = _kept(queries.gains)
bands = _kept(queries.bands)
conservations = _kept(queries.conservations)
concentrations = _kept(queries.concentrations)
inputs = _kept(queries.inputs)
payees_page = _kept(queries.payees_page)
account_month = _kept(queries.account_month)
# Of music.
track = _kept(queries.track)
tracks_page = _kept(queries.tracks_page)
recording = _kept(queries.recording)
recordings_page = _kept(queries.recordings_page)
used = _kept(queries.used)
not_to_be_used = _kept(queries.not_to_be_used)
payees_of = _kept(queries.payees_of)
titles = _kept(queries.titles)
# Of the books.
trail = _kept(queries.trail)
posted = _kept(queries.posted)
posted_count = _kept(queries.posted_count)
account_totals = _kept(queries.account_totals)
heaviest = _kept(queries.heaviest)
pseudonyms = _kept(queries.pseudonyms)


@st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)
def periods(viewer: Viewer, where: Place) -> list[PeriodRow]:
    """Read the months that there is money of, the latest first.

    A month that only follows a closed one is open to be posted to, and has nothing to show yet.
    """
    rows = [row for row in queries.periods(viewer, books(where)) if row.revenue or row.computed]
    return sorted(rows, key=lambda row: row.period, reverse=True)


def standing(viewer: Viewer, where: Place, period: Period) -> PeriodRow:
    """Read how one of those months stands: what is computed, and what closed it."""
    return next(row for row in periods(viewer, where) if row.period == period)


@st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)
def differences(
    viewer: Viewer, where: Place, snapshots: tuple[str, str], _payouts: tuple[Payout, Payout]
) -> tuple[Difference, ...]:
    """Read what the second payout gives each payee beyond the first.

    `snapshots` name their allocations, which never change: this is kept while there is room.
    """
    assert snapshots == tuple(each.snapshot for each in _payouts)
    return queries.differences(viewer, books(where), *_payouts)


@st.cache_resource(ttl=FOR_SECONDS, max_entries=STATEMENTS, show_spinner=False)
def statement(viewer: Viewer, where: Place, payee: str, period: Period) -> Statement:
    """Read one payee's statement of a closed month. It is frozen, so it is shared uncopied."""
    return queries.statement(viewer, books(where), payee, period)


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


@st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)
def ranked(
    viewer: Viewer, where: Place, weights: tuple[tuple[str, int], ...], window: Window
) -> list[str]:
    """Read for whom a weighed sum of payouts, named by their ids, is largest."""
    return queries.ranked(viewer, books(where), dict(weights), window)


@st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)
def paid_to(
    viewer: Viewer, where: Place, payouts: tuple[str, ...], currency: str, payees: tuple[str, ...]
) -> dict[str, dict[str, PayeeAmount]]:
    """Read what payouts, named by their ids, give some payees: by payout and payee."""
    return queries.paid_to(viewer, books(where), dict.fromkeys(payouts, currency), payees)


@st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)
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


@st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)
def flows(viewer: Viewer, where: Place, snapshot: str, _earned: Earnings) -> tuple[Flow, ...]:
    """Read which recordings brought which payees their money.

    `snapshot` names the allocations, which never change: this is kept while there is room.
    """
    assert snapshot == _earned.snapshot
    return queries.flows(viewer, books(where), _earned)


def contact(where: Place) -> str | None:
    """Return the address that people write to, where `access.toml` says whom to ask by one."""
    listed = queries.access(where.file())
    return listed.ask if listed and "@" in listed.ask else None


# --- pages of books


def movers(viewer: Viewer, where: Place, period: Period) -> dict[str, Any] | None:
    """Read which listener moved most by each rule, with the inputs and whose shares that is of.

    None before `tantieme audit PERIOD rules` has run. It is read anew once it is written anew.
    """
    path = where.file("reports", str(period), "audit_rules.json")
    if not path.exists():
        return None
    return _movers(viewer, replace(where, stand=str(path.stat().st_mtime_ns)), period)


@st.cache_data(ttl=FOR_SECONDS, max_entries=KEPT, show_spinner=False)
def _movers(viewer: Viewer, where: Place, period: Period) -> dict[str, Any]:
    viewer.require_all("what single listeners moved")
    found = _document(where.file("reports", str(period), "audit_rules.json")) or {}
    moved = {rule: each["moved"] for rule, each in found["rules"].items() if each["moved"]}
    return {"inputs": found["inputs"], "provider": found["provider"], "moved": moved}


def faults(viewer: Viewer, where: Place) -> list[str]:
    """Check all of the books anew; name what is not as it was written. Slow where they are long."""
    viewer.require_all("whether the books are as they were written")
    return queries.verify_books(books(where))
