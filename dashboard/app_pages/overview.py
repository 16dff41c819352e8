"""Overview answers what a month earned, for whom, and how much of it has no known source."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts, components, flow_of_money, identity, reads, wording
from dashboard.months import Divided, divided, warn_of_stale
from db.queries import LARGEST, Earnings, PayeeAmount, PeriodRow, TrackRow, Window
from royalty.money import Money

LISTED = Window(limit=1_000)  # payees in the table
SOURCES = {
    "unattributed": "Parts of tracks that no work cleared against the placebos. "
    "Divided equally among the licensed works, so it is paid, but not for influence shown.",
    "suspense": "Money that nobody can be paid yet: plays of tracks without shares, "
    "and parts of recordings whose holder is not known.",
    "idle": "Money of listeners who paid and played nothing, divided by everybody's plays.",
    "attributed": "What recordings were shown to have earned, in the tracks that they shaped.",
    "equally": "Unattributed money, and what the rule itself gives to all works: the same for "
    "each licensed work, whatever was played.",
}


_Months = tuple[Earnings, Earnings | None]  # this one, and the one before


def show() -> None:
    """Draw the page for the chosen period."""
    month = divided(components.chosen_period())
    warn_of_stale(month)
    rule = _choose_rule(month)
    earned = _earned(month.row, rule)
    before = _before(month.row, rule)
    if identity.viewer().sees_all:
        _headline(month.row, earned, before)
        _tiles(earned, before)
    else:
        _own_headline(month.row, earned, before)
        _own_tiles(earned, before)
    _payees(earned)
    flow_of_money.show(earned)
    _other_rules(month, earned)
    _tracks(earned)


def _choose_rule(month: Divided) -> str:
    """Pick a rule among those computed, the one the month was closed by first."""
    with st.sidebar:
        return components.choose(
            "rule", "Rule", {rule: wording.rule_name(rule) for rule in month.fresh}
        )


def _earned(row: PeriodRow, rule: str, window: Window = LARGEST) -> Earnings:
    return reads.earnings(identity.viewer(), reads.place(), row.period, rule, window)


def _before(row: PeriodRow, rule: str) -> Earnings | None:
    """Read the month before, by the rule that closed it or else by the one that is looked at."""
    for each in reads.periods(identity.viewer(), reads.place()):
        if each.period == row.period.before(1) and (each.rule or rule) in each.computed:
            return _earned(each, each.rule or rule)
    return None


def _headline(row: PeriodRow, earned: Earnings, before: Earnings | None) -> None:
    """One number first: the pool, its days and what it is."""
    components.headline(f"Money to divide, {components.days(row.period)}", earned.pool.rounded)
    st.markdown(
        f"The royalty-bearing part of the {earned.gross.rounded} that came in, divided by "
        f"{_by(row, earned)}. In full: `{earned.pool}`. {_then(before)}"
    )


def _own_headline(row: PeriodRow, earned: Earnings, before: Earnings | None) -> None:
    """One number first: what the viewer's parties earned."""
    components.headline(f"Earned, {components.days(row.period)}", earned.paid.rounded)
    st.markdown(
        f"Your part of the month, divided by {_by(row, earned)}. In full: `{earned.paid}`. "
        f"{_then(before, own=True)}"
    )


def _by(row: PeriodRow, earned: Earnings) -> str:
    standing = "closed, final" if row.status == "closed" else "a preview; the month is open"
    return f"**{wording.rule_name(earned.rule).lower()}** ({standing})"


def _then(before: Earnings | None, *, own: bool = False) -> str:
    if before is None:
        return ""
    amount = before.paid if own else before.pool
    by = wording.rule_name(before.rule).lower()
    return f"In {components.month(before.period)} it was {amount.rounded}, by {by}."


def _tiles(earned: Earnings, before: Earnings | None) -> None:
    with st.grid(min_column_width=150):
        for name in ("unattributed", "suspense", "idle"):
            _tile(name, name.capitalize(), (earned, before), (earned.pool, "the pool"))
        components.count_tile("Payees", earned.payee_count, "this month")
        components.count_tile("Recordings", earned.recording_count, "this month")
    held = [f"{kind} {part.rounded}" for kind, part in earned.suspense_kinds.items()]
    st.caption(
        f"**Unattributed:** {SOURCES['unattributed']} **Suspense:** {SOURCES['suspense']}"
        + (f" Of it: {', '.join(held)}." if held else "")
    )


def _own_tiles(earned: Earnings, before: Earnings | None) -> None:
    """Part what the viewer's parties earned: by influence that was shown, and the rest."""
    with st.grid(min_column_width=220):
        _tile("attributed", "Attributed", (earned, before), (earned.paid, "it"))
        _tile("equally", "In equal parts", (earned, before), (earned.paid, "it"))
    st.caption(f"**Attributed:** {SOURCES['attributed']} **The rest:** {SOURCES['equally']}")


def _tile(name: str, label: str, months: _Months, of: tuple[Money, str]) -> None:
    """Draw a tile of one of the amounts of a month, with how it changed since the month before."""
    earned, before = months
    amount: Money = getattr(earned, name)
    since = "" if before is None else components.since(amount, getattr(before, name), before.period)
    components.share_tile(label, amount, of, why=SOURCES[name], since=since)


def _payees(earned: Earnings) -> None:
    st.header("Who earned it", anchor=False)
    if not earned.payees:
        components.empty("nobody earned anything; all of the pool is in suspense")
        return
    names = components.distinct({payee.id: payee.name for payee in earned.payees})
    first = earned.payees[0]
    sides = st.grid(2, min_column_width=360, gap="large")
    with sides, st.container():
        st.altair_chart(
            charts.ranked([_bar(names, each) for each in earned.payees], axis=earned.pool.currency),
            alt=f"{names[first.id]} earned most, {first.amount.rounded}",
        )
        st.caption(
            "Bar: the amount. Line: its interval, from the interval of every share in it, "
            "within one training run."
        )
    with sides, st.container(gap="xxsmall"):
        for payee in earned.payees:
            _payee_row(names, payee)
    _all_payees(earned)


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
    name, amount = st.columns([3, 2], gap="xsmall", vertical_alignment="center")
    with name:
        components.link("statement", names[payee.id], payee=payee.id)
    interval = components.money_range(payee.low, payee.high)
    amount.markdown(f"{payee.amount.rounded}  \n:gray[:small[{interval}]]", text_alignment="right")


def _all_payees(earned: Earnings) -> None:
    """Draw the largest payees as a table, to the micro."""
    row = reads.standing(identity.viewer(), reads.place(), earned.period)
    listed = _earned(row, earned.rule, LISTED)
    shown, count = len(listed.payees), earned.payee_count
    some = f"All {count:,}" if shown == count else f"The {shown:,} largest of {count:,}"
    with st.expander(f"{some} payees, to the micro"):
        table = _payee_table(listed)
        components.table(table, alt=f"{some} payees, each with its amount and interval")
        components.download(lambda: table, "payees", f"{earned.period}_{earned.rule}_payees")


def _payee_table(earned: Earnings) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Payee": payee.name,
            f"Amount, {payee.amount.currency}": payee.amount.decimal,
            "Low": payee.low.decimal,
            "High": payee.high.decimal,
            "Of it attributed": payee.attributed.decimal,
            "Of the pool": components.percent(payee.amount.micros, earned.pool.micros),
            "Id": payee.id,
        }
        for payee in earned.payees
    )


def _other_rules(month: Divided, earned: Earnings) -> None:
    """Say in a sentence what another rule would change, and lead to the page that shows it."""
    viewer, period = identity.viewer(), month.row.period
    others = [name for name in month.fresh if name != earned.rule]
    if not others:
        components.empty(
            f"only one rule was computed for {components.month(period)}; "
            f"run 'tantieme payouts {period} --compare' to see others beside it"
        )
        return
    by = "user_centric" if "user_centric" in others else others[0]
    payouts = (earned.id, _earned(month.row, by).id)
    gains = reads.gains(viewer, reads.place(), payouts, earned.pool.currency)
    st.markdown(
        f"By **{wording.rule_name(by).lower()}**, {gains.gaining:,} of {gains.payees:,} payees "
        f"would earn more, {gains.amount.rounded} in all."
    )
    if viewer.sees_all:
        label = f"This month by {len(month.fresh)} rules, side by side"
        components.link("rules", label, rule=earned.rule)


def _tracks(earned: Earnings) -> None:
    found = reads.tracks_page(identity.viewer(), reads.place(), earned.id, LARGEST)
    if not found.rows:
        return
    st.header("Most earning tracks", anchor=False)
    names = components.distinct({track.id: track.title for track in found.rows})
    with st.container(gap="xxsmall"):
        for track in found.rows:
            _track_row(names, track)
    components.link("tracks", f"All {found.count:,} tracks of the month")


def _track_row(names: dict[str, str], track: TrackRow) -> None:
    name, amount, plays, _ = st.columns([4, 2, 2, 3], vertical_alignment="center")
    with name:
        components.link("track", names[track.id], track=track.id)
    if track.earned is not None:
        amount.markdown(track.earned.rounded, text_alignment="right")
    if track.plays is not None:
        plays.caption(f"{track.plays:,} plays", text_alignment="right")


show()
