"""Statement lines as CSV: one row per track, recording, right and party; fixed columns.

UTF-8, ISO dates, decimal points, bare line feeds, equal input gives equal bytes. A column of the
interchange format that has no value yet is there and empty. Text that a spreadsheet would take for
a formula, such as a title that begins with `=`, is preceded by an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from royalty.statement import Line, Statement

Row = Mapping[str, str | int | None]

COLUMNS = (
    "statement_id",
    "line_no",
    "usage_period",
    "territory",
    "service_tier",
    "commercial_model",
    "use_type",
    "track_id",
    "isrc",
    "iswc",
    "title",
    "artist",
    "isni",
    "party_ipi",
    "right",
    "plays",
    "pool_id",
    "pool_micros",
    "rule",
    "share_ppb",
    "share_lo",
    "share_hi",
    "interest_ppm",
    "interest_version",
    "gross",
    "deductions",
    "fx_rate_id",
    "net",
    "currency",
    "adjustment_of",
    "posting_id",
    "posting_hash",
    # Ours, after the fixed ones: identifiers without which an amount cannot be walked back.
    "recording_id",
    "work_id",
    "party_id",
    "kind",
    "source",
    "net_lo",
    "net_hi",
    "allocation_id",
    "rule_version",
)

_AMOUNTS = frozenset({"gross", "deductions", "net", "net_lo", "net_hi"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for one


def statement_csv(statement: Statement) -> bytes:
    """Write one statement's lines."""
    return period_csv([statement])


def period_csv(statements: Iterable[Statement]) -> bytes:
    """Write the lines of several statements, one after the other, under one header."""
    rows: list[Row] = [dict(zip(COLUMNS, COLUMNS, strict=True))]
    for statement in sorted(statements, key=lambda statement: statement.id):
        rows += [_row(statement, line) for line in statement.lines]
    return "".join(map(_text, rows)).encode()


def _text(row: Row) -> str:
    text = io.StringIO()
    cells = {name: cell if name in _AMOUNTS else _no_formula(cell) for name, cell in row.items()}
    # Only with this line end does the writer quote a lone carriage return inside a title.
    csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _no_formula(cell: str | int | None) -> str | int | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _row(statement: Statement, line: Line) -> Row:
    return {
        "statement_id": statement.id,
        "line_no": line.number,
        "usage_period": str(statement.period),
        "territory": line.territory,
        "track_id": line.track,
        "isrc": line.isrc,
        "iswc": line.iswc,
        "title": line.title,
        "artist": line.artist,
        "isni": line.artist_isni,
        "party_ipi": line.party_ipi,
        "right": line.right,
        "plays": line.plays,
        "pool_id": line.pool,
        "pool_micros": line.pool_amount.micros,
        "rule": line.rule,
        "share_ppb": line.share_ppb,
        "share_lo": line.low_ppb,
        "share_hi": line.high_ppb,
        "interest_ppm": line.interest_ppm,
        "gross": line.gross.decimal,
        "deductions": line.deductions.decimal,
        "net": line.net.decimal,
        "currency": statement.currency,
        "adjustment_of": line.adjusts,
        "posting_id": line.posting,
        "posting_hash": line.posting_hash,
        "recording_id": line.recording,
        "work_id": line.work,
        "party_id": line.party,
        "kind": line.kind,
        "source": line.source,
        "net_lo": line.low.decimal,
        "net_hi": line.high.decimal,
        "allocation_id": line.allocation,
        "rule_version": statement.rule_version,
    }
