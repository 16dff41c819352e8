"""How to contest what shaped a track: the command that files a dispute. Nothing is filed here."""

from __future__ import annotations

import shlex
from urllib.parse import quote

import streamlit as st

from dashboard import identity, reads
from db.queries import TrackDetail

REASON = "my part is larger"
WHAT_HAPPENS = (
    "This page changes nothing. The command below files a dispute: what is contested waits, "
    "so that it is not paid out meanwhile, the track is scored once more by the exact method, and "
    "both answers are kept side by side. A single line of a statement is contested by the same "
    "command, with the line's id in place of the track."
)


def show(detail: TrackDetail) -> None:
    """Draw the section of a track that has shares."""
    with st.expander("Is this wrong?"):
        st.markdown(WHAT_HAPPENS)
        payees = _payees(detail)
        payee = st.selectbox(
            "Who contests it",
            list(payees),
            format_func=lambda each: payees.get(each, each),
            accept_new_options=identity.viewer().sees_all,
            index=0 if payees else None,
            placeholder="The id of a payee",
            key=f"contests_{detail.row.id}",
        )
        reason = st.text_input("Why", placeholder=REASON, key=f"why_{detail.row.id}")
        line = command(detail.row.id, payee or "PAYEE", reason or REASON)
        st.code(reads.place().command(line), language=None, wrap_lines=True)
        address = reads.contact(reads.place())
        if address:
            st.link_button("Write to whoever keeps the books", mailto(address, detail.row.id, line))


def command(track: str, payee: str, reason: str) -> str:
    """Write the command that files a dispute; what people typed is one word to a shell."""
    return (
        f"dispute {shlex.quote(track)} --payee {shlex.quote(payee)} --reason {shlex.quote(reason)}"
    )


def mailto(address: str, track: str, line: str) -> str:
    """Write a link to a letter that asks for a dispute to be filed."""
    body = f"Please file this dispute:\n\ntantieme {line}\n"
    subject = f"Dispute of track {track}"
    return f"mailto:{quote(address, safe='@')}?subject={quote(subject)}&body={quote(body)}"


def _payees(detail: TrackDetail) -> dict[str, str]:
    """Name who could contest it: the viewer's own parties, or whoever the shares pay."""
    viewer = identity.viewer()
    if viewer.parties is not None:
        return {party: party for party in sorted(viewer.parties)}
    recordings = tuple(share.recording for share in detail.shares)
    return reads.payees_of(viewer, reads.place(), recordings)
