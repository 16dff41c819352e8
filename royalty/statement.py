"""What a payee is owed for a period, line by line.

Opening + earned + adjustments - recouped - reserved - withheld - paid = closing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from royalty.money import Money, total
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One amount and all that it walks back to: one party's part of one recording in one track."""

    number: int = 0  # from 1; given by `make_statement`
    id: str = ""  # 2026-10/<payee>/<number>; given by `make_statement`
    kind: str  # attributed, or unattributed: money that no recording could be shown to have earned
    pool: str  # 2026-10/app/DE/EUR
    pool_amount: Money
    source: str
    territory: str
    track: str  # empty where kind is unattributed
    recording: str | None
    work: str | None
    title: str = ""
    artist: str = ""
    isrc: str | None = None
    iswc: str | None = None
    party: str
    party_ipi: str | None = None
    artist_isni: str | None = None
    right: str
    plays: int
    share_ppb: int
    low_ppb: int
    high_ppb: int
    interest_ppm: int
    gross: Money
    deductions: Money  # negative, so that net is a plain sum
    net: Money
    low: Money  # the interval on net
    high: Money
    rule: str  # by which its pool was divided
    posting: str | None = None
    posting_hash: str | None = None
    allocation: str | None = None
    adjusts: str | None = None

    def __post_init__(self) -> None:
        assert self.net == self.gross + self.deductions, f"line of {self.track}: net is off"
        assert self.low.micros <= self.net.micros <= self.high.micros, "net is outside its interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movements:
    """What moved a payee's account besides earnings. All but adjustments are positive amounts."""

    opening: Money
    adjustments: Money
    recouped: Money
    reserved: Money
    withheld: Money
    paid: Money

    @classmethod
    def none(cls, currency: str, *, opening: Money | None = None) -> Movements:
        """Nothing but, perhaps, an opening balance."""
        zero = Money(0, currency)
        return cls(
            opening=opening or zero,
            adjustments=zero,
            recouped=zero,
            reserved=zero,
            withheld=zero,
            paid=zero,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One payee's account in one period and currency; its lines add up to what was earned."""

    id: str  # 2026-10/<payee>
    payee: str
    payee_name: str
    period: Period
    currency: str
    rule: str
    rule_version: str = ""  # with options and rules of sources
    opening: Money
    lines: tuple[Line, ...]
    earned: Money
    adjustments: Money
    recouped: Money
    reserved: Money
    withheld: Money
    paid: Money
    closing: Money

    def __post_init__(self) -> None:
        assert self.earned == total((line.net for line in self.lines), self.currency), self.id
        spent = self.recouped + self.reserved + self.withheld + self.paid
        assert self.opening + self.earned + self.adjustments - spent == self.closing, self.id

    @property
    def low(self) -> Money:
        """The lower end of what was earned: errors of one run are taken to lean one way."""
        return total((line.low for line in self.lines), self.currency)

    @property
    def high(self) -> Money:
        """The upper end of what was earned, by the same caution."""
        return total((line.high for line in self.lines), self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Whose statement it is, of which period, by which rule."""

    payee: str
    payee_name: str
    period: Period
    rule: str
    rule_version: str = ""

    @property
    def statement_id(self) -> str:
        """The statement's id, such as `2026-10/ann`."""
        return f"{self.period}/{self.payee}"


def make_statement(heading: Heading, lines: Iterable[Line], movements: Movements) -> Statement:
    """Put lines into canonical order, number them, and draw the balance."""
    ordered = sorted(lines, key=_order)
    numbered = tuple(
        replace(line, number=number, id=f"{heading.statement_id}/{number}")
        for number, line in enumerate(ordered, start=1)
    )
    currency = movements.opening.currency
    earned = total((line.net for line in numbered), currency)
    spent = movements.recouped + movements.reserved + movements.withheld + movements.paid
    return Statement(
        id=heading.statement_id,
        payee=heading.payee,
        payee_name=heading.payee_name,
        period=heading.period,
        rule=heading.rule,
        rule_version=heading.rule_version,
        currency=currency,
        opening=movements.opening,
        lines=numbered,
        earned=earned,
        adjustments=movements.adjustments,
        recouped=movements.recouped,
        reserved=movements.reserved,
        withheld=movements.withheld,
        paid=movements.paid,
        closing=movements.opening + earned + movements.adjustments - spent,
    )


def _order(line: Line) -> tuple[str, ...]:
    return (
        line.pool,
        line.kind,  # what was attributed first
        line.track,
        line.recording or "",
        line.right,
        line.party,
        line.allocation or "",
    )
