"""Rules answers who gains and who loses by another rule, and what each rule is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import blends, charts, components, identity, reads, wording
from dashboard.months import Month, amounts, opened, warn
from db.queries import Difference
from royalty.blend import is_blend
from royalty.concentration import concentration
from royalty.differences import moved
from royalty.division import PPB
from royalty.money import Money, total
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
    first, second = _choose(month)
    differences = _differences(month, first, second)
    with top:
        _headline(month, (first, second), differences)
    _picture(month, (first, second), differences)
    _to_the_micro(month, (first, second), differences)
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


def _differences(month: Month, first: str, second: str) -> tuple[Difference, ...]:
    """Read the differences, the largest gain first and the largest loss last."""
    two = month.payouts[first], month.payouts[second]
    snapshots = two[0].snapshot, two[1].snapshot
    found = reads.differences(identity.viewer(), reads.place(), snapshots, two)
    return tuple(sorted(found, key=lambda each: (-each.amount.micros, each.payee)))


def _headline(month: Month, two: tuple[str, str], differences: Sequence[Difference]) -> None:
    """One number first: how much other payees would get."""
    gains = [each for each in differences if each.amount.micros > 0]
    losses = [each for each in differences if each.amount.micros < 0]
    sure = [each for each in (*gains, *losses) if each.low.micros * each.high.micros > 0]
    one, other = (wording.rule_name(rule) for rule in two)
    components.headline(
        f"More for those who gain, by {_within(other)} instead of {_within(one)}",
        moved(differences, month.currency).rounded,
    )
    st.markdown(
        f"**{len(gains)}** of {len(differences)} payees gain and **{len(losses)}** lose. "
        f"For {len(sure)} of them the interval lies wholly on one side of nothing."
    )


def _picture(month: Month, two: tuple[str, str], differences: Sequence[Difference]) -> None:
    """Draw every rule's amounts, and the difference of two with its interval, row by row."""
    drawn = _both_ends(differences)
    if not drawn:
        components.empty("neither rule pays anybody; all of the pool is in suspense")
        return
    first, second = (wording.rule_name(rule) for rule in two)
    sides = st.grid(2, min_column_width=340, gap="large")
    with sides, st.container():
        st.header("Who gains, who loses", anchor=False)
        bars = [_bar(month, each) for each in drawn]
        st.altair_chart(
            charts.ranked(bars, axis=f"Difference, {month.currency}", kinds=charts.CHANGES),
            alt=f"{bars[0].label} gains most by {_within(second)}, {bars[0].shown}",
        )
        st.caption(HOW_SURE)
    with sides, st.container():
        st.header("Every stored rule", anchor=False)
        st.altair_chart(
            charts.spread(_dots(month, two, drawn), rules=(first, second), axis=month.currency),
            alt=f"What {len(drawn)} payees get by each of {len(month.payouts)} rules",
        )
        st.caption(
            f"Dots: these two rules. Ticks: the other {len(month.payouts) - 2} that are stored."
            + " All of them divide the same money, to the last micro." * month.is_one_whole
        )
    if len(drawn) < len(differences):
        st.caption(f"Drawn: the {len(drawn)} of {len(differences)} payees for whom most changes.")


def _both_ends(differences: Sequence[Difference]) -> list[Difference]:
    """Keep who gains most and who loses most, in their order."""
    widest = sorted(differences, key=lambda each: -abs(each.amount.micros))[:SHOWN]
    kept = {each.payee for each in widest}
    return [each for each in differences if each.payee in kept]


def _bar(month: Month, each: Difference) -> charts.Bar:
    return charts.Bar(
        label=month.names[each.payee],
        value=components.place(each.amount),
        low=components.place(each.low),
        high=components.place(each.high),
        shown=components.signed_cents(each.amount),
        interval=components.money_range(each.low, each.high),
        kind=charts.CHANGES[each.amount.micros < 0],
    )


def _dots(month: Month, two: tuple[str, str], drawn: Sequence[Difference]) -> list[charts.Dot]:
    others = [rule for rule in month.payouts if rule not in two]
    by_rule = {rule: amounts(month.payouts[rule]) for rule in (*others, *two)}
    nothing = Money(0, month.currency)
    return [
        charts.Dot(
            label=month.names[each.payee],
            rule=wording.rule_name(rule),
            value=components.place(paid.get(each.payee, nothing)),
            shown=paid.get(each.payee, nothing).rounded,
        )
        for each in drawn
        for rule, paid in by_rule.items()
    ]


def _to_the_micro(month: Month, two: tuple[str, str], differences: Sequence[Difference]) -> None:
    one, other = (amounts(month.payouts[rule]) for rule in two)
    names, nothing = [wording.rule_name(rule) for rule in two], Money(0, month.currency)
    with st.expander(f"All {len(differences)} payees, to the micro"):
        components.table(
            pd.DataFrame(
                {
                    "Payee": month.names[each.payee],
                    f"{names[0]}, {month.currency}": one.get(each.payee, nothing).decimal,
                    f"{names[1]}, {month.currency}": other.get(each.payee, nothing).decimal,
                    "Difference": components.signed(each.amount),
                    "Low": components.signed(each.low),
                    "High": components.signed(each.high),
                }
                for each in differences
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
    by_rule = {rule: amounts(payout) for rule, payout in month.payouts.items()}
    components.table(
        pd.DataFrame(
            {
                "Rule": wording.rule_name(rule),
                **_measures(month, paid),
                f"Moved from {_within(wording.rule_name(first))}": _moved(
                    by_rule[first], paid, month.currency
                ),
            }
            for rule, paid in by_rule.items()
        ),
        alt="Gini, top tenth and largest part of every stored rule",
    )
    st.caption(
        "Of what payees get; everybody counts whom some rule pays. Gini: 0 where all get the same, "
        "near 1 where one gets all. Top 10 %: the part of the tenth who get most."
    )
    with st.expander(f"All {len(month.names)} payees by every rule, to the micro"):
        nothing = Money(0, month.currency)
        components.table(
            pd.DataFrame(
                {
                    "Payee": name,
                    **{
                        wording.rule_name(rule): paid.get(payee, nothing).decimal
                        for rule, paid in by_rule.items()
                    },
                }
                for payee, name in month.names.items()
            ),
            alt="Each payee's amount under every stored rule",
        )


def _measures(month: Month, paid: Mapping[str, Money]) -> dict[str, str]:
    micros = [paid[payee].micros if payee in paid else 0 for payee in month.names]
    if not any(micros):
        return dict.fromkeys(("Gini", "Top 10 %", "Largest"), "–")  # noqa: RUF001
    found = concentration(micros)
    return {
        "Gini": f"{found.gini:.3f}",
        "Top 10 %": components.percent(round(found.top_10_percent * PPB)),
        "Largest": components.percent(round(found.largest * PPB)),
    }


def _moved(first: Mapping[str, Money], second: Mapping[str, Money], currency: str) -> str:
    """Say how much those who gain by the second rule gain."""
    nothing = Money(0, currency)
    gains = (amount - first.get(payee, nothing) for payee, amount in second.items())
    return total((gain for gain in gains if gain.micros > 0), currency).rounded


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
