"""Who is looking: whoever signed in and is listed or, without sign-in, whoever is at the machine.

Streamlit signs people in by OpenID Connect and keeps the claims of their identity token in a
cookie, for a month. It does not look at when the token ends: that is looked at here, on every run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard import reads
from db.queries import EVERYONE, Access, Viewer, access, viewer_of
from royalty.access import LOCAL
from royalty.errors import BadInput, NotReady, RoyaltyError

REQUIRED = "TANTIEME_SIGN_IN"  # set where sign-in was configured: without it nobody may look


class SignInNeeded(RoyaltyError):
    """Nobody is signed in, or no longer."""


class NotListed(RoyaltyError):
    """Somebody signed in whom the workspace does not list."""


def viewer() -> Viewer:
    """Return who is looking. Every read takes the viewer first, and leaves out what is not theirs.

    Raises `SignInNeeded` and `NotListed`, and `NotReady` where the pages are open to others and
    nobody can be told from anybody else.
    """
    listed, claims = _listed(), st.user.to_dict()
    if not signed_in():
        return _at_the_machine()
    return admit(claims, listed, time.time())


def signed_in() -> bool:
    """Whether people sign in to look: Streamlit says so of a user only where that is configured."""
    return "is_logged_in" in st.user


def admit(claims: Mapping[str, Any], listed: Access, now: float) -> Viewer:
    """Say who signed in with these claims. Raises `SignInNeeded` and `NotListed`.

    `now` is in seconds since 1970, as the claims' times are.
    """
    if claims.get("is_logged_in") is not True:
        raise SignInNeeded("Sign in to see what you were paid, and why.")
    if expired(claims, now):
        raise SignInNeeded(f"Your sign-in ended{_when(claims)}. Sign in again to go on.")
    found = viewer_of(listed, claims)
    if found is None:
        whom = listed.ask or "whoever runs this dashboard"
        raise NotListed(
            f"You are signed in as {_called(claims)}, who is not among the people listed for this "
            f"workspace: there is nothing that you may see. Ask {whom} to add you."
        )
    return found


def expired(claims: Mapping[str, Any], now: float) -> bool:
    """Whether an identity token has ended; one that does not say when has."""
    ends = claims.get("exp")
    return isinstance(ends, bool) or not isinstance(ends, int | float) or not ends > now


def _listed() -> Access:
    """Read who may see what; nobody is listed where no file lists them."""
    try:
        return access(reads.place().file()) or Access()
    except BadInput as faults:
        raise NotReady(f"nobody can be let in before this is put right: {faults}") from None


def _at_the_machine() -> Viewer:
    """Let whoever opens the pages on this machine see everything; nobody else can open them."""
    # Streamlit reads dashboard/.streamlit, which names an address. No server at all has none.
    address = st.get_option("server.address")
    if os.environ.get(REQUIRED) or address not in (*LOCAL, None):
        raise NotReady(
            "sign-in is not configured, so nobody can be told from anybody else; start the pages "
            "with 'tantieme dashboard --secrets FILE'"
        )
    return EVERYONE


def _when(claims: Mapping[str, Any]) -> str:
    ends = claims.get("exp")
    if not isinstance(ends, int | float):
        return ""
    return f" at {datetime.fromtimestamp(ends, UTC):%H:%M UTC on %-d %B %Y}"


def _called(claims: Mapping[str, Any]) -> str:
    """Say as whom somebody is known to the provider, so that they can be listed by that."""
    email, subject = claims.get("email"), claims.get("sub")
    if email and claims.get("email_verified") is True:
        return str(email)
    return f"subject {subject}" + (f" ({email}, which nobody verified)" if email else "")
