"""Statements as CSV: a row for each line and, after them, each movement; fixed columns.

`kind` tells them apart: a movement's is its term. `net` of all rows adds up to closing less
opening. UTF-8, ISO dates, decimal points, bare line feeds, equal input gives equal bytes. A column
that has no value in a row is there and empty. Text that a spreadsheet would take for
a formula, such as a title that begins with `=`, is preceded by an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from royalty.movements import Movement
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
    # How the amount was found, and what it is a share of.
    "basis",
    "track_plays",
    "track_revenue",
    # What a movement did and why, and the dates that are not those of the usage.
    "what",
    "why",
    "effective_on",
    "booking_period",
    "root",
)

_AMOUNTS = frozenset({"gross", "deductions", "net", "net_lo", "net_hi", "track_revenue"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for one


def statement_csv(statement: Statement) -> bytes:
    """Write one statement's lines and movements."""
    return period_csv([statement])


def period_csv(statements: Iterable[Statement]) -> bytes:
    """Write several statements, one after the other, under one header."""
    rows: list[Row] = [dict(zip(COLUMNS, COLUMNS, strict=True))]
    for statement in sorted(statements, key=lambda statement: statement.id):
        same = _same(statement)
        rows += [{**same, **_line(line)} for line in statement.lines]
        rows += [{**same, **_movement(movement)} for movement in statement.movements]
    return "".join(map(_text, rows)).encode()


def _text(row: Row) -> str:
    text = io.StringIO()
    cells = {name: cell if name in _AMOUNTS else no_formula(cell) for name, cell in row.items()}
    # Only with this line end does the writer quote a lone carriage return inside a title.
    csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def no_formula(cell: str | int | None) -> str | int | None:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _same(statement: Statement) -> Row:
    """Write what all rows of a statement say alike."""
    return {
        "statement_id": statement.id,
        "usage_period": str(statement.period),
        "currency": statement.currency,
        "rule_version": statement.rule_version,
        "booking_period": str(statement.period),
        "root": statement.root,
    }


def _line(line: Line) -> Row:
    return {
        "line_no": line.number,
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
        "fx_rate_id": line.fx_rate,
        "net": line.net.decimal,
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
        "basis": line.basis,
        "track_plays": line.track_plays,
        "track_revenue": None if line.track_revenue is None else line.track_revenue.decimal,
    }


def _movement(movement: Movement) -> Row:
    return {
        "line_no": movement.number,
        "usage_period": str(movement.usage_period),
        "right": movement.right,
        "pool_id": movement.pool,
        "net": movement.amount.decimal,
        "fx_rate_id": movement.fx_rate,
        "adjustment_of": movement.adjusts,
        "posting_id": movement.posting,
        "posting_hash": movement.posting_hash,
        "kind": movement.term,
        "what": movement.what,
        "why": movement.why,
        "effective_on": movement.effective_on.isoformat(),
    }
