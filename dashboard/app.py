"""The dashboard's entry: `tantieme dashboard`, or `streamlit run dashboard/app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from dashboard import components, identity, reads

ICON = Path(__file__).with_name("icon.png")


def main() -> None:
    """Draw the menu and the one period control, then the chosen page."""
    # A local picture: a Material icon here would be fetched from a font host.
    st.set_page_config(page_title="Tantième", page_icon=str(ICON), layout="wide")
    st.logo(str(ICON), size="large")
    page = st.navigation({"Tantième": _pages()})
    with components.refusals():
        components.choose_period(reads.periods(identity.viewer(), reads.place()))
        page.run()


def _pages() -> list[Page]:
    return [
        st.Page(
            "app_pages/overview.py",
            title="Overview",
            icon=":material/payments:",
            help="What a month earned, who earned it, and under which rule.",
            default=True,
        ),
        st.Page(
            "app_pages/rules.py",
            title="Rules",
            icon=":material/balance:",
            help="Who gains and who loses by another rule, and by a blend of two.",
        ),
        st.Page(
            "app_pages/track.py",
            title="Track",
            icon=":material/graphic_eq:",
            help="What shaped one generated track, and how sure that is.",
        ),
        st.Page(
            "app_pages/statement.py",
            title="Statement",
            icon=":material/receipt_long:",
            help="What one payee is owed for a month, line by line.",
        ),
        st.Page(
            "app_pages/quality.py",
            title="Quality",
            icon=":material/fact_check:",
            help="How far the scores behind the money can be trusted.",
        ),
    ]


main()
