"""What one listener can move by each rule, and what the one who moved most did move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import components, identity, listeners_view, reads, tables, wording
from db.queries import PeriodRow
from royalty.blend import weights
from royalty.errors import NotReady
from royalty.money import Money
from royalty.period import Period
from royalty.reports.table import Column, Table
from royalty.rules import RULES

COLUMNS = (
    Column(name="rule", title="Rule"),
    Column(name="moved", title="Most moved", kind="money"),
    Column(name="payee", title="Of whose money"),
    Column(name="listener", title="By listener", kind="id"),  # to auditors only
    Column(name="fee", title="Their fee", kind="money"),
    Column(name="fees", title="Times the fee"),
    Column(name="tried", title="Listeners tried"),
)
EXPLAINED = (
    "The month as it is, beside the month in which one listener played nothing and had paid all "
    "the same: whose plays changed any one payee's money most. Above one fee, a listener decides "
    "over other people's money. By settings, rights and shares as they were when the command ran."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """What one listener moved of one payee's money by a rule: more than any other listener did."""

    rule: str  # by its name, as the payee
    moved: Money
    payee: str
    listener: str | None  # a pseudonym; None where nobody moved anything, or may be shown
    fee: Money | None
    fees: str  # how many fees that is, or that none was paid
    tried: str  # how many listeners of how many

    @property
    def size(self) -> Money:
        """How much was moved, to the payee or away."""
        return Money(abs(self.moved.micros), self.moved.currency)


def show(period: Period) -> None:
    """Say what one listener can move by each rule, what one did, and who listened narrowly."""
    st.header("What one listener can move", anchor=False)
    row = reads.standing(identity.viewer(), reads.place(), period)
    bounded = [rule for rule in row.computed if _bounded(rule)]
    others = [rule for rule in row.computed if rule not in bounded]
    if bounded:
        st.markdown(f"At most their own fee, of any one payee's money: {_named(bounded)}.")
    if others:
        st.markdown(f"More than that, where they play much for their fee: {_named(others)}.")
    st.caption(wording.HOLDS)
    with components.refusals():
        _measured(row)
    listeners_view.fold(period)


def _bounded(rule: str) -> bool:
    """Whether no listener can move a payee by more than their fee: of a blend, by all its rules."""
    return all("click_fraud_proof" in RULES[name].has for name in weights(rule))


def _named(rules: list[str]) -> str:
    return ", ".join(f"**{wording.rule_name(rule).lower()}**" for rule in rules)


def _measured(row: PeriodRow) -> None:
    """Draw who moved most. Raises `NotReady`, with the command, where that is not worked out."""
    found = _movers(_kept(row))
    if not found:
        st.markdown("Nobody played anything.")
        return
    first = found.get(row.rule or "") or max(found.values(), key=lambda each: each.size.micros)
    label = f"Most that one listener moved by {first.rule.lower()}"
    paid = first.fee is not None and first.fee.micros > 0
    beside = f"{first.fees} times their fee" if paid else None
    st.metric(label, first.size.rounded, beside, delta_color="off", delta_arrow="off", border=True)
    st.caption(EXPLAINED + " Listeners go by pseudonyms." * identity.viewer().listeners)
    tables.show(_table(row.period, found.values()), alt=f"{label}: {first.size.rounded}")


def _kept(row: PeriodRow) -> Mapping[str, Any]:
    """Read what the command found. Raises `NotReady` where it did not run, or more came in since.

    Nothing comes in for a closed month, and shares that are given later are not of it.
    """
    viewer, where, period = identity.viewer(), reads.place(), row.period
    found = reads.movers(viewer, where, period)
    if found is None:
        raise NotReady(
            "how much the one who moved most did move under every rule is worked out by playing "
            f"the month without each of them; run 'tantieme audit {period} rules'"
        )
    there = reads.inputs(viewer, where, period)
    now = {"usage": there.usage, "revenue": there.revenue}
    if row.status == "open":
        now["shares"] = there.shares.get(found["provider"], [])
    if any(found["inputs"][kind] != came for kind, came in now.items()):
        raise NotReady(
            f"usage, revenue or shares came in after it was worked out who moved most in "
            f"{components.month(period)}, so that is left out; run 'tantieme audit {period} rules'"
        )
    moved: Mapping[str, Any] = found["moved"]
    return moved


def _movers(moved: Mapping[str, Any]) -> dict[str, Mover]:
    """Name who moved most by each rule, in the order of the rules, with listeners' pseudonyms."""
    viewer = identity.viewer()
    names: dict[str, str] = {}
    if viewer.listeners:
        listeners = tuple(sorted({each["listener"] for each in moved.values()}))
        names = reads.pseudonyms(viewer, reads.place(), listeners)
    return {rule: _mover(rule, moved[rule], names) for rule in RULES if rule in moved}


def _mover(rule: str, most: Mapping[str, Any], names: Mapping[str, str]) -> Mover:
    """Make a mover of what the document says; of a change of nothing it names nobody."""
    moved, tried, of = Money(**most["change"]), most["tried"], most["of"]
    some = moved.micros != 0
    fees = "paid none" if most["fees"] is None else f"{most['fees']:,.2f}"
    return Mover(
        rule=wording.rule_name(rule),
        moved=moved,
        payee=most["payee_name"] if some else "nobody",
        listener=names.get(most["listener"]) if some else None,
        fee=Money(**most["fee"]) if some else None,
        fees=fees if some else "",
        tried=f"all {of:,}" if tried == of else f"{tried:,} of {of:,}",
    )


def _table(period: Period, found: Iterable[Mover]) -> Table:
    shown = identity.viewer().listeners
    columns = tuple(each for each in COLUMNS if each.name != "listener" or shown)
    return Table(
        name="movers",
        title="What one listener moved most",
        columns=columns,
        rows=tuple(tuple(getattr(each, column.name) for column in columns) for each in found),
        period=period,
    )
