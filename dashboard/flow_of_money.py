"""Where a month's money went: from the pool by the recordings to the payees, as a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import components, flow, identity, reads
from db.queries import Earnings, Flow
from royalty.money import Money

# Boxes that are no recording and no payee: what they are called.
POOL, EQUALLY, SUSPENSE, PLATFORM = "pool", "equally", "suspense", "platform"
OTHERS = ("r/", "p/")  # the recordings and payees that are not drawn one by one
NAMES = {
    POOL: "Money",
    EQUALLY: "No single recording",
    SUSPENSE: "Suspense",
    PLATFORM: "Platform, by terms",
    "r/": "Other recordings",
    "p/": "Other payees",
}
HOW_TO_READ = (
    "From left to right: the money; the recordings that were shown to have earned it; who is "
    "paid. A band is as wide as it is much. *No single recording* is what is divided in equal "
    "parts: unattributed money, and what the rule itself gives to all works."
)
Moves = Mapping[tuple[str, str], Money]  # from box to box


def show(earned: Earnings) -> None:
    """Draw the section of a month; nothing where nobody is paid."""
    if not earned.payees:
        return
    viewer, where = identity.viewer(), reads.place()
    flows = reads.flows(viewer, where, earned.snapshot, earned)
    moved = moves(earned, flows, whole=viewer.sees_all)
    boxes = boxes_of(earned, flows, moved)
    names = {box.id: box.name for box in boxes}
    st.header("Where the money went", anchor=False)
    st.altair_chart(flow.picture(boxes, [_band(*each) for each in moved.items()]), alt=told(boxes))
    st.caption(HOW_TO_READ)
    with st.expander("The same as a table"):
        rows = pd.DataFrame(
            {"From": names[source], "To": names[target], "Amount": amount.decimal}
            for (source, target), amount in moved.items()
        )
        components.table(rows, alt="From where money went to where, and how much")
        components.download(lambda: rows, "the flow", f"{earned.period}_{earned.rule}_flow")


def moves(earned: Earnings, flows: Sequence[Flow], *, whole: bool) -> Moves:
    """Say how much money goes from box to box. What leaves the pool arrives, to the micro.

    The `whole` pool also goes to suspense and to the platform.
    """
    micros: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in flows:
        recording, payee = f"r/{each.recording or ''}", f"p/{each.payee or ''}"
        micros[POOL, recording] += each.amount.micros
        micros[recording, payee] += each.amount.micros
    left = micros[POOL, EQUALLY] = earned.equally.micros
    for party in earned.payees:
        part = party.amount.micros - party.attributed.micros
        micros[EQUALLY, f"p/{party.id}"] += part
        left -= part
    micros[EQUALLY, "p/"] = left
    if whole:
        micros[POOL, SUSPENSE] = earned.suspense.micros
        micros[POOL, PLATFORM] = earned.platform.micros
    return {ends: Money(n, earned.paid.currency) for ends, n in micros.items() if n > 0}


def boxes_of(earned: Earnings, flows: Sequence[Flow], moved: Moves) -> list[flow.Box]:
    """Make the boxes of three columns, the largest above and the rest below them."""
    held: defaultdict[str, int] = defaultdict(int)
    for (source, target), amount in moved.items():
        held[target] += amount.micros
        if source == POOL:
            held[POOL] += amount.micros
    titles = {f"r/{each.recording}": each.title or "" for each in flows if each.recording}
    people = {f"p/{payee.id}": payee.name for payee in earned.payees}
    names = {**NAMES, **components.distinct(titles), **components.distinct(people)}
    ranked = sorted(titles, key=lambda each: (-held[each], each))
    between = [*ranked, "r/", EQUALLY, SUSPENSE, PLATFORM]
    return [
        flow.Box(
            id=each,
            name=names[each],
            shown=Money(held[each], earned.paid.currency).rounded,
            column=column,
            kind=_kind(each),
        )
        for column, ids in enumerate(([POOL], between, [*people, "p/"]))
        for each in ids
        if held[each]
    ]


def told(boxes: Sequence[flow.Box]) -> str:
    """Say in a sentence what the picture shows."""
    pool = boxes[0]
    first = next((box for box in boxes if box.column == 1 and box.kind == "attributed"), None)
    rest = next((box for box in boxes if box.id == EQUALLY), None)
    said = [f"{first.name} brought most, {first.shown}"] if first else []
    said += [f"{rest.shown} came by no single recording"] if rest else []
    return f"Of {pool.shown}, {' and '.join(said) or 'nothing is paid yet'}"


def _band(ends: tuple[str, str], amount: Money) -> flow.Band:
    source, target = ends
    return flow.Band(
        source=source,
        target=target,
        value=components.place(amount),
        shown=amount.rounded,
        kind=_kind(target if source == POOL else source),
    )


def _kind(box: str) -> str:
    if box in {EQUALLY, SUSPENSE, PLATFORM}:
        return "unattributed"
    return "other" if box in OTHERS else "attributed"
