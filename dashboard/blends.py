"""What a blend of two stored rules would pay: worked out on the page, stored nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import charts, components, wording
from dashboard.months import LISTED, Month, Paid, some_of
from db.queries import PayeeAmount
from royalty.blend import Blend, Ends, is_blend, mixed
from royalty.catalogue import PPM
from royalty.money import Money

SHOWN = 12  # payees drawn; the table has more
STEP = 5  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Blended:
    """What a blend would pay one payee, between the ends of its interval."""

    id: str
    name: str
    amount: Money
    low: Money
    high: Money


def show(month: Month, first: str, second: str) -> None:
    """Draw the preview of a blend of two rules; a blend is not blended again."""
    st.header("Part by one, part by the other", anchor=False)
    if is_blend(first) or is_blend(second):
        components.empty("one of these two is a blend already; choose two rules to blend them")
        return
    if month.payouts[first].pool != month.payouts[second].pool:
        components.empty("these two divide different money, so a part of each is no whole")
        return
    _draw(month, first, second)


@st.fragment
def _draw(month: Month, first: str, second: str) -> None:
    one, other = (wording.rule_name(rule).lower() for rule in (first, second))
    part = st.slider(
        f"Of every pool, divided by {other} instead of {one}",
        min_value=STEP,
        max_value=100 - STEP,
        value=50,
        step=STEP,
        key="part",
        bind="query-params",
        format="%d %%",
    )
    parts = dict(sorted({first: 100 - part, second: part}.items()))
    blend = Blend(weights_ppm={rule: each * PPM // 100 for rule, each in parts.items()})
    paid = _paid(blend, month.paid_to(month.ranked(parts, SHOWN)))
    st.badge("Preview, not stored", icon=":material/visibility:", color="orange")
    if paid:
        st.altair_chart(
            charts.ranked([_bar(each) for each in paid], axis=month.currency),
            alt=f"By the blend {paid[0].name} gets most, {paid[0].amount.rounded}",
        )
    _explain(month, blend)
    some = some_of(min(month.count, LISTED), month.count)
    folded = st.expander(
        f"{some} payees of the preview, to the cent", key="of_the_preview", on_change="rerun"
    )
    if folded.open:
        with folded:
            stored = month.paid_to(month.ranked(parts, LISTED))
            found = _table(stored, (first, second), _paid(blend, stored))
            components.table(found, alt="What the blend would pay")


def _paid(blend: Blend, stored: Paid) -> list[Blended]:
    """Blend what stored payouts give payees, with their intervals; the largest first."""
    ends = {rule: _ends(stored.by_rule[rule].values()) for rule in blend.weights_ppm}

    def money(micros: int) -> Money:
        return Money(micros, stored.currency)

    paid = [
        Blended(
            id=payee,
            name=stored.names[payee],
            amount=money(micros),
            low=money(low),
            high=money(high),
        )
        for payee, (micros, low, high) in mixed(blend, ends).items()
    ]
    return sorted(paid, key=lambda each: -each.amount.micros)


def _ends(payees: Iterable[PayeeAmount]) -> dict[str, Ends]:
    return {each.id: (each.amount.micros, each.low.micros, each.high.micros) for each in payees}


def _bar(payee: Blended) -> charts.Bar:
    return charts.Bar(
        label=payee.name,
        value=components.place(payee.amount),
        low=components.place(payee.low),
        high=components.place(payee.high),
        shown=payee.amount.rounded,
        interval=components.money_range(payee.low, payee.high),
    )


def _explain(month: Month, blend: Blend) -> None:
    """Say where the figures come from, and how to store them while that can be done."""
    st.caption(
        "Worked out here from the two stored payouts: a blend is linear, so it needs no plays. "
        "A stored blend rounds line by line, and may differ by some micros."
    )
    if month.row.status == "closed":
        st.caption("The month is closed, so no further rule can be stored for it.")
    else:
        st.code(f"tantieme payouts {month.row.period} --rule {blend}", language=None)


def _table(stored: Paid, rules: tuple[str, str], paid: Sequence[Blended]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Payee": each.name,
            "Preview": each.amount.rounded,
            "Interval": components.money_range(each.low, each.high),
            **{wording.rule_name(rule): stored.amount(rule, each.id).rounded for rule in rules},
        }
        for each in paid
    )
