"""Ledger answers what was booked, posting by posting, and what each was booked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import streamlit as st

from dashboard import components, identity, postings, reads, tables, trail_view
from db.queries import Sought
from db.queries.ledger import ACCOUNTS
from royalty.ledger import TransactionKind
from royalty.period import Period

ANY = "any"
SOON = 50_000  # postings are added up within a moment


def show() -> None:
    """Draw the page for the chosen period, or for all."""
    period = components.chosen_period()
    head = st.container()
    sought = _sought(period)
    count = reads.posted_count(identity.viewer(), reads.place(), sought)
    with head:
        when = components.days(period) if sought.period else "all months"
        components.headline(f"Postings found, {when}", f"{count:,}")
        st.caption(
            "A posting is one side of a transaction: a debit is positive, a credit negative, and a "
            "transaction's sides add up to nothing. None is ever changed: what was wrong is undone "
            "by another."
        )
    if count:
        _totals(period, sought, count)
        _postings(period, sought, count)
    else:
        _nothing(period, sought)


def _sought(period: Period) -> Sought:
    """Draw the filters; their values stand in the address."""
    with st.grid(5, min_column_width=140):
        account = _one_of("account", "Account", ACCOUNTS)
        kind = _one_of("kind", "Kind of transaction", get_args(TransactionKind))
        payee = _text("of_payee", "Payee", "An id")
        pool = _text("pool", "Pool", f"{period}/app/DE/EUR")
        text = _text("text", "Why or transaction", "A part of it")
    every = st.toggle("All months", key="all_months", bind="query-params")
    return Sought(
        period="" if every else str(period),
        account=account,
        kind=kind,
        payee=payee,
        pool=pool,
        text=text,
    )


def _one_of(key: str, label: str, names: Sequence[str]) -> str:
    chosen = st.selectbox(label, [ANY, *names], key=key, bind="query-params")
    return "" if chosen in {None, ANY} else str(chosen)


def _text(key: str, label: str, example: str) -> str:
    typed = st.text_input(label, key=key, bind="query-params", placeholder=example, max_chars=200)
    return (typed or "").strip()


def _nothing(period: Period, sought: Sought) -> None:
    if sought == Sought(period=str(period)):
        components.empty(
            f"nothing of {components.month(period)} that you may see is booked yet; a month is "
            f"booked when it is closed: run 'tantieme close {period}'"
        )
    else:
        components.empty("no posting that you may see is like this; leave some of it out")


def _totals(period: Period, sought: Sought, count: int) -> None:
    """Add up by kind of account: at once where that is quick, else when it is unfolded."""
    folded = st.expander(
        "By kind of account", expanded=count <= SOON, key="totals", on_change="rerun"
    )
    if not folded.open:
        return
    totals = reads.account_totals(identity.viewer(), reads.place(), sought)
    largest = max(totals, key=lambda each: each.postings)
    with folded:
        tables.show(
            postings.totals_table(period, totals),
            alt=f"Most postings, {largest.postings:,}, are on {largest.account}",
        )


def _postings(period: Period, sought: Sought, count: int) -> None:
    """Draw one page of postings, and the walk back from the one that is chosen."""
    st.header("Posting by posting", anchor=False)
    viewer, where = identity.viewer(), reads.place()
    pages = -(-count // postings.ROWS)
    page = st.pagination(pages, key="page_no", bind="query-params") if pages > 1 else 1
    start = postings.ROWS * (min(page, pages) - 1)
    rows = reads.posted(viewer, where, sought, limit=postings.ROWS, offset=start)
    st.caption(
        f"{start + 1:,} to {start + len(rows):,} of {count:,}, in the order of the chain; the "
        "download has all of them. Choose one to walk it back."
    )
    place = tables.select(
        postings.table(period, rows),
        alt=f"{len(rows)} of {count:,} postings, each with its account, amount and cause",
        whole=lambda: postings.table(period, list(postings.every(viewer, where, sought))),
    )
    chosen = rows[place]
    st.markdown(
        f"Posting **{chosen.id}** is `{chosen.amount.signed}` on `{chosen.account}`: "
        f"{components.plain(chosen.memo)}"
    )
    trail_view.fold(f"Posting {chosen.id} walks back", chosen.id, key="walk")
    if chosen.payee:
        components.link("statement", f"The statement of {chosen.payee}", payee=chosen.payee)


show()
