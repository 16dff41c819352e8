"""Who gains and who loses by another rule, by how much one rule pays them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import charts, components, identity, reads, tables, wording
from dashboard.months import Month
from db.queries import Band
from royalty.money import MICROS, Money
from royalty.reports.table import Column, Table

HOW_TO_READ = (
    "Bar: what a band gains or loses together. Line: from what some in it lose to what others gain."
)


def show(month: Month, two: tuple[str, str]) -> None:
    """Draw what the second rule changes for those whom the first pays little, and much."""
    first, second = (month.payouts[rule].id for rule in two)
    found = reads.bands(identity.viewer(), reads.place(), (first, second), month.currency)
    if not found:
        return
    st.header("By how much they earn", anchor=False)
    takeaway = _takeaway(two, found)
    st.markdown(components.plain(takeaway))
    bars = [_bar(each) for each in found]
    st.altair_chart(
        charts.ranked(bars, axis=f"Difference, {month.currency}", kinds=charts.CHANGES),
        alt=takeaway,
    )
    st.caption(HOW_TO_READ)
    table = _table(month, two, found)
    # A table's percentages have no sign.
    shown = tables.frame(table).assign(Change=[signed_percent(each) for each in found])
    components.table(shown, alt=takeaway)
    tables.download(table)


def named(band: Band) -> str:
    """Say what the first rule pays each in a band: `nothing`, `below €1`, `€1 to €10`."""
    if not band.low.micros:
        return "nothing"
    if band.low.micros < MICROS:
        return f"below {_whole(Money(MICROS, band.low.currency))}"
    return f"{_whole(band.low)} {'or more' if band.below is None else f'to {_whole(band.below)}'}"


def signed_percent(band: Band) -> str:
    """Write the change with its sign, but for a tiny one; nothing can be a part of nothing."""
    if band.change is None:
        return ""
    part = components.percent(abs(band.difference.micros), band.first.micros)
    sign = "-" if band.change < 0 else "+" if band.change else ""
    return part if part.startswith("<") else f"{sign}{part}"


def _takeaway(two: tuple[str, str], found: Sequence[Band]) -> str:
    """Name the band that gains most, and the one that loses most."""
    first, second = (wording.rule_name(rule).lower() for rule in two)
    most, least = (end(found, key=lambda each: each.difference.micros) for end in (max, min))
    said = []
    if most.difference.micros > 0:
        said.append(f"payees paid {named(most)} gain most, {_signed(most)}")
    if least.difference.micros < 0:
        said.append(f"payees paid {named(least)} lose most, {_signed(least)}")
    what = ", and ".join(said) or "no band gains or loses anything"
    return f"By {second} instead of {first}, {what}."


def _bar(band: Band) -> charts.Bar:
    name = named(band)
    return charts.Bar(
        label=f"{name[:1].upper()}{name[1:]}",
        value=components.place(band.difference),
        low=-components.place(band.lost),
        high=components.place(band.gained),
        shown=_signed(band),
        interval=components.money_range(-band.lost, band.gained),
        kind=charts.CHANGES[band.difference.micros < 0],
    )


def _table(month: Month, two: tuple[str, str], found: Sequence[Band]) -> Table:
    first, second = (wording.rule_name(rule) for rule in two)
    return Table(
        name="bands",
        title="By how much they earn",
        columns=(
            Column(name="paid", title=f"Paid by {first.lower()}"),
            Column(name="payees", title="Payees", kind="count"),
            Column(name="gaining", title="Gain", kind="count"),
            Column(name="losing", title="Lose", kind="count"),
            Column(name=two[0], title=first, kind="money"),
            Column(name=two[1], title=second, kind="money"),
            Column(name="difference", title="Difference", kind="money"),
            Column(name="change", title="Change", kind="percent"),
        ),
        rows=tuple(
            (
                named(each),
                each.payees,
                each.gaining,
                each.losing,
                each.first,
                each.second,
                each.difference,
                each.change,
            )
            for each in found
        ),
        period=month.row.period,
    )


def _whole(money: Money) -> str:
    return money.rounded.removesuffix(".00")


def _signed(band: Band) -> str:
    return components.signed_cents(band.difference)
