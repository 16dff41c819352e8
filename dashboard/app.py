"""The dashboard's entry: `tantieme dashboard`, or `streamlit run dashboard/app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from dashboard import components, identity, reading_log, reads
from dashboard.identity import NotListed, SignInNeeded
from db.queries import Viewer
from royalty.errors import NotFound

ICON = Path(__file__).with_name("icon.png")
# File: title, icon, help. Those of the first are everybody's, with what each may see.
OWN = {
    "overview": ("Overview", "payments", "What a month earned, who earned it, under which rule."),
    "statement": ("Statement", "receipt_long", "What one payee is owed for a month, line by line."),
    "tracks": ("Tracks", "library_music", "The generated tracks, and what they earned."),
    "track": ("Track", "graphic_eq", "What shaped one generated track, and how sure that is."),
    "recordings": ("Recordings", "album", "Where a recording was used, and what that earned."),
}
WHOLE = {
    "rules": ("Rules", "balance", "Who gains and who loses by another rule, or a blend of two."),
    "quality": ("Quality", "fact_check", "How far the scores behind the money can be trusted."),
    "audit": ("Audit", "policy", "Whether the money adds up, and who could move it."),
    "ledger": ("Ledger", "menu_book", "Every posting, each with what it was made for."),
}


def main() -> None:
    """Draw the menu and the one period control, then the chosen page."""
    # A local picture: a Material icon here would be fetched from a font host.
    st.set_page_config(page_title="Tantième", page_icon=str(ICON), layout="wide")
    st.logo(str(ICON), size="large")
    with components.refusals():
        viewer = _let_in()
        if viewer is not None:
            _draw(viewer)


def _let_in() -> Viewer | None:
    """Find who looks; draw what they can do about it where they are not let in."""
    try:
        return identity.viewer()
    except (SignInNeeded, NotListed) as refusal:
        # All of them, so that an address of any page says this and not that there is no such page.
        st.navigation([*_pages(OWN), *_pages(WHOLE)], position="hidden")
        st.title("Tantième", anchor=False)
        components.empty(components.plain(str(refusal)))
        if isinstance(refusal, SignInNeeded):
            st.button("Sign in", key="sign_in", on_click=st.login)
        else:
            st.button("Sign out", key="sign_out", on_click=st.logout)
    return None


def _draw(viewer: Viewer) -> None:
    own, whole = _pages(OWN), _pages(WHOLE, hidden=not viewer.sees_all)
    page = st.navigation({"Tantième": [*own, *whole]})
    _who(viewer)
    components.choose_period(reads.periods(viewer, reads.place()))
    if page in whole and not viewer.sees_all:
        raise NotFound(f"{page.title} is shown to accountants and auditors only")
    if identity.signed_in():
        reading_log.note(viewer, page.title)
    page.run()


def _pages(known: dict[str, tuple[str, str, str]], *, hidden: bool = False) -> list[Page]:
    """Make the pages whose files are there. Hidden ones have an address that leads to a refusal."""
    return [
        st.Page(
            f"app_pages/{name}.py",
            title=title,
            icon=f":material/{icon}:",
            help=says,
            default=name == "overview",
            visibility="hidden" if hidden else "visible",
        )
        for name, (title, icon, says) in known.items()
        if Path(__file__).with_name("app_pages").joinpath(f"{name}.py").exists()
    ]


def _who(viewer: Viewer) -> None:
    """Say in the sidebar who is signed in, or that nobody has to be."""
    with st.sidebar:
        if identity.signed_in():
            st.caption(f"Signed in as {components.plain(viewer.name)}")
            st.button("Sign out", key="sign_out", on_click=st.logout)
        else:
            st.caption(
                "No sign-in is configured: the pages answer on this machine only, and whoever "
                "opens them sees everything."
            )


main()
