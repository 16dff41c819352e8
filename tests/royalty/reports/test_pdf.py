import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from royalty.money import Money
from royalty.reports import pdf
from royalty.reports.pdf import statement_pdf
from royalty.statement import Line, Statement, make_statement
from tests.royalty.statements import heading, statement


@pytest.fixture
def text(tmp_path: Path):
    """Read a document with a reader that is not ours, page by page."""
    if shutil.which("pdftotext") is None:
        message = "needs pdftotext; run apt-get install poppler-utils"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)

    def read(content: bytes) -> list[str]:
        file = tmp_path / "statement.pdf"
        file.write_bytes(content)
        done = subprocess.run(
            ["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True
        )
        assert not done.stderr
        return done.stdout.split("\f")[:-1]

    return read


def with_lines(*lines: Line) -> Statement:
    return make_statement(heading(sum(line.net.micros for line in lines)), lines)


def a_line(**more: object) -> Line:
    return replace(statement().lines[0], **more)


def test_the_first_page_says_whose_it_is_what_is_owed_and_how_it_came_about(text) -> None:
    first = text(statement_pdf(statement()))[0]

    assert "The Agency" in first
    assert re.search(r"€5\.66\s+owed to The Agency at the end of 31 October 2026", first)
    for term, amount in (
        ("opening", "€5.00"),
        ("earned", "€0.656125"),
        ("adjustments", "-€0.000011"),
        ("recouped", "-€0.000007"),
        ("reserved", "-€0.000003"),
        ("withheld", "-€0.000003"),
        ("paid", "-€0.000013"),
        ("closing", "€5.656088"),
    ):
        assert re.search(rf"^{term} .* {re.escape(amount)}$", first, re.MULTILINE)


def test_the_first_page_says_how_sure_it_is_and_how_to_check_it(text) -> None:
    first = " ".join(text(statement_pdf(statement()))[0].split())

    assert "what was earned lies between €0.53 and €0.78" in first
    assert "Sources: app. By right: master €0.474875, publishing €0.181250." in first
    assert "Of €0.688750 gross, agreements leave the platform €0.032625." in first
    assert f"root {'ab' * 32}" in first
    assert "tantieme verify --root ROOT" in first
    assert "'Title of r2' (r2) earned nothing: its licence ended." in first


def test_the_picture_has_its_figures_in_words(text) -> None:
    first = text(statement_pdf(statement()))[0]

    for words in ("g1, 7 plays", "divided equally", "€0.470600", "€0.34 to €0.60"):
        assert words in first


def test_every_line_and_movement_stands_on_the_pages_after(text) -> None:
    drawn = statement()

    _, *pages = text(statement_pdf(drawn))

    rows = re.findall(r"^(\d+) .*? (-?€\S+)(?: +€\S+ to €\S+)?$", "\n".join(pages), re.MULTILINE)
    assert dict(rows) == {
        **{str(line.number): str(line.net) for line in drawn.lines},
        **{str(each.number): str(each.amount) for each in drawn.movements},
    }
    assert "why paid did it" in pages[-1]
    assert "corrects 2026-09/allocation/2026-09/app/DE/EUR" in pages[-1]


def test_pages_are_numbered_and_each_says_what_a_share_is(text) -> None:
    pages = text(statement_pdf(with_lines(*[a_line(allocation=str(n)) for n in range(500)])))

    assert len(pages) > 9
    for number, page in enumerate(pages, start=1):
        assert f"page {number} of {len(pages)}" in page
        assert "a share is an estimate" in page


def test_of_very_many_lines_the_largest_are_printed_and_the_rest_counted(text, monkeypatch) -> None:
    monkeypatch.setattr(pdf, "LINES_MAX", 2)
    cents = [
        a_line(allocation=str(n), gross=net, deductions=net - net, net=net, low=net, high=net)
        for n, net in enumerate(Money(10_000 * n, "EUR") for n in (1, 4, 2, 3))
    ]

    page = " ".join(text(statement_pdf(with_lines(*cents)))[1].split())

    assert (
        page.index("€0.04") < page.index("€0.03") < page.index("and 2 more lines, €0.03 together")
    )
    assert "'tantieme export 2026-10 --payee agency --format csv'" in page


def test_equal_statements_give_equal_bytes_with_the_periods_date() -> None:
    content = statement_pdf(statement())

    assert content == statement_pdf(statement())
    assert re.findall(rb"D:(\d{8})", content) == [b"20261101"]


def test_nothing_but_equal_parts_is_drawn_once(text) -> None:
    equal = a_line(kind="unattributed", track="")

    first = text(statement_pdf(with_lines(equal)))[0]

    assert first.count("divided equally among works") == 1


def test_many_notes_go_on_to_the_next_page_and_the_lines_follow_there(text) -> None:
    notes = tuple(f"note {n}" for n in range(40))

    first, second, *_ = text(statement_pdf(replace(statement(), notes=notes)))

    assert "note 0" in first
    assert second.index("note 39") < second.index("Line by line") < second.index("g1")


def test_names_of_other_alphabets_are_printed(text) -> None:
    lines = [
        a_line(recording=name, title=name, allocation=name)
        for name in ("Léo Ferré", "Дмитрий", "Ελένη", "Dvořák, “Rusalka”")
    ]

    pages = "\n".join(text(statement_pdf(with_lines(*lines))))

    for line in lines:
        assert line.title in pages
    assert "▯" not in pages


def test_a_character_that_the_typeface_lacks_is_shown_to_be_missing(text) -> None:
    named = replace(
        with_lines(a_line(title="初音 🎵\x00\n{nb}")), payee_name="初音ミク", notes=("\ud800",)
    )

    first, *_, last = text(statement_pdf(named))

    assert "▯▯▯▯" in first
    assert "▯▯ ▯ {nb}" in last
    assert "▯ is a character this typeface lacks; the CSV has it." in last


def test_nothing_earned_is_a_page_that_says_so(text) -> None:
    (page,) = text(statement_pdf(make_statement(heading(), [])))

    assert "Nothing was earned in this month." in page
    assert "page 1 of 1" in page


def test_an_account_below_zero_says_what_that_means(text) -> None:
    below = replace(heading(), opening=Money(-5, "EUR"), closing=Money(-5, "EUR"))

    (page,) = text(statement_pdf(make_statement(below, [])))

    assert "coming months make up for it" in page


def test_a_long_title_is_cut_and_an_amount_never_is(text) -> None:
    net = Money(123_456_789_012_345, "EUR")
    long = a_line(
        title="A very long title indeed " * 20 + "No. 3",
        gross=net,
        deductions=net - net,
        net=net,
        low=net,
        high=net,
    )

    page = text(statement_pdf(with_lines(long)))[1]

    assert re.search(r"A very.*….*No\. 3", page)
    assert "€123,456,789.012345" in page
    assert "€123,456,789.01 to €123,456,789.01" in page
