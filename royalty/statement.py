"""What a payee is owed for a period, line by line.

Opening + earned + adjustments - recouped - reserved - withheld - paid = closing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from royalty.catalogue import Party, Recording
from royalty.money import Money, total
from royalty.period import Period

if TYPE_CHECKING:
    from royalty.allocation import Allocation, Pool


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
    rule: str
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

    @property
    def statement_id(self) -> str:
        """The statement's id, such as `2026-10/ann`."""
        return f"{self.period}/{self.payee}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What turns a payee's allocations into lines: where each came from and is posted."""

    rule: str
    pools: Mapping[str, Pool]  # by id
    recordings: Mapping[str, Recording]
    parties: Mapping[str, Party]
    postings: Mapping[tuple[str, str | None], tuple[str, str]]  # (pool, right) → posting id, hash


def lines_of(payee: str, rows: Mapping[str, Allocation], sources: Sources) -> list[Line]:
    """Make a line of each of a payee's allocations; `rows` maps an allocation's id to it.

    `rows` also holds the `platform` rows of the payee's parties, whose amounts are what terms kept
    back: they become the deductions. Rows of other payees are left out.
    """
    kept = {_subject(row): row.micros for row in rows.values() if row.kind == "platform"}
    return [
        _line(key, row, kept.get(_subject(row), 0), sources)
        for key, row in rows.items()
        if row.payee == payee
    ]


def _subject(row: Allocation) -> tuple[str | None, ...]:
    return (row.pool, row.track, row.recording, row.right, row.party)


def _line(key: str, row: Allocation, kept_micros: int, sources: Sources) -> Line:
    pool = sources.pools[row.pool]
    currency = pool.amount.currency
    recording = sources.recordings[row.recording or ""]
    party = sources.parties[row.party or ""]
    artist = sources.parties.get(recording.artist)
    posting, posting_hash = sources.postings.get((row.pool, row.right), (None, None))
    return Line(
        kind=row.kind,
        pool=row.pool,
        pool_amount=pool.amount,
        source=pool.source,
        territory=pool.territory,
        track=row.track,
        recording=recording.id,
        work=recording.work,
        title=recording.title,
        artist=artist.name if artist else recording.artist,
        isrc=recording.isrc,
        iswc=recording.iswc,
        party=party.id,
        party_ipi=party.ipi,
        artist_isni=artist.isni if artist else None,
        right=row.right or "",
        plays=row.plays,
        share_ppb=row.share_ppb,
        low_ppb=row.low_ppb,
        high_ppb=row.high_ppb,
        interest_ppm=row.interest_ppm,
        gross=Money(row.micros + kept_micros, currency),
        deductions=Money(-kept_micros, currency),
        net=Money(row.micros, currency),
        low=Money(row.low_micros, currency),
        high=Money(row.high_micros, currency),
        rule=sources.rule,
        posting=posting,
        posting_hash=posting_hash,
        allocation=key,
    )


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
