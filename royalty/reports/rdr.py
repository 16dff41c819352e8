"""Statements as DDEX RDR-R 1.1 flat files: a RevenueSummary and a RevenueDetails message.

Records are lines of tab-separated cells: RHEA.01, then SRS1 (one, the summary) or SRD1 (the
details), then RFFO. Above SRS1 or SRD1 stands a line of its cells' names that begins with `#`, as
the standard recommends (6.4.14). What is taken is negative, so that the net is a plain sum
(6.5). Equal statements give equal bytes: a message was created when its month was closed.

Read in the standard's text: the records and their order (6.3), RHEA.01's cells 1 to 9, SRS1's cells
1 to 10, the signs and the names of all amounts of SRS1 and SRD1 but the gross one (6.5).
Not to be found, and so ours: the order of the other cells, taken from the like records of RDR-R
(RHEA, RS02 and RD01) where those have them; RFFO's cells after the first; the version of the
allowed values; the values of ours, `tantieme::…`, for uses and roles that no allowed value names;
and `#unknown#`, which another DDEX standard writes where a mandatory cell has no value. Both
parties' DDEX identifiers are such: the books hold none. Agree on these with who receives it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from royalty.money import Money, total
from royalty.movements import Movement, Term
from royalty.period import Period
from royalty.statement import Line, Statement

UNKNOWN = "#unknown#"
OURS = "tantieme::"  # the namespace of identifiers and values of ours
AVS_VERSION = "4"
AMOUNTS = (
    "PayingMlcGrossAmount",
    "PayingMlcCommission",
    "PayingMlcSocialCulturalDeduction",
    "PayingMlcAdministrationCostDeduction",
    "PayingMlcOtherDeduction1",
    "PayingMlcOtherDeduction2",
    "PayingMlcInterestWithholdingTax",
    "PayingMlcRoyaltyWithholdingTax",
    "PayingMlcOtherWithholdingTax",
)
HEADER = (
    "RecordType",
    "MessageVersion",
    "AvsVersionId",
    "MessageId",
    "MessageCreatedDateTime",
    "SummaryMessageId",
    "UsageStartDate",
    "UsageEndDate",
    "DistributionDate",
    "DistributionDescription",
    "SenderPartyId",
    "SenderName",
    "RecipientPartyId",
    "RecipientName",
)
SUMMARY = (
    "RecordType",
    "RecordId",
    "SummaryType",
    "CurrencyOfAccounting",
    "NetRevenueInCurrencyOfAccounting",
    "PaymentDate",
    "PaymentRecipientId",
    "PaymentRecipientName",
    "CollectingMlcName",
    "PayingMlcName",
    *AMOUNTS,
)
DETAILS = (
    "RecordType",
    "RecordId",
    "StatementType",
    "PayingMlcName",
    "PayingMlcAllocatedPartyId",
    "AllocatedPartyFullName",
    "AllocatedPartyContributionRole",
    "ResourceType",
    "ISRC",
    "ProprietaryResourceId",
    "ResourceTitle",
    "ResourceDisplayArtistName",
    "TerritoryOfRevenueGeneration",
    "UseType",
    "UsageSourceName",
    "RevenuePoolName",
    "UsageStartDate",
    "UsageEndDate",
    "CurrencyOfAccounting",
    *AMOUNTS,
    "NetRevenueInCurrencyOfAccounting",
)
FOOTER = ("RecordType", "NumberOfRecords", "NumberOfLines")

Record = Mapping[str, str]
Amounts = Mapping[str, Money]  # by the name of their cell
_CELL_OF: dict[Term, str] = {
    "adjustments": "PayingMlcGrossAmount",
    "recouped": "PayingMlcOtherDeduction1",
    "reserved": "PayingMlcOtherDeduction2",
    "withheld": "PayingMlcRoyaltyWithholdingTax",
}  # what was paid is no revenue, but what became of it
_WORLD = {"WW": "Worldwide"}
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")


def revenue_summary(statement: Statement) -> bytes:
    """Write what a payee is allocated in a closed month, as one SRS1 record."""
    amounts = _sums(_details(statement))
    record = {
        "RecordType": "SRS1",
        "RecordId": statement.id,
        "SummaryType": "RightsController",
        "CurrencyOfAccounting": statement.currency,
        "NetRevenueInCurrencyOfAccounting": _net(amounts, statement),
        "PaymentRecipientId": f"{OURS}{statement.payee}",
        "PaymentRecipientName": statement.payee_name,
        "PayingMlcName": UNKNOWN,
        **_cells(amounts),
    }
    return _message(_header(statement, "summary"), SUMMARY, [record])


def revenue_details(statement: Statement) -> bytes:
    """Write what a payee is allocated in a closed month, record by record.

    An SRD1 of a recording for each pool and right, over all tracks; and one without a recording
    for each movement but payments, so that the nets of all come to the summary's, which is
    closing less opening less what was paid.
    """
    records = [
        {
            **record,
            "RecordId": str(number),
            **_cells(amounts),
            "NetRevenueInCurrencyOfAccounting": _net(amounts, statement),
        }
        for number, (record, amounts) in enumerate(_details(statement), start=1)
    ]
    return _message(_header(statement, "details"), DETAILS, records)


def _details(statement: Statement) -> Iterator[tuple[Record, Amounts]]:
    """Yield what every detail record says, and its amounts."""
    same = _same(statement)
    groups: defaultdict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in statement.lines:
        groups[line.pool, line.recording or "", line.right].append(line)
    for _, lines in sorted(groups.items()):
        yield {**same, **_resource(lines[0]), **_months(statement.period)}, _earned(lines)
    for movement in statement.movements:
        if movement.term in _CELL_OF:
            amounts = {_CELL_OF[movement.term]: movement.amount}
            yield {**same, **_moved(movement), **_months(movement.usage_period)}, amounts


def _same(statement: Statement) -> Record:
    return {
        "RecordType": "SRD1",
        "StatementType": "RightsController",
        "PayingMlcName": UNKNOWN,
        "PayingMlcAllocatedPartyId": f"{OURS}{statement.payee}",
        "AllocatedPartyFullName": statement.payee_name,
        "UseType": f"{OURS}generated_music",
        "CurrencyOfAccounting": statement.currency,
    }


def _resource(line: Line) -> Record:
    return {
        "AllocatedPartyContributionRole": f"{OURS}{line.right}",
        "ResourceType": "SoundRecording",
        "ISRC": line.isrc or "",
        "ProprietaryResourceId": f"{OURS}{line.recording}",
        "ResourceTitle": line.title or UNKNOWN,
        "ResourceDisplayArtistName": line.artist or UNKNOWN,
        "TerritoryOfRevenueGeneration": _WORLD.get(line.territory, line.territory),
        "UsageSourceName": line.source,
        "RevenuePoolName": line.pool,
    }


def _moved(movement: Movement) -> Record:
    """Describe what is of no recording; the standard's type of resource for that is None."""
    return {
        "AllocatedPartyContributionRole": f"{OURS}{movement.right or movement.term}",
        "ResourceType": "None",
        "TerritoryOfRevenueGeneration": "Worldwide",
        "UsageSourceName": movement.what,
        "RevenuePoolName": movement.pool or "",
    }


def _months(period: Period) -> Record:
    return {
        "UsageStartDate": period.start.isoformat(),
        "UsageEndDate": period.last_day.isoformat(),
    }


def _earned(lines: Sequence[Line]) -> Amounts:
    currency = lines[0].net.currency
    return {
        "PayingMlcGrossAmount": total((line.gross for line in lines), currency),
        "PayingMlcCommission": total((line.deductions for line in lines), currency),
    }


def _sums(details: Iterable[tuple[Record, Amounts]]) -> Amounts:
    sums: dict[str, Money] = {}
    for _, amounts in details:
        for name, amount in amounts.items():
            sums[name] = sums[name] + amount if name in sums else amount
    return sums


def _header(statement: Statement, message: str) -> Record:
    """Head a message; the details name the summary that they belong to."""
    created = statement.closed_at or f"{statement.period.end}T00:00:00Z"
    return {
        "RecordType": "RHEA.01",
        "MessageVersion": "11",
        "AvsVersionId": AVS_VERSION,
        "MessageId": f"{statement.id}/{message}",
        "MessageCreatedDateTime": f"{created[:19]}Z",
        "SummaryMessageId": f"{statement.id}/summary" if message == "details" else "",
        **_months(statement.period),
        "DistributionDate": created[:10],
        "SenderPartyId": UNKNOWN,
        "SenderName": UNKNOWN,
        "RecipientPartyId": UNKNOWN,
        "RecipientName": statement.payee_name,
    }


def _cells(amounts: Amounts) -> Record:
    return {name: _text(amounts[name]) if name in amounts else "0" for name in AMOUNTS}


def _net(amounts: Amounts, statement: Statement) -> str:
    return _text(total(amounts.values(), statement.currency))


def _text(amount: Money) -> str:
    return amount.decimal if amount.micros else "0"


def _message(header: Record, columns: Sequence[str], records: Sequence[Record]) -> bytes:
    """Put a message together; the footer counts every line of it, the headings and itself too."""
    heading = ["\t".join([f"#{records[0]['RecordType']}", *columns[1:]])] if records else []
    body = [_line(columns, record) for record in records]
    lines = [_line(HEADER, header), *heading, *body]
    count, length = str(len(records)), str(len(lines) + 1)
    last = {"RecordType": "RFFO", "NumberOfRecords": count, "NumberOfLines": length}
    return "".join(f"{line}\n" for line in [*lines, _line(FOOTER, last)]).encode()


def _line(columns: Sequence[str], record: Record) -> str:
    return "\t".join(_BREAKS.sub(" ", record.get(name, "")) for name in columns)
