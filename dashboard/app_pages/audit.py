"""Audit answers whether the money adds up, how evenly it is divided, and who could move it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import charts, components, identity, movers, reads, tables, wording
from royalty.audit import Conservation
from royalty.concentration import Concentration
from royalty.errors import NotReady
from royalty.period import Period
from royalty.reports.table import Column, Table

TERMS = {  # of the identity, as the ledger names them, and what each means
    "paid": "Went out to payees.",
    "payable": "Owed to payees, and not paid yet.",
    "suspense.unmatched": "Plays of tracks that have no shares.",
    "suspense.unclaimed": "Parts of recordings whose holder is not known.",
    "suspense.held": "Owed, and held back.",
    "suspense.disputed": "Waits until a dispute is settled.",
    "reserve": "Kept back for a while by an agreement.",
    "recouped": "Taken back of what was advanced.",
    "withheld": "Tax, to be handed on.",
    "platform": "Not royalty-bearing, or left with the platform by agreements.",
    "exchanged": "Into other currencies, less what came of them.",
}
IDENTITY = (
    Column(name="term", title="Term"),
    Column(name="amount", title="Amount", kind="money"),
    Column(name="part", title="Of what came in", kind="percent"),
    Column(name="meaning", title="What it is"),
)
SPREAD = (
    Column(name="rule", title="Rule"),
    Column(name="gini", title="Gini"),
    Column(name="largest", title="The one with most", kind="percent"),
    Column(name="top_1_percent", title="Top 1 %", kind="percent"),
    Column(name="top_10_percent", title="Top 10 %", kind="percent"),
    Column(name="payees", title="Payees", kind="count"),
)
ROOTS = (
    Column(name="month", title="Month"),
    Column(name="rule", title="Closed by"),
    Column(name="root", title="Root of the month", kind="id"),
)


def show() -> None:
    """Draw the page for the chosen period; what one part lacks does not hide the others."""
    identity.viewer().require_all("the audit")
    period = components.chosen_period()
    for part in (_adds_up, _evenly, movers.show):
        with components.refusals():
            part(period)
    _as_written(period)


def _adds_up(period: Period) -> None:
    """One number first: what came in and is found nowhere. Then the sum, term by term."""
    above = f"Money that is missing, {components.days(period)}"
    try:
        found = reads.conservations(identity.viewer(), reads.place(), period)
    except NotReady:
        components.headline(above, "Not closed yet")
        raise
    components.headline(above, " and ".join(each.difference.rounded for each in found))
    if all(each.holds for each in found):
        came = " and ".join(str(each.revenue) for each in found)
        st.markdown(f"Every micro of the {came} that came in is found again in this sum.")
    else:
        st.error("The sum does not come out: the books are wrong, or were changed.")
    for each in found:
        _identity(each)


def _identity(found: Conservation) -> None:
    """Draw what came in less each term; each with its part of what came in, and its meaning."""
    still = [name for name, amount in found.parts.items() if not amount.micros]
    terms = [
        ("came in", found.revenue, "What generation platforms owe for the month."),
        *(
            (f"less {name}", amount, TERMS.get(name, ""))
            for name, amount in found.parts.items()
            if amount.micros
        ),
        ("missing", found.difference, "Nothing; else the books are wrong."),
    ]
    whole = found.revenue.micros
    table = Table(
        name=f"conservation_{found.currency}",
        title="Conservation",
        columns=IDENTITY,
        rows=tuple(
            (name, amount, amount.micros / whole if whole else None, meaning)
            for name, amount, meaning in terms
        ),
        period=found.period,
    )
    came, missing = found.revenue.rounded, found.difference.rounded
    tables.show(table, alt=f"{came} came in; {missing} of it is missing")
    if still:
        st.caption(f"Zero this month: {', '.join(still)}.")


def _evenly(period: Period) -> None:
    """Draw how unequally each stored rule divides the month."""
    st.header("How evenly it is divided", anchor=False)
    viewer, where = identity.viewer(), reads.place()
    older = reads.stale(viewer, where, period)
    found = {
        rule: spread
        for rule, spread in reads.concentrations(viewer, where, period).items()
        if rule not in older
    }
    if not found:
        raise NotReady(
            f"no rule that is up to date pays anybody for {components.month(period)}; "
            f"run 'tantieme payouts {period} --compare'"
        )
    ordered = dict(sorted(found.items(), key=lambda each: each[1].gini))
    most = list(ordered)[-1]
    st.altair_chart(
        charts.estimates([_point(*each) for each in ordered.items()], axis="Gini coefficient"),
        alt=f"{wording.rule_name(most)} divides least evenly, Gini {ordered[most].gini:.3f}",
    )
    st.caption(
        "Gini: 0 where all payees get the same, near 1 where one gets all. Top: the part of the "
        "hundredth, of the tenth, of those who get most, one payee at least. Among all whom any "
        "stored rule pays."
    )
    tables.show(_spread(period, ordered), alt="How much of the money the best paid have, by rule")


def _point(rule: str, spread: Concentration) -> charts.Point:
    top = components.percent(round(spread.top_10_percent * 1000), 1000)
    return charts.Point(
        label=wording.rule_name(rule),
        value=spread.gini,
        low=spread.gini,
        high=spread.gini,
        shown=f"{spread.gini:.3f}",
        interval=f"none; the top 10 % have {top}",
    )


def _spread(period: Period, found: Mapping[str, Concentration]) -> Table:
    return Table(
        name="concentration",
        title="Concentration",
        columns=SPREAD,
        rows=tuple(
            (
                wording.rule_name(rule),
                f"{each.gini:.3f}",
                each.largest,
                each.top_1_percent,
                each.top_10_percent,
                each.count,
            )
            for rule, each in found.items()
        ),
        period=period,
    )


def _as_written(period: Period) -> None:
    """Give what proves that closed months are as they were; check all of it on demand."""
    st.header("As it was written", anchor=False)
    rows = reads.periods(identity.viewer(), reads.place())
    closed = [row for row in rows if row.status == "closed"]
    if not closed:
        components.empty(
            f"no month is closed yet, so none has a root; run 'tantieme close {period}'"
        )
        return
    table = Table(
        name="roots",
        title="Roots of closed months",
        columns=ROOTS,
        rows=tuple(
            (components.month(row.period), wording.rule_name(row.rule or ""), row.root)
            for row in closed
        ),
    )
    st.caption(
        "A root is one hash over all postings of a month and what they come to. Whoever kept it "
        "can prove later, with `tantieme verify --root ROOT`, that none of it was changed."
    )
    tables.show(table, alt=f"{len(closed)} closed months, each with its root")
    _check(len(closed))


@st.fragment
def _check(months: int) -> None:
    """Check chain, snapshots, payouts and roots anew, when somebody asks for it."""
    if not st.button("Check all of the books now", key="check", icon=":material/verified:"):
        st.code(reads.place().command("verify"), language=None)
        return
    with st.spinner("Hashing every transaction and every file anew"):
        faults = reads.faults(identity.viewer(), reads.place())
    if faults:
        st.error("\n".join(f"- {components.plain(each)}" for each in faults))
    else:
        st.success(
            f"Verified just now: the chain, every file, and {months} closed "
            f"month{'s' * (months != 1)} with their roots are as they were written."
        )


show()
