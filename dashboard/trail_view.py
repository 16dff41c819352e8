"""The walk back from an amount, step by step: what each is, and what the books say of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import components, identity, reads
from db.queries import Step
from royalty.catalogue import PPM

SHORT = 24  # of a hash that nobody reads; the command prints it in full
MEANINGS = {
    "line": "One party's part of one recording in one track.",
    "movement": "What moved the account besides earnings.",
    "posting": "What the ledger booked: it sums the lines of one pool and right.",
    "allocation": "The row of the month's division, under the rule that closed it.",
    "share": "How much of the track this recording shaped, with its interval.",
    "evidence": "What attribution found about the track.",
    "run": "The training run that made the track; its card says from what.",
    "recording": "What the model was trained on.",
    "rate": "The rate of exchange at which the money was converted.",
    "transaction": "What this puts right or undoes.",
    "restatement": "The closed month, divided again.",
    "difference": "What a line is by the division that holds now, less what it was.",
    "hold": "Why the money waits.",
    "finding": "What was found about a disputed track.",
    "payment": "Money that went out.",
    "event": "What became of a payment.",
}


def fold(label: str, id_: str, *, key: str) -> None:
    """Draw the walk back from an amount, once somebody unfolds it: it is not read before."""
    walk = st.expander(label, key=key, on_change="rerun", bind="query-params")
    if walk.open:
        with walk:
            show(id_)


def show(id_: str) -> None:
    """Draw what an amount walks back to: a statement's line or movement, or a posting."""
    trail = reads.trail(identity.viewer(), reads.place(), id_)
    for number, step in enumerate(trail.steps, start=1):
        _step(number, step)
    st.caption("The same, with every hash in full:")
    st.code(reads.place().command(f"trail {id_}"), language=None, wrap_lines=True)


def _step(number: int, step: Step) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f"**{number}. {step.step.capitalize()}** `{step.id}`  \n"
            f":small[:gray[{MEANINGS.get(step.step, '')}]]"
        )
        said = stated(step.facts)
        if said:
            st.markdown("  ·  ".join(f":gray[{name}] {value}" for name, value in said.items()))
        if step.step == "evidence":
            components.link("track", "What shaped this track", track=step.id)


def stated(facts: Mapping[str, str | int | None]) -> dict[str, str]:
    """Write facts as people read them, without those that nothing is known of."""
    return {
        name.removesuffix("_ppb").removesuffix("_ppm").replace("_", " "): _value(name, fact)
        for name, fact in facts.items()
        if fact is not None and fact != ""
    }


def _value(name: str, fact: str | int) -> str:
    if isinstance(fact, str):
        long = len(fact) > SHORT and " " not in fact and fact.isalnum()
        return f"`{fact[:SHORT]}…`" if long else components.plain(fact)
    if name == "rate_ppb":
        return f"{fact // 10**9}.{fact % 10**9:09d}"
    if name.endswith("_ppb"):
        return components.percent(fact)
    if name.endswith("_ppm"):
        return components.percent(fact, PPM)
    return f"{fact:,}"
