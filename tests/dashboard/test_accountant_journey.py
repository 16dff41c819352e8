"""An accountant: what another rule would pay, a statement as a workbook, and its postings."""

import io
import re

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from dashboard import postings, reads
from db.queries import EVERYONE, Difference, Sought
from royalty.differences import moved
from royalty.reports.table import table_csv
from royalty.reports.xlsx import statement_xlsx
from tests.dashboard.browsing import Watch, content, go, headline, opened, saved, settle
from tests.dashboard.conftest import CLOSED

pytestmark = pytest.mark.browser


def test_an_accountant_compares_rules_takes_a_workbook_and_finds_its_postings(
    url: str, page: Page, where: reads.Place
) -> None:
    first = reads.earnings(EVERYONE, where, CLOSED, "pro_rata").payees[0]
    watch = Watch(page)

    opened(page, f"{url}/?period=2026-10")
    page.get_by_role("link", name=re.compile("rules, side by side")).click()
    page.wait_for_url("**/rules*")
    settle(page)
    expect(headline(page)).to_have_text(moved(differences(where), "EUR").rounded)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("2026-10")
    blended(page)

    go(page, "Statement")
    expect(page.get_by_text("Why this amount")).to_be_visible()
    expect(page.get_by_role("combobox", name="Period")).to_have_value("2026-10")
    workbook_holds(page, where, first.id)

    go(page, "Ledger")
    found_in_the_ledger(page, where, first.id)
    assert watch.faults == []


def differences(where: reads.Place) -> tuple[Difference, ...]:
    one, other = (
        reads.payout(EVERYONE, where, CLOSED, rule) for rule in ("pro_rata", "user_centric")
    )
    return reads.differences(EVERYONE, where, (one.snapshot, other.snapshot), (one, other))


def blended(page: Page) -> None:
    """Check that the slider changes the preview, and the address with it."""
    expect(page.get_by_text("Preview, not stored")).to_be_visible()
    page.get_by_role("slider").press("ArrowRight")
    page.wait_for_url(re.compile(r"[?&]part=55(&|$)"))
    settle(page)


def workbook_holds(page: Page, where: reads.Place, payee: str) -> None:
    """Check that another program opens the workbook, and finds the statement's numbers in it."""
    statement = reads.statement(EVERYONE, where, payee, CLOSED)
    given = content(saved(page, "Download XLSX"))
    book = openpyxl.load_workbook(io.BytesIO(given))
    cells = {cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}

    assert given == statement_xlsx(statement)
    assert statement.payee_name in cells
    assert any(
        isinstance(cell, int | float) and round(cell * 10**6) == statement.closing.micros
        for cell in cells
    )


def found_in_the_ledger(page: Page, where: reads.Place, payee: str) -> None:
    """Filter by a payee; what is counted and what is downloaded is that payee's."""
    page.get_by_label("Payee", exact=True).fill(payee)
    page.get_by_label("Payee", exact=True).press("Enter")
    page.wait_for_url(re.compile(rf"[?&]of_payee={payee}(&|$)"))
    sought = Sought(period=str(CLOSED), payee=payee)
    rows = list(postings.every(EVERYONE, where, sought))
    expect(headline(page)).to_have_text(f"{len(rows):,}")
    settle(page)  # the address changes before the page is drawn anew, from its headline down

    with page.expect_download() as file:
        page.get_by_role("button", name="Download CSV").last.click()
    assert rows
    assert content(file.value) == table_csv(postings.table(CLOSED, rows))
