from unittest.mock import patch

import pytest

from dashboard import postings, reads
from db.queries import EVERYONE, Sought, Viewer
from royalty.ledger import payee_of
from royalty.reports.table import table_csv
from tests.dashboard.conftest import CLOSED, OpenPage, texts

BEN = Viewer("ben", frozenset({"ben"}))


def found(where: reads.Place, **sought: str) -> list[str]:
    rows = reads.posted(
        EVERYONE, where, Sought(period=str(CLOSED), **sought), limit=1_000, offset=0
    )
    return [row.id for row in rows]


def test_the_first_number_is_how_many_postings_are_listed(
    open_page: OpenPage, where: reads.Place
) -> None:
    app = open_page("ledger")

    assert not app.exception
    assert app.title[0].value == str(len(found(where)))
    assert "1–31 October 2026" in app.caption[0].value  # noqa: RUF001
    assert list(app.dataframe[1].value["Posting"]) == found(where)


@pytest.mark.parametrize(
    ("given", "sought"),
    [
        ({"account": "payable", "text": "allocation of"}, {"account": "payable"}),
        ({"kind": "allocation", "of_payee": "ben"}, {"payee": "ben"}),
    ],
)
def test_the_address_filters(
    open_page: OpenPage, where: reads.Place, given: dict[str, str], sought: dict[str, str]
) -> None:
    listed = list(open_page("ledger", **given).dataframe[1].value["Posting"])

    assert listed == found(where, **sought)
    assert 0 < len(listed) < len(found(where))


@pytest.mark.parametrize(
    "given", [{"account": "nonsense"}, {"kind": "%"}, {"page_no": "-3", "walk": "x"}]
)
def test_what_an_address_gets_wrong_is_left_out(
    open_page: OpenPage, where: reads.Place, given: dict[str, str]
) -> None:
    app = open_page("ledger", **given)

    assert not app.exception
    assert list(app.dataframe[1].value["Posting"]) == found(where)


def test_totals_add_up_to_nothing_in_a_closed_month(open_page: OpenPage) -> None:
    totals = open_page("ledger").dataframe[0].value

    assert "pool" in list(totals["Account"])
    assert sum(round(float(each) * 10**6) for each in totals["Balance, EUR"]) == 0


def test_a_page_has_its_rows_and_the_next_follows(open_page: OpenPage, where: reads.Place) -> None:
    with patch("dashboard.postings.ROWS", 3):
        second = open_page("ledger", page_no="2")
        beyond = open_page("ledger", page_no="99")

    assert list(second.dataframe[1].value["Posting"]) == found(where)[3:6]
    assert f"4 to 6 of {len(found(where))}" in texts(second)
    assert list(beyond.dataframe[1].value["Posting"]) == found(where)[:3]


def test_a_posting_walks_back_once_it_is_unfolded(open_page: OpenPage) -> None:
    folded = open_page("ledger", account="payable")
    unfolded = open_page("ledger", account="payable", walk="true")

    assert not any(" trail " in code.value for code in folded.code)
    assert any(" trail " in code.value for code in unfolded.code)
    assert "**1. Posting**" in texts(unfolded)


def test_a_payee_finds_own_postings_and_nobody_elses(
    open_page: OpenPage, where: reads.Place
) -> None:
    with patch("dashboard.identity.viewer", return_value=BEN):
        app = open_page("ledger")
        others = open_page("ledger", of_payee="ann")

    mine = reads.posted(BEN, where, Sought(period=str(CLOSED)), limit=1_000, offset=0)
    assert {payee_of(row.account) for row in mine} == {"ben"}
    for page in (app, others):
        shown = "\n".join(frame.value.to_string() for frame in page.dataframe)
        assert "payable.ann" not in shown
        assert "receivable" not in shown


def test_nothing_found_says_what_to_do(open_page: OpenPage) -> None:
    unlike = open_page("ledger", text="no such words")
    unbooked = open_page("ledger", period="2026-11")

    assert "leave some of it out" in texts(unlike)
    assert [code.value for code in unbooked.code] == ["tantieme close 2026-11"]


def test_the_download_has_every_posting_of_the_filter(where: reads.Place) -> None:
    with patch("dashboard.postings.POSTED_MAX", 3):
        rows = list(postings.every(EVERYONE, where, Sought(period=str(CLOSED))))

    content = table_csv(postings.table(CLOSED, rows)).decode()

    assert [row.id for row in rows] == found(where)
    assert content.count("\n") == len(rows) + 1
