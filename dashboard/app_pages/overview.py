"""Overview answers what a month earned, for whom, and how much of it has no known source."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts, components, identity, reads
from db.queries import PayeeAmount, Payout, PeriodRow
from royalty.audit import compare
from royalty.errors import NotReady
from royalty.money import MICROS, Money
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
    period = components.chosen_period()
    row = reads.standing(identity.viewer(), reads.place(), period)
    if not row.computed:
        raise NotReady(
            f"{components.month(period)} has usage or revenue and no payout yet; "
            f"run 'tantieme payouts {period} --compare'"
        )
    payouts = {rule: _payout(period, rule) for rule in row.computed}
    rule = _choose_rule(row)
    _headline(row, payouts[rule])
    _tiles(payouts[rule])
    _payees(payouts[rule])
    _rules(period, payouts)
    _tracks(payouts[rule])


def _payout(period: Period, rule: str) -> Payout:
    return reads.payout(identity.viewer(), reads.place(), period, rule)


def _choose_rule(row: PeriodRow) -> str:
    """Pick a rule among those computed, the one the month was closed by first."""
    rules = sorted(row.computed, key=lambda rule: (rule != row.rule, rule))
    with st.sidebar:
        return components.choose(
            "rule", "Rule", {rule: components.rule_name(rule) for rule in rules}
        )


def _headline(row: PeriodRow, payout: Payout) -> None:
    """One number first: the pool, its days and what it is."""
    components.headline(f"Money to divide, {components.days(row.period)}", payout.pool.rounded)
    standing = "closed, final" if row.status == "closed" else "a preview; the month is open"
    st.markdown(
        f"The royalty-bearing part of the {payout.gross.rounded} that came in, divided by "
        f"**{components.rule_name(payout.rule).lower()}** ({standing}). "
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
        value=_place(payee.amount),
        low=_place(payee.low),
        high=_place(payee.high),
        shown=payee.amount.rounded,
        interval=components.money_range(payee.low, payee.high),
    )


def _payee_row(names: dict[str, str], payee: PayeeAmount) -> None:
    name, amount, interval = st.columns([6, 2, 4], vertical_alignment="center")
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


def _rules(period: Period, payouts: dict[str, Payout]) -> None:
    st.header("The same month under two rules", anchor=False)
    columns = st.columns(2, gap="large")
    for column, (rule, sentence) in zip(columns, components.RULES.items(), strict=True):
        column.markdown(f"**{components.rule_name(rule)}.** {sentence}")
    missing = [rule for rule in components.RULES if rule not in payouts]
    if missing:
        hyphens = missing[0].replace("_", "-")
        components.empty(
            f"only one rule was computed for {components.month(period)}; "
            f"run 'tantieme payouts {period} --rule {hyphens}' to see the other beside it"
        )
        return
    _comparison(payouts)


def _comparison(payouts: dict[str, Payout]) -> None:
    first, second = components.RULES
    table = _differences(payouts)
    rules = components.rule_name(first), components.rule_name(second)
    gains = [row for row in table if row[3].micros > 0]
    st.altair_chart(
        charts.compared(
            [_pair(*row) for row in table[:SHOWN]],
            rules=rules,
            axis=payouts[first].pool.currency,
        ),
        alt=f"{len(gains)} of {len(table)} payees earn more under {rules[1].lower()}",
    )
    st.caption(
        f"{len(gains)} of {len(table)} payees earn more under {rules[1].lower()}. "
        "Both rules divide the same pool to the last micro."
    )
    components.table(
        pd.DataFrame(
            {
                "Payee": name,
                f"{rules[0]}, {one.currency}": one.decimal,
                f"{rules[1]}, {two.currency}": two.decimal,
                "Difference": _signed(difference),
            }
            for name, one, two, difference in table
        ),
        alt="Each payee's amount under both rules, with the difference",
    )


def _differences(payouts: dict[str, Payout]) -> list[tuple[str, Money, Money, Money]]:
    """Return each payee's name, amount under either rule and difference, widest first."""
    first, second = components.RULES
    both = {rule: payouts[rule].payees for rule in (first, second)}
    names = components.distinct({payee.id: payee.name for paid in both.values() for payee in paid})
    amounts = {rule: {payee.id: payee.amount for payee in paid} for rule, paid in both.items()}
    rows = [
        (names[row.payee], row.amounts[first], row.amounts[second], row.differences[second])
        for row in compare(amounts, payouts[first].pool.currency)
    ]
    return sorted(rows, key=lambda row: (-abs(row[3].micros), row[0]))


def _pair(name: str, one: Money, two: Money, difference: Money) -> charts.Pair:
    return charts.Pair(
        label=name,
        first=_place(one),
        second=_place(two),
        first_shown=one.rounded,
        second_shown=two.rounded,
        difference=_signed(difference),
    )


def _tracks(payout: Payout) -> None:
    st.header("Most earning tracks", anchor=False)
    names = components.distinct({track.id: track.title for track in payout.tracks})
    with st.container(gap="xxsmall"):
        for track in payout.tracks[:SHOWN]:
            name, amount, plays, _ = st.columns([4, 1, 1, 4], vertical_alignment="center")
            with name:
                components.link("track", names[track.id], track=track.id)
            amount.markdown(track.amount.rounded, text_alignment="right")
            plays.caption(f"{track.plays:,} plays", text_alignment="right")


def _signed(money: Money) -> str:
    return f"+{money.decimal}" if money.micros > 0 else money.decimal


def _place(money: Money) -> float:
    """Return where an amount lies on an axis; never a figure to read."""
    return money.micros / MICROS


show()
