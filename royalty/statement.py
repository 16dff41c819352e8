"""What a payee is owed for a period, line by line and movement by movement.

Opening + earned + adjustments + recouped + reserved + withheld + paid = closing: what is taken is
negative, here and in every export, so that any sum is a plain one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Literal

from royalty.money import Money, total
from royalty.movements import TERMS, Movement, Term
from royalty.period import Period

Basis = Literal["modelled", "terms"]


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
    plays: int | None  # None: too few listeners played it there to be told, see `suppression`
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
    track_plays: int | None = (
        None  # the track's in the whole month, of all pools: measured, or None
    )
    track_revenue: Money | None = None  # what those plays brought it: measured
    fx_rate: str | None = None  # at which its pool's money was converted

    def __post_init__(self) -> None:
        assert self.net == self.gross + self.deductions, f"line of {self.track}: net is off"
        assert self.low.micros <= self.net.micros <= self.high.micros, "net is outside its interval"

    @property
    def basis(self) -> Basis:
        """How the amount was found: by a model's shares of a track, or by equal terms for all.

        Plays, the track's revenue and the pool are measured in both.
        """
        return "modelled" if self.kind == "attributed" else "terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Whose statement it is, of which period, by which rule, and what the ledger says of it."""

    payee: str
    payee_name: str
    period: Period  # in which it was booked
    rule: str
    rule_version: str = ""  # with options and rules of sources
    provider: str = ""  # whose shares it was divided by
    runs: tuple[str, ...] = ()  # that made the tracks of the lines
    closed_at: str | None = None
    root: str | None = None  # of the Merkle tree over the period's postings and accounts
    notes: tuple[str, ...] = ()  # plain sentences: what a sum cannot say
    opening: Money
    closing: Money  # by the ledger, which lines and movements must explain

    @property
    def statement_id(self) -> str:
        """The statement's id, such as `2026-10/ann`."""
        return f"{self.period}/{self.payee}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One payee's account in one period and currency; what `Heading` says, and what explains it."""

    id: str  # 2026-10/<payee>
    payee: str
    payee_name: str
    period: Period
    rule: str
    rule_version: str = ""
    provider: str = ""
    runs: tuple[str, ...] = ()
    closed_at: str | None = None
    root: str | None = None
    notes: tuple[str, ...] = ()
    opening: Money
    lines: tuple[Line, ...]
    movements: tuple[Movement, ...]
    closing: Money

    def __post_init__(self) -> None:
        explained = total(self.balance.values(), self.currency)
        assert self.opening + explained == self.closing, f"{self.id} explains {explained}"

    @property
    def currency(self) -> str:
        """The currency of every amount in it."""
        return self.opening.currency

    @property
    def balance(self) -> dict[str, Money]:
        """What leads from opening to closing, term by term; they add up as they stand."""
        return {"earned": self.earned, **{term: self.moved(term) for term in TERMS}}

    @property
    def earned(self) -> Money:
        """What the lines come to."""
        return total((line.net for line in self.lines), self.currency)

    @property
    def gross(self) -> Money:
        """What the lines come to before the platform's part."""
        return total((line.gross for line in self.lines), self.currency)

    @property
    def deductions(self) -> Money:
        """What agreements leave with the platform; negative."""
        return total((line.deductions for line in self.lines), self.currency)

    @property
    def net_by_right(self) -> dict[str, Money]:
        """What was earned by each right, in order of their names."""
        sums: defaultdict[str, Money] = defaultdict(lambda: Money(0, self.currency))
        for line in self.lines:
            sums[line.right] += line.net
        return dict(sorted(sums.items()))

    @property
    def low(self) -> Money:
        """The lower end of what was earned: errors of one run are taken to lean one way."""
        return total((line.low for line in self.lines), self.currency)

    @property
    def high(self) -> Money:
        """The upper end of what was earned, by the same caution."""
        return total((line.high for line in self.lines), self.currency)

    @property
    def adjustments(self) -> Money:
        """What corrects earlier months, and what is held or was released."""
        return self.moved("adjustments")

    @property
    def recouped(self) -> Money:
        """What advances took; negative, as are the terms that follow."""
        return self.moved("recouped")

    @property
    def reserved(self) -> Money:
        """What was kept in reserve, less what came back from there."""
        return self.moved("reserved")

    @property
    def released(self) -> Money:
        """Of `reserved`, what came back."""
        return total((each.amount for each in self.movements if each.released), self.currency)

    @property
    def withheld(self) -> Money:
        """What was withheld as tax."""
        return self.moved("withheld")

    @property
    def paid(self) -> Money:
        """What was paid."""
        return self.moved("paid")

    @property
    def usage_periods(self) -> tuple[Period, ...]:
        """The months whose usage its amounts are for, the earliest first."""
        corrected = (each.usage_period for each in self.movements if each.adjusts)
        return tuple(sorted({self.period, *corrected}))

    @property
    def to_keep(self) -> str | None:
        """What to keep so that anyone can check these books later; None where there is no root."""
        if self.root is None:
            return None
        return (
            "Keep the root: 'tantieme verify --root ROOT' proves later that not one posting of "
            f"{self.period} was changed."
        )

    def moved(self, term: Term) -> Money:
        """Sum the movements of one term."""
        mine = (movement.amount for movement in self.movements if movement.term == term)
        return total(mine, self.currency)


def make_statement(
    heading: Heading, lines: Iterable[Line], movements: Iterable[Movement] = ()
) -> Statement:
    """Put lines into canonical order, number them and then the movements, and draw the balance.

    Movements stand as they come: in the ledger's order.
    """
    numbered = tuple(
        replace(line, number=number, id=f"{heading.statement_id}/{number}")
        for number, line in enumerate(sorted(lines, key=_order), start=1)
    )
    after = tuple(
        replace(movement, number=number, id=f"{heading.statement_id}/{number}")
        for number, movement in enumerate(movements, start=len(numbered) + 1)
    )
    said = {field.name: getattr(heading, field.name) for field in fields(heading)}
    return Statement(id=heading.statement_id, lines=numbered, movements=after, **said)


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
