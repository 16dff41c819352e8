"""Statement answers what one payee is owed for a month, and why."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import components, identity, reads, statement_files, trail_view, wording
from db.queries import AccountMonth, Window
from royalty.catalogue import PPM
from royalty.errors import NotReady
from royalty.money import total
from royalty.movements import Movement
from royalty.period import Period
from royalty.statement import Line, Statement

LINES_MAX = 5_000  # of lines and of movements: more than a person reads; the files have all
PAYEES_MAX = 1_000  # to choose from at once; the others are found by name
FIGURES = (
    *("Net", "Low", "High", "Share", "Track earned", "Interest", "Plays"),
    *("Gross", "Deductions"),
)
FEW = "few listeners"  # what stands for plays that would say what single people played
TITLE = st.column_config.TextColumn(width=260)  # so that a long one hides no interval
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
    payees = _payees(period)
    if not payees:
        raise NotReady(f"nobody was paid for {components.month(period)}; all of it is in suspense")
    chosen = components.choose("payee", "Payee", payees)
    statement = reads.statement(identity.viewer(), reads.place(), chosen, period)
    _headline(statement)
    _balance(statement, _month_before(statement))
    statement_files.offer(statement)
    _adjustments(statement)
    _movements(statement)
    _notes(statement)
    _lines(statement)
    _root(statement)


def _payees(period: Period) -> dict[str, str]:
    """Name those with a statement: who earned most first, then those whose account only moved.

    Where more were paid than a list can hold, the rest are found by a part of their names.
    """
    viewer, place = identity.viewer(), reads.place()
    page = reads.payees_page(viewer, place, period, Window(limit=PAYEES_MAX))
    if page.count <= PAYEES_MAX:
        return page.names | reads.stated(viewer, place, period)
    text = st.text_input(
        f"Find one of {page.count:,} payees",
        key="find",
        bind="query-params",
        placeholder="A part of a name or id",
    )
    named = st.query_params.get("payee", "") if not text else ""
    found = reads.payees_page(viewer, place, period, Window(search=text or named, limit=PAYEES_MAX))
    if text and not found.names:
        st.caption(f"Nobody is called that in {components.month(period)}.")
    return found.names if text and found.names else found.names | page.names


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


def _month_before(statement: Statement) -> AccountMonth | None:
    """Read how the account moved in the month before; None where that is not closed."""
    viewer, where, before = identity.viewer(), reads.place(), statement.period.before(1)
    if not any(row.period == before for row in reads.periods(viewer, where)):
        return None
    return reads.account_month(viewer, where, statement.payee, before, statement.currency)


def _balance(statement: Statement, before: AccountMonth | None) -> None:
    """Show how opening becomes closing, term by term, beside the month before."""
    now = {"Opening": statement.opening, **statement.balance, "= Closing": statement.closing}
    then = {} if before is None else {"Opening": before.opening, **before.terms}
    then |= {} if before is None else {"= Closing": before.closing}
    still = [
        term
        for term in statement.balance
        if term != "earned" and not now[term].micros and (not then or not then[term].micros)
    ]
    with st.grid(min_column_width=150):
        for term, amount in now.items():
            if term not in still:
                ends = term in {"Opening", "= Closing"}
                beside = "" if before is None else f"{then[term].rounded} in {before.period}"
                st.metric(
                    term if ends else term.capitalize(),
                    amount.rounded if ends else components.signed_cents(amount),
                    beside or None,
                    delta_color="off",
                    delta_arrow="off",
                    border=True,
                )
    said = ["Opening and what follows add up to closing as they stand: what is taken is negative."]
    if statement.deductions.micros:
        said.append(
            f"Earned is {statement.gross.rounded} gross, of which agreements leave the platform "
            f"{(-statement.deductions).rounded}."
        )
    if still:
        said.append(f"Zero this month: {', '.join(still)}.")
    if before is None:
        said.append("The month before has no money in these books.")
    st.caption(" ".join(said))


def _adjustments(statement: Statement) -> None:
    """Show what corrects earlier months, apart from what is of this one."""
    earlier = [each for each in statement.movements if each.usage_period != statement.period]
    if not earlier:
        return
    st.header("Put right of earlier months", anchor=False)
    for period in sorted({each.usage_period for each in earlier}):
        amount = total(
            (each.amount for each in earlier if each.usage_period == period), statement.currency
        )
        st.markdown(f"{components.month(period)}: **{components.signed_cents(amount)}**")
    _moved(earlier, "adjustments", f"What {statement.id} puts right of earlier months")


def _movements(statement: Statement) -> None:
    """Show what else moved the account, each with why."""
    own = [each for each in statement.movements if each.usage_period == statement.period]
    if own:
        st.header("What else moved the account", anchor=False)
        _moved(own, "movements", f"What moved {statement.payee_name}'s account besides earnings")


def _moved(movements: Sequence[Movement], key: str, alt: str) -> None:
    """Draw movements; a chosen one, else the first, can be walked back."""
    shown = movements[:LINES_MAX]
    event = st.dataframe(
        pd.DataFrame(
            {
                "#": each.number,
                "What": each.what,
                "Amount": components.signed(each.amount),
                "Why": each.why,
                "Term": each.term,
                "Usage of": str(each.usage_period),
                "On": each.effective_on.isoformat(),
                "Corrects or undoes": each.adjusts or "",
                "Posting": each.posting,
            }
            for each in shown
        ),
        hide_index=True,
        column_config={"Amount": RIGHT},
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        alt=alt,
    )
    chosen = event.selection.rows
    each = shown[chosen[0] if chosen and chosen[0] < len(shown) else 0]
    trail_view.fold(f"Movement {each.number} walks back", each.id, key=f"walk_{key}")


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
        column_config={"Recording": TITLE, **dict.fromkeys(FIGURES, RIGHT)},
        key="lines",
        on_select="rerun",
        selection_mode="single-row",
        alt=f"The lines of {statement.payee_name}'s statement",
    )
    if len(statement.lines) > LINES_MAX:
        st.caption(f"The first {LINES_MAX:,} are shown; the downloads have all of them.")
    _trail(_chosen(lines, event.selection.rows))


def _chosen(lines: Sequence[Line], rows: Sequence[int]) -> Line:
    """Take the line that was chosen, else the one that the address names, else the first."""
    if rows and rows[0] < len(lines):
        return lines[rows[0]]
    named = st.query_params.get("line", "")
    return next((line for line in lines if str(line.number) == named), lines[0])


def _table(lines: Sequence[Line]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "#": line.number,
            "Recording": line.title,
            "Track": line.track or "unattributed",
            "Share": components.percent(line.share_ppb) if line.track else "",
            "Net": line.net.decimal,
            "Low": line.low.decimal,
            "High": line.high.decimal,
            "Right": line.right,
            "Basis": line.basis,
            "Track earned": line.track_revenue.decimal if line.track_revenue else "",
            "Interest": components.percent(line.interest_ppm, PPM),
            "Plays": _plays(line),
            "Gross": line.gross.decimal,
            "Deductions": line.deductions.decimal,
            "Source": line.source,
            "Territory": line.territory,
        }
        for line in lines
    )


def _plays(line: Line) -> str:
    if not line.track:
        return ""
    return FEW if line.plays is None else f"{line.plays:,}"


def _trail(line: Line) -> None:
    """Walk one line back: in a sentence, and step by step to recording and checkpoint."""
    st.subheader(f"Line {line.number} walks back", anchor=False)
    share = (
        f"a {components.percent(line.share_ppb)} share of track `{line.track}`"
        if line.track
        else "its part of the money that no recording could be shown to have earned"
    )
    st.markdown(
        f"{line.net} ← {share} ← pool `{line.pool}` of {line.pool_amount.rounded}, "
        f"divided by **{wording.rule_name(line.rule).lower()}**."
    )
    trail_view.fold("Every step, to the checkpoint and beyond", line.id, key="walk")
    if line.track:
        components.link("track", "What shaped this track", track=line.track)


show()
