"""Who opened what: lines on standard error, kept by whoever keeps the server's."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache

import streamlit as st

from db.queries import Viewer


def note(viewer: Viewer, page: str) -> None:
    """Say that a viewer opened a page, and with which choices; once until either changes."""
    opened = f"{viewer.name!r} opened {page} {dict(sorted(st.query_params.items()))}"
    if st.session_state.get("opened") != opened:
        st.session_state["opened"] = opened
        _log().info("%s %s", datetime.now(UTC).isoformat(timespec="seconds"), opened)


@cache
def _log() -> logging.Logger:
    log = logging.getLogger("tantieme.reads")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    return log
