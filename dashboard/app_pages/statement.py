"""Statement answers what one payee is owed for a month, and why."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import components, identity, reads, wording
from royalty.catalogue import PPM
from royalty.errors import NotReady
from royalty.period import Period
from royalty.reports import csv, json
from royalty.statement import Line, Statement

LINES_MAX = 10_000  # more than a person reads and a browser likes; the files have all of them
FIGURES = (
    *("Net", "Low", "High", "Share", "Track earned", "Interest", "Plays"),
    *("Gross", "Deductions"),
)
RIGHT = st.column_config.TextColumn(alignment="right")


def show() -> None:
    """Draw the page for the chosen payee."""
    period = components.chosen_period()
    row = reads.standing(identity.viewer(), reads.place(), period)
    if row.status != "closed":
        raise NotReady(
            f"{components.month(period)} is not closed, and there are no statements before that; "
            f"run 'tantieme close {period}'"
        )
    payees = _payees(period, row.rule or "")
    if not payees:
        raise NotReady(f"nobody was paid for {components.month(period)}; all of it is in suspense")
    chosen = components.choose("payee", "Payee", payees)
    statement = reads.statement(identity.viewer(), reads.place(), chosen, period)
    _headline(statement)
    _balance(statement)
    _downloads(statement)
    _movements(statement)
    _notes(statement)
    _lines(statement)
    _root(statement)


def _payees(period: Period, rule: str) -> dict[str, str]:
    """Name those with a statement: who earned most first, then those whose account only moved."""
    viewer, place = identity.viewer(), reads.place()
    earned = reads.payout(viewer, place, period, rule).payees
    return {payee.id: payee.name for payee in earned} | reads.stated(viewer, place, period)


def _headline(statement: Statement) -> None:
    """One number first: what is owed at the end of the month."""
    owed = f"Owed to {statement.payee_name} at the end of {components.month(statement.period)}"
    components.headline(owed, statement.closing.rounded)
    st.markdown(
        f"Earned {statement.earned.rounded} over {components.days(statement.period)} by "
        f"**{wording.rule_name(statement.rule).lower()}**, interval "
        f"{components.money_range(statement.low, statement.high)} (within one run). "
        f"In full: `{statement.closing}`."
    )
    usage = ", ".join(map(components.month, statement.usage_periods))
    booked, closed = components.month(statement.period), str(statement.closed_at)[:10]
    st.caption(f"Usage of {usage}. Booked in {booked}, which was closed on {closed}.")


def _balance(statement: Statement) -> None:
    """Show how opening becomes closing, term by term; what is taken is negative."""
    terms = statement.balance
    still = [term for term, amount in terms.items() if not amount.micros and term != "earned"]
    with st.grid(min_column_width=150):
        st.metric("Opening", statement.opening.rounded, border=True)
        for term, amount in terms.items():
            if term not in still:
                st.metric(term.capitalize(), components.signed_cents(amount), border=True)
        st.metric("= Closing", statement.closing.rounded, border=True)
    if statement.deductions.micros:
        st.caption(
            f"Earned is {statement.gross.rounded} gross, of which agreements leave the platform "
            f"{(-statement.deductions).rounded}."
        )
    if still:
        st.caption(f"Zero this month: {', '.join(still)}.")


def _downloads(statement: Statement) -> None:
    name = f"{statement.period}_{statement.payee}"
    with st.container(horizontal=True):
        for ending, content, mime in (
            ("csv", csv.statement_csv(statement), "text/csv"),
            ("json", json.statement_json(statement), "application/json"),
        ):
            st.download_button(
                f"Download {ending.upper()}",
                content,
                file_name=f"{name}.{ending}",
                mime=mime,
                key=ending,
                on_click="ignore",
                icon=":material/download:",
            )


def _movements(statement: Statement) -> None:
    """Show what moved the account besides earnings, each with why."""
    if not statement.movements:
        return
    st.header("What else moved the account", anchor=False)
    st.dataframe(
        pd.DataFrame(
            {
                "#": each.number,
                "What": each.what,
                "Amount": components.signed(each.amount),
                "Why": each.why,
                "Term": each.term,
                "On": each.effective_on.isoformat(),
                "Corrects or undoes": each.adjusts or "",
                "Posting": each.posting,
            }
            for each in statement.movements[:LINES_MAX]
        ),
        hide_index=True,
        column_config={"Amount": RIGHT},
        key="movements",
        alt=f"What moved {statement.payee_name}'s account besides earnings",
    )


def _notes(statement: Statement) -> None:
    """Say in sentences what no sum can say."""
    if statement.notes:
        st.header("Notes", anchor=False)
        st.markdown("\n".join(f"- {components.plain(note)}" for note in statement.notes))


def _root(statement: Statement) -> None:
    """Give what proves, later and to anybody, that the month is as it was."""
    if statement.root is None:
        return
    st.header("To check later", anchor=False)
    month = components.month(statement.period)
    st.markdown(
        f"Keep the root of {month}. With it this command proves later that not one posting of "
        "the month was changed:"
    )
    command = reads.place().command(f"verify --root {statement.root}")
    st.code(command, language=None, wrap_lines=True)


def _lines(statement: Statement) -> None:
    st.header("Why this amount", anchor=False)
    lines = sorted(statement.lines, key=lambda line: (-line.net.micros, line.number))[:LINES_MAX]
    if not lines:
        st.markdown("Nothing was earned in this period.")
        return
    st.caption(
        f"{len(statement.lines):,} lines, each one party's part of one recording in one track, "
        f"in {statement.currency}, to the micro. Unattributed: money that no recording was shown "
        "to have earned, divided equally among licensed works. Basis: *modelled* amounts follow a "
        "model's shares and have intervals; *terms* are equal parts. Plays, and what a track "
        "earned with all of them, are measured. Choose a line to see what it walks back to."
    )
    event = st.dataframe(
        _table(lines),
        hide_index=True,
        column_config=dict.fromkeys(FIGURES, RIGHT),
        key="lines",
        on_select="rerun",
        selection_mode="single-row",
        alt=f"The lines of {statement.payee_name}'s statement",
    )
    if len(statement.lines) > LINES_MAX:
        st.caption(f"The first {LINES_MAX:,} are shown; the downloads have all of them.")
    chosen = event.selection.rows
    _trail(lines[chosen[0] if chosen and chosen[0] < len(lines) else 0])


def _table(lines: Sequence[Line]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "#": line.number,
            "Recording": line.title,
            "Track": line.track or "unattributed",
            "Net": line.net.decimal,
            "Low": line.low.decimal,
            "High": line.high.decimal,
            "Basis": line.basis,
            "Share": components.percent(line.share_ppb) if line.track else "",
            "Track earned": line.track_revenue.decimal if line.track_revenue else "",
            "Interest": components.percent(line.interest_ppm, PPM),
            "Plays": f"{line.plays:,}" if line.track else "",
            "Gross": line.gross.decimal,
            "Deductions": line.deductions.decimal,
            "Right": line.right,
            "Source": line.source,
            "Territory": line.territory,
        }
        for line in lines
    )


def _trail(line: Line) -> None:
    """Say how to walk one line back to recording and checkpoint."""
    st.subheader(f"Line {line.number} walks back", anchor=False)
    share = (
        f"a {components.percent(line.share_ppb)} share of track `{line.track}`"
        if line.track
        else "its part of the money that no recording could be shown to have earned"
    )
    st.markdown(
        f"{line.net} ← {share} ← pool `{line.pool}` of {line.pool_amount.rounded}, "
        f"divided by **{wording.rule_name(line.rule).lower()}**. To the checkpoint and beyond:"
    )
    st.code(reads.place().command(f"trail {line.id}"), language=None)
    if line.track:
        components.link("track", "What shaped this track", track=line.track)


show()
