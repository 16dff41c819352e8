"""Overview answers what a month earned, for whom, and how much of it has no known source."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboard import charts, components, wording
from dashboard.months import Month, amounts, opened, warn
from db.queries import PayeeAmount, Payout, PeriodRow
from royalty.money import Money, total
from royalty.period import Period

SHOWN = 12  # payees and tracks drawn; the tables have all of them
SOURCES = {
    "unattributed": "Parts of tracks that no work cleared against the placebos. "
    "Divided equally among the licensed works, so it is paid, but not for influence shown.",
    "suspense": "Money that nobody can be paid yet: plays of tracks without shares, "
    "and parts of recordings whose holder is not known.",
    "idle": "Money of listeners who paid and played nothing, divided by everybody's plays.",
}


def show() -> None:
    """Draw the page for the chosen period."""
    month = opened(components.chosen_period())
    warn(month)
    rule = _choose_rule(month)
    payout = month.payouts[rule]
    _headline(month.row, payout)
    _tiles(payout)
    _payees(payout)
    _other_rules(month.row.period, rule, month.payouts)
    _tracks(payout)


def _choose_rule(month: Month) -> str:
    """Pick a rule among those computed, the one the month was closed by first."""
    with st.sidebar:
        return components.choose(
            "rule", "Rule", {rule: wording.rule_name(rule) for rule in month.payouts}
        )


def _headline(row: PeriodRow, payout: Payout) -> None:
    """One number first: the pool, its days and what it is."""
    components.headline(f"Money to divide, {components.days(row.period)}", payout.pool.rounded)
    standing = "closed, final" if row.status == "closed" else "a preview; the month is open"
    st.markdown(
        f"The royalty-bearing part of the {payout.gross.rounded} that came in, divided by "
        f"**{wording.rule_name(payout.rule).lower()}** ({standing}). "
        f"In full: `{payout.pool}`."
    )


def _tiles(payout: Payout) -> None:
    tiles = st.grid(min_column_width=150)
    with tiles:
        for label, part in (
            ("Unattributed", payout.unattributed),
            ("Suspense", payout.suspense),
            ("Idle", payout.idle),
        ):
            components.share_tile(label, part, payout.pool, why=SOURCES[label.lower()])
        components.count_tile("Payees", len(payout.payees), "this month")
        components.count_tile("Tracks", len(payout.tracks), "this month")
    held = [f"{kind} {part.rounded}" for kind, part in payout.suspense_kinds.items()]
    st.caption(
        f"**Unattributed:** {SOURCES['unattributed']} **Suspense:** {SOURCES['suspense']}"
        + (f" Of it: {', '.join(held)}." if held else "")
    )


def _payees(payout: Payout) -> None:
    st.header("Who earned it", anchor=False)
    if not payout.payees:
        components.empty("nobody earned anything; all of the pool is in suspense")
        return
    names = components.distinct({payee.id: payee.name for payee in payout.payees})
    top = payout.payees[:SHOWN]
    sides = st.grid(2, min_column_width=360, gap="large")
    with sides, st.container():
        st.altair_chart(
            charts.ranked([_bar(names, payee) for payee in top], axis=payout.pool.currency),
            alt=f"{names[top[0].id]} earned most, {top[0].amount.rounded}",
        )
        st.caption(
            "Bar: the amount. Line: its interval, from the interval of every share in it, "
            "within one training run."
        )
    with sides, st.container(gap="xxsmall"):
        for payee in top:
            _payee_row(names, payee)
    with st.expander(f"All {len(payout.payees)} payees, to the micro"):
        components.table(_payee_table(payout), alt="Every payee's amount")


def _bar(names: dict[str, str], payee: PayeeAmount) -> charts.Bar:
    return charts.Bar(
        label=names[payee.id],
        value=components.place(payee.amount),
        low=components.place(payee.low),
        high=components.place(payee.high),
        shown=payee.amount.rounded,
        interval=components.money_range(payee.low, payee.high),
    )


def _payee_row(names: dict[str, str], payee: PayeeAmount) -> None:
    name, amount, interval = st.columns([6, 2.7, 4.5], gap="xsmall", vertical_alignment="center")
    with name:
        components.link("statement", names[payee.id], payee=payee.id)
    amount.markdown(payee.amount.rounded, text_alignment="right")
    interval.caption(components.money_range(payee.low, payee.high), text_alignment="right")


def _payee_table(payout: Payout) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Payee": payee.name,
            f"Amount, {payee.amount.currency}": payee.amount.decimal,
            "Low": payee.low.decimal,
            "High": payee.high.decimal,
            "Of it attributed": payee.attributed.decimal,
            "Of the pool": components.percent(payee.amount.micros, payout.pool.micros),
        }
        for payee in payout.payees
    )


def _other_rules(period: Period, rule: str, payouts: Mapping[str, Payout]) -> None:
    """Say in a sentence what another rule would change, and lead to the page that shows it."""
    others = [name for name in payouts if name != rule]
    if not others:
        components.empty(
            f"only one rule was computed for {components.month(period)}; "
            f"run 'tantieme payouts {period} --compare' to see others beside it"
        )
        return
    by = "user_centric" if "user_centric" in others else others[0]
    one, other = amounts(payouts[rule]), amounts(payouts[by])
    nothing = Money(0, payouts[rule].pool.currency)
    changes = [other.get(id_, nothing) - one.get(id_, nothing) for id_ in {*one, *other}]
    gains = [change for change in changes if change.micros > 0]
    st.markdown(
        f"By **{wording.rule_name(by).lower()}**, {len(gains)} of {len(changes)} payees would earn "
        f"more, {total(gains, nothing.currency).rounded} in all."
    )
    components.link("rules", f"This month by {len(payouts)} rules, side by side", rule=rule)


def _tracks(payout: Payout) -> None:
    st.header("Most earning tracks", anchor=False)
    names = components.distinct({track.id: track.title for track in payout.tracks})
    with st.container(gap="xxsmall"):
        for track in payout.tracks[:SHOWN]:
            name, amount, plays, _ = st.columns([4, 2, 2, 3], vertical_alignment="center")
            with name:
                components.link("track", names[track.id], track=track.id)
            amount.markdown(track.amount.rounded, text_alignment="right")
            plays.caption(f"{track.plays:,} plays", text_alignment="right")


show()
