"""A strict reader of our RDR-R messages: what a recipient would refuse fails here."""

import re
from dataclasses import dataclass, replace

import pytest

from royalty.money import parse_micros
from royalty.reports import rdr
from royalty.reports.rdr import revenue_details, revenue_summary
from royalty.statement import Statement, make_statement
from tests.royalty.statements import heading, lines, movements, statement

COLUMNS = {"RHEA.01": rdr.HEADER, "SRS1": rdr.SUMMARY, "SRD1": rdr.DETAILS, "RFFO": rdr.FOOTER}
OPTIONAL = {
    "RHEA.01": {"SummaryMessageId", "DistributionDescription"},
    "SRS1": {"PaymentDate", "CollectingMlcName"},
    "SRD1": {"ISRC", "RevenuePoolName"},
    "RFFO": set(),
}
OF_A_RESOURCE = {"ProprietaryResourceId", "ResourceTitle", "ResourceDisplayArtistName"}
ALLOWED = {
    "MessageVersion": "11",
    "StatementType": "RightsController|Contributor",
    "SummaryType": "RightsController|Contributor",
    "ResourceType": "SoundRecording|None",
    "CurrencyOfAccounting": "[A-Z]{3}",
    "TerritoryOfRevenueGeneration": "[A-Z]{2}|Worldwide",
    "MessageCreatedDateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "ISRC": r"([A-Z]{2}[A-Z0-9]{3}\d{7})?",
    "ProprietaryResourceId": r"(tantieme::[^\s|]+)?",
    **dict.fromkeys(("UsageStartDate", "UsageEndDate", "DistributionDate"), r"\d{4}-\d\d-\d\d"),
}
Record = dict[str, str]


@dataclass(frozen=True)
class Message:
    header: Record
    records: list[Record]
    footer: Record


def read(content: bytes) -> Message:
    """Read a message; whatever is not as it must be fails."""
    text = content.decode("utf-8")
    assert text.endswith("\n")
    rows = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
    headings = [row for row in rows if row[0].startswith("#")]
    for row in headings:
        assert row[1:] == list(COLUMNS[row[0].removeprefix("#")])[1:]
    records = [checked(row) for row in rows if row not in headings]
    header, *body, footer = records
    kinds = [record["RecordType"] for record in body]
    assert (header["RecordType"], footer["RecordType"]) == ("RHEA.01", "RFFO")
    assert set(kinds) in ({"SRS1"}, {"SRD1"}, set())
    assert footer["NumberOfRecords"] == str(len(body))
    assert footer["NumberOfLines"] == str(len(rows))
    return Message(header, body, footer)


def checked(row: list[str]) -> Record:
    names, kind = COLUMNS[row[0]], row[0]
    assert len(set(names)) == len(names) == len(row)
    record = dict(zip(names, row, strict=True))
    optional = OPTIONAL[kind] | (OF_A_RESOURCE if record.get("ResourceType") == "None" else set())
    for name, cell in record.items():
        assert cell or name in optional, f"{kind}.{name} is mandatory"
        assert cell == cell.strip()
        assert re.fullmatch(ALLOWED.get(name, r"[^\t\r\n]*"), cell), f"{name} is {cell!r}"
    if "NetRevenueInCurrencyOfAccounting" in record:
        amounts = [parse_micros(record[name]) for name in rdr.AMOUNTS]
        assert parse_micros(record["NetRevenueInCurrencyOfAccounting"]) == sum(amounts)
    return record


def nets(message: Message) -> list[int]:
    return [parse_micros(each["NetRevenueInCurrencyOfAccounting"]) for each in message.records]


def named(title: str, isrc: str | None = "GBAYE0000351") -> Statement:
    [first, *_] = lines("agency")
    line = replace(first, title=title, isrc=isrc)
    return make_statement(heading(line.net.micros), [line])


@pytest.mark.parametrize("moved", [None, []])
@pytest.mark.parametrize("payee", ["agency", "cy"])
def test_details_and_summary_come_to_what_the_account_moved_by_before_payment(
    payee: str, moved: list | None
) -> None:
    drawn = statement(payee, moved)
    summary, details = read(revenue_summary(drawn)), read(revenue_details(drawn))

    assert nets(summary) == [sum(nets(details))]
    assert nets(summary) == [(drawn.closing - drawn.opening - drawn.paid).micros]
    for name in rdr.AMOUNTS:
        parts = sum(parse_micros(each[name]) for each in details.records)
        assert parse_micros(summary.records[0][name]) == parts


def test_the_details_name_the_summary_that_they_belong_to() -> None:
    summary, details = read(revenue_summary(statement())), read(revenue_details(statement()))

    assert summary.header["MessageId"] == "2026-10/agency/summary"
    assert details.header["SummaryMessageId"] == summary.header["MessageId"]
    assert summary.header["SummaryMessageId"] == ""
    assert details.header["MessageId"] != summary.header["MessageId"]


def test_a_recording_is_one_record_for_each_pool_and_right() -> None:
    found = read(revenue_details(statement(moved=[]))).records

    keys = [
        (each["ProprietaryResourceId"], each["AllocatedPartyContributionRole"]) for each in found
    ]
    assert keys == [
        ("tantieme::r1", "tantieme::master"),
        ("tantieme::r1", "tantieme::publishing"),
    ]
    gross = sum(line.gross.micros for line in lines("agency"))
    assert sum(parse_micros(each["PayingMlcGrossAmount"]) for each in found) == gross
    assert {each["AllocatedPartyFullName"] for each in found} == {"The Agency"}
    assert found[0]["PayingMlcCommission"].startswith("-")


def test_movements_are_of_no_recording_and_payments_are_left_out() -> None:
    earned = len(read(revenue_details(statement(moved=[]))).records)
    moved = read(revenue_details(statement())).records[earned:]

    assert len(moved) == len(movements()) - 1
    assert {each["ResourceType"] for each in moved} == {"None"}
    assert moved[0]["UsageStartDate"] == "2026-09-01"  # the month that it corrects
    assert moved[0]["PayingMlcGrossAmount"] == "-0.000011"
    assert moved[1]["PayingMlcOtherDeduction1"] == "-0.000007"
    assert moved[-1]["PayingMlcRoyaltyWithholdingTax"] == "-0.000003"


@pytest.mark.parametrize("break_", ["\t", "\n", "\r\n", "\v", "\x85", "\u2028"])
def test_a_title_cannot_break_a_record(break_: str) -> None:
    [record] = read(revenue_details(named(f"Nacht{break_}lied"))).records

    assert record["ResourceTitle"] == "Nacht lied"


def test_what_is_not_known_is_said_and_what_may_be_empty_is() -> None:
    [record] = read(revenue_details(named("", isrc=None))).records

    assert (record["ResourceTitle"], record["ISRC"]) == ("#unknown#", "")


def test_a_statement_of_nothing_is_a_summary_of_zero() -> None:
    nothing = make_statement(heading(), [])

    assert nets(read(revenue_summary(nothing))) == [0]
    assert read(revenue_details(nothing)).records == []


def test_the_same_statement_gives_the_same_bytes() -> None:
    assert revenue_details(statement()) == revenue_details(statement())
    assert revenue_summary(statement()) == revenue_summary(statement())
