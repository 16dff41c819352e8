"""The lines, movements and balances of statements as plain tables: what a workbook's sheets hold.

The machine's own file is `royalty.reports.csv`, whose columns are fixed; these are for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from royalty.catalogue import PPM
from royalty.division import PPB
from royalty.movements import TERMS, Movement
from royalty.period import Period
from royalty.reports.table import Cell, Column, Kind, Table
from royalty.statement import Line, Statement

Noun = TypeVar("Noun")
Field = tuple[str, str, Kind, Callable[[Noun], Cell]]  # name, title, kind, and where it comes from

_STATEMENT: tuple[Field[Statement], ...] = (
    ("payee", "Payee", "id", lambda it: it.payee),
    ("name", "Name", "text", lambda it: it.payee_name),
    ("statement", "Statement", "id", lambda it: it.id),
    ("currency", "Currency", "id", lambda it: it.currency),
    ("opening", "Opening", "money", lambda it: it.opening),
    ("earned", "Earned", "money", lambda it: it.earned),
    *((term, term.capitalize(), "money", lambda it, term=term: it.moved(term)) for term in TERMS),
    ("closing", "Closing", "money", lambda it: it.closing),
    ("low", "Earned, at least", "money", lambda it: it.low),
    ("high", "Earned, at most", "money", lambda it: it.high),
    ("lines", "Lines", "count", lambda it: len(it.lines)),
    ("rule", "Rule", "id", lambda it: it.rule),
    ("rule_version", "Rule and version", "text", lambda it: it.rule_version),
    ("notes", "Notes", "text", lambda it: " ".join(it.notes)),
)
_LINE: tuple[Field[Line], ...] = (
    ("line", "Line", "id", lambda it: it.id),
    ("track", "Track", "id", lambda it: it.track),
    ("title", "Title", "text", lambda it: it.title),
    ("artist", "Artist", "text", lambda it: it.artist),
    ("right", "Right", "text", lambda it: it.right),
    ("source", "Source", "text", lambda it: it.source),
    ("territory", "Territory", "id", lambda it: it.territory),
    ("plays", "Plays", "count", lambda it: it.plays),
    ("basis", "Basis", "text", lambda it: it.basis),
    ("share", "Share", "percent", lambda it: it.share_ppb / PPB),
    ("share_low", "Share, at least", "percent", lambda it: it.low_ppb / PPB),
    ("share_high", "Share, at most", "percent", lambda it: it.high_ppb / PPB),
    ("interest", "Interest", "percent", lambda it: it.interest_ppm / PPM),
    ("gross", "Gross", "money", lambda it: it.gross),
    ("deductions", "Platform's part", "money", lambda it: it.deductions),
    ("net", "Net", "money", lambda it: it.net),
    ("low", "Net, at least", "money", lambda it: it.low),
    ("high", "Net, at most", "money", lambda it: it.high),
    ("currency", "Currency", "id", lambda it: it.net.currency),
    ("track_plays", "Track's plays", "count", lambda it: it.track_plays),
    ("track_revenue", "Track's revenue", "money", lambda it: it.track_revenue),
    ("pool", "Pool", "id", lambda it: it.pool),
    ("pool_amount", "Pool's amount", "money", lambda it: it.pool_amount),
    ("rule", "Rule", "id", lambda it: it.rule),
    ("recording", "Recording", "id", lambda it: it.recording),
    ("isrc", "ISRC", "id", lambda it: it.isrc),
    ("work", "Work", "id", lambda it: it.work),
    ("iswc", "ISWC", "id", lambda it: it.iswc),
    ("artist_isni", "ISNI", "id", lambda it: it.artist_isni),
    ("party", "Party", "id", lambda it: it.party),
    ("party_ipi", "IPI", "id", lambda it: it.party_ipi),
    ("fx_rate", "Rate of exchange", "id", lambda it: it.fx_rate),
    ("allocation", "Allocation", "id", lambda it: it.allocation),
    ("posting", "Posting", "id", lambda it: it.posting),
    ("posting_hash", "Posting's hash", "id", lambda it: it.posting_hash),
)
_MOVEMENT: tuple[Field[Movement], ...] = (
    ("movement", "Movement", "id", lambda it: it.id),
    ("effective_on", "Date", "date", lambda it: it.effective_on),
    ("term", "Term", "text", lambda it: it.term),
    ("what", "What", "text", lambda it: it.what),
    ("why", "Why", "text", lambda it: it.why),
    ("amount", "Amount", "money", lambda it: it.amount),
    ("currency", "Currency", "id", lambda it: it.amount.currency),
    ("usage_period", "Usage of", "id", lambda it: str(it.usage_period)),
    ("adjusts", "Corrects", "id", lambda it: it.adjusts),
    ("right", "Right", "text", lambda it: it.right),
    ("pool", "Pool", "id", lambda it: it.pool),
    ("fx_rate", "Rate of exchange", "id", lambda it: it.fx_rate),
    ("posting", "Posting", "id", lambda it: it.posting),
    ("posting_hash", "Posting's hash", "id", lambda it: it.posting_hash),
)


def balances(period: Period, statements: Sequence[Statement]) -> Table:
    """Put every statement's balance into a row."""
    roots = {each.root for each in statements}
    return Table(
        name="summary",
        title=f"Statements of {period}",
        columns=_columns(_STATEMENT),
        rows=tuple(_row(_STATEMENT, each) for each in statements),
        notes=tuple(sorted({each.to_keep for each in statements if each.to_keep})),
        period=period,
        root=roots.pop() if len(roots) == 1 else None,
    )


def lines(statements: Iterable[Statement]) -> Table:
    """Put every line into a row, after whose it is."""
    pairs = [(each.payee, line) for each in statements for line in each.lines]
    return _of_payees("lines", _LINE, pairs)


def movements(statements: Iterable[Statement]) -> Table:
    """Put every movement into a row, after whose it is."""
    pairs = [(each.payee, movement) for each in statements for movement in each.movements]
    return _of_payees("movements", _MOVEMENT, pairs)


def _of_payees(
    name: str, fields: Sequence[Field[Noun]], pairs: Iterable[tuple[str, Noun]]
) -> Table:
    return Table(
        name=name,
        title=name.capitalize(),
        columns=(Column(name="payee", title="Payee", kind="id"), *_columns(fields)),
        rows=tuple((payee, *_row(fields, noun)) for payee, noun in pairs),
    )


def _columns(fields: Sequence[Field[Noun]]) -> tuple[Column, ...]:
    return tuple(Column(name=name, title=title, kind=kind) for name, title, kind, _ in fields)


def _row(fields: Sequence[Field[Noun]], noun: Noun) -> tuple[Cell, ...]:
    return tuple(of(noun) for *_, of in fields)
