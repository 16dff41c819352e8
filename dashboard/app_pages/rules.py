"""Rules answers who gains and who loses by another rule, and what each rule is worth."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import bands, blends, charts, components, identity, reads, wording
from dashboard.months import LISTED, Month, Paid, opened, some_of, warn
from db.queries import Difference, Gains
from royalty.blend import is_blend
from royalty.concentration import Concentration
from royalty.division import PPB
from royalty.rules import PROPERTIES, RULES

SHOWN = 16  # payees drawn: who gains most and who loses most
HOW_SURE = (
    "Bar: the difference. Line: its interval. Both rules pay by the same shares, so an error in "
    "one moves both amounts: a difference is as uncertain as the shares of what earns more or less."
)


def show() -> None:
    """Draw the page for the chosen period."""
    month = opened(components.chosen_period())
    warn(month)
    if len(month.payouts) == 1:
        _alone(month)
        _what([*month.payouts])
        _every_property()
        return
    top = st.container()
    first, second = two = _choose(month)
    paid = month.paid_to(_most_changed(month, two, SHOWN))
    drawn = _differences(month, two, paid)
    with top:
        _headline(month, two, drawn)
    _picture(month, two, paid, drawn)
    _to_the_micro(month, two)
    bands.show(month, two)
    _what([first, second])
    _every_rule(month, first)
    _every_property()
    blends.show(month, first, second)


def _alone(month: Month) -> None:
    """Say that there is nothing to compare; what is stale has been told, with its command."""
    (rule,) = month.payouts
    if not month.stale:
        components.empty(
            f"only {wording.rule_name(rule).lower()} was computed for "
            f"{components.month(month.row.period)}; run 'tantieme payouts {month.row.period} "
            "--compare' to see others beside it"
        )


def _choose(month: Month) -> tuple[str, str]:
    """Pick the two rules; the one that closed the month comes first."""
    names = {rule: wording.rule_name(rule) for rule in month.payouts}
    with st.grid(2, min_column_width=240):
        first = components.choose("rule", "Paid by", names)
        others = {rule: name for rule, name in names.items() if rule != first}
        second = components.choose("other", "Beside it", others)
    return first, second


def _most_changed(month: Month, two: tuple[str, str], limit: int) -> list[str]:
    first, second = two
    return month.ranked({first: -1, second: 1}, limit)


def _differences(month: Month, two: tuple[str, str], paid: Paid) -> tuple[Difference, ...]:
    """Read some payees' differences, the largest gain first and the largest loss last."""
    one, other = (month.payouts[rule] for rule in two)
    found = reads.differences_of(
        identity.viewer(),
        reads.place(),
        tuple(paid.names),
        (one, other),
        one.snapshot,
        other.snapshot,
    )
    return tuple(sorted(found, key=lambda each: (-each.amount.micros, each.payee)))


def _headline(month: Month, two: tuple[str, str], drawn: Sequence[Difference]) -> None:
    """One number first: how much other payees would get."""
    gains, losses = _gains(month, two), _gains(month, two[::-1])
    sure = [each for each in drawn if each.low.micros * each.high.micros > 0]
    one, other = (wording.rule_name(rule) for rule in two)
    components.headline(
        f"More for those who gain, by {_within(other)} instead of {_within(one)}",
        gains.amount.rounded,
    )
    st.markdown(
        f"**{gains.gaining:,}** of {gains.payees:,} payees gain and **{losses.gaining:,}** lose. "
        f"Of the {len(drawn)} drawn, {len(sure)} have an interval wholly on one side of nothing."
    )


def _gains(month: Month, two: tuple[str, str]) -> Gains:
    one, other = (month.payouts[rule].id for rule in two)
    return reads.gains(identity.viewer(), reads.place(), (one, other), month.currency)


def _picture(month: Month, two: tuple[str, str], paid: Paid, drawn: Sequence[Difference]) -> None:
    """Draw every rule's amounts, and the difference of two with its interval, row by row."""
    if not drawn:
        components.empty("neither rule pays anybody; all of the pool is in suspense")
        return
    first, second = (wording.rule_name(rule) for rule in two)
    sides = st.grid(2, min_column_width=340, gap="large")
    with sides, st.container():
        st.header("Who gains, who loses", anchor=False)
        bars = [_bar(paid, each) for each in drawn]
        st.altair_chart(
            charts.ranked(bars, axis=f"Difference, {month.currency}", kinds=charts.CHANGES),
            alt=f"{bars[0].label} gains most by {_within(second)}, {bars[0].shown}",
        )
        st.caption(HOW_SURE)
    with sides, st.container():
        st.header("Every stored rule", anchor=False)
        st.altair_chart(
            charts.spread(_dots(two, paid, drawn), rules=(first, second), axis=month.currency),
            alt=f"What {len(drawn)} payees get by each of {len(month.payouts)} rules",
        )
        st.caption(
            f"Dots: these two rules. Ticks: the other {len(month.payouts) - 2} that are stored."
            + " All of them divide the same money, to the last micro." * month.is_one_whole
        )
    if len(drawn) == SHOWN:
        st.caption(f"Drawn: the {SHOWN} payees for whom most changes.")


def _bar(paid: Paid, each: Difference) -> charts.Bar:
    return charts.Bar(
        label=paid.names[each.payee],
        value=components.place(each.amount),
        low=components.place(each.low),
        high=components.place(each.high),
        shown=components.signed_cents(each.amount),
        interval=components.money_range(each.low, each.high),
        kind=charts.CHANGES[each.amount.micros < 0],
    )


def _dots(two: tuple[str, str], paid: Paid, drawn: Sequence[Difference]) -> list[charts.Dot]:
    others = [rule for rule in paid.by_rule if rule not in two]
    return [
        charts.Dot(
            label=paid.names[each.payee],
            rule=wording.rule_name(rule),
            value=components.place(paid.amount(rule, each.payee)),
            shown=paid.amount(rule, each.payee).rounded,
        )
        for each in drawn
        for rule in (*others, *two)
    ]


def _to_the_micro(month: Month, two: tuple[str, str]) -> None:
    """List differences; their intervals are worked out once somebody unfolds this."""
    count = _gains(month, two).payees
    some = some_of(min(count, LISTED), count)
    folded = st.expander(f"{some} payees, to the micro", key="to_the_micro", on_change="rerun")
    if not folded.open:
        return
    paid = month.paid_to(_most_changed(month, two, LISTED))
    one, other = (f"{wording.rule_name(rule)}, {month.currency}" for rule in two)
    with folded:
        components.table(
            pd.DataFrame(
                {
                    "Payee": paid.names[each.payee],
                    one: paid.amount(two[0], each.payee).decimal,
                    other: paid.amount(two[1], each.payee).decimal,
                    "Difference": components.signed(each.amount),
                    "Low": components.signed(each.low),
                    "High": components.signed(each.high),
                }
                for each in _differences(month, two, paid)
            ),
            alt="Each payee's amount under both rules, with the difference and its interval",
        )


def _what(rules: Sequence[str]) -> None:
    """Say of rules what they do, and which properties they have and lack."""
    st.header("What they do", anchor=False)
    st.caption(wording.HOLDS)
    sides = st.grid(len(rules), min_column_width=340, gap="large")
    for rule in rules:
        with sides, st.container():
            st.subheader(wording.rule_name(rule), anchor=False)
            st.markdown(wording.sentence(rule))
            has, rest = wording.properties(rule)
            components.chips([wording.MEANINGS[name][0] for name in has], "primary")
            if rest:
                st.caption("Not shown" if is_blend(rule) else "Lacks")
                components.chips([wording.MEANINGS[name][0] for name in rest], "gray")


def _every_rule(month: Month, first: str) -> None:
    st.header("How concentrated each makes it", anchor=False)
    found = reads.concentrations(identity.viewer(), reads.place(), month.row.period)
    components.table(
        pd.DataFrame(
            {
                "Rule": wording.rule_name(rule),
                **_measures(found.get(rule)),
                f"Moved from {_within(wording.rule_name(first))}": _gains(
                    month, (first, rule)
                ).amount.rounded,
            }
            for rule in month.payouts
        ),
        alt="Gini, top tenth and largest part of every stored rule",
    )
    st.caption(
        "Of what payees get; everybody counts whom some rule pays. Gini: 0 where all get the same, "
        "near 1 where one gets all. Top 10 %: the part of the tenth who get most."
    )
    _by_every_rule(month)


def _by_every_rule(month: Month) -> None:
    """List payees by all rules, once somebody unfolds this."""
    some = some_of(min(month.count, LISTED), month.count)
    folded = st.expander(
        f"{some} payees by every rule, to the micro", key="by_every_rule", on_change="rerun"
    )
    if not folded.open:
        return
    paid = month.paid_to(month.ranked(dict.fromkeys(month.payouts, 1), LISTED))
    with folded:
        components.table(
            pd.DataFrame(
                {
                    "Payee": name,
                    **{
                        wording.rule_name(rule): paid.amount(rule, payee).decimal
                        for rule in month.payouts
                    },
                }
                for payee, name in paid.names.items()
            ),
            alt="Each payee's amount under every stored rule",
        )


def _measures(found: Concentration | None) -> dict[str, str]:
    if found is None:  # it pays nobody
        return dict.fromkeys(("Gini", "Top 10 %", "Largest"), "–")  # noqa: RUF001
    return {
        "Gini": f"{found.gini:.3f}",
        "Top 10 %": components.percent(round(found.top_10_percent * PPB)),
        "Largest": components.percent(round(found.largest * PPB)),
    }


def _every_property() -> None:
    """Set all rules beside all properties, with what these mean."""
    with st.expander("Every rule and every property"):
        components.matrix(
            pd.DataFrame(
                {
                    wording.rule_name(rule): [
                        wording.MARKS[name in each.has] for name in PROPERTIES
                    ]
                    for rule, each in RULES.items()
                },
                index=[wording.MEANINGS[name][0] for name in PROPERTIES],
            ),
            alt="Which rule has which property",
        )
        st.markdown(
            "\n".join(f"- **{word}.** {meaning}" for word, meaning in wording.MEANINGS.values())
        )


def _within(name: str) -> str:
    """Write a rule's name as it stands within a sentence."""
    return name[:1].lower() + name[1:]


show()
