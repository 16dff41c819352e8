"""What moved a payee's account besides earnings: one movement a posting, in plain words.

The kinds of transactions decide under which term of a statement an amount stands; what undoes a
transaction counts as what it undoes, negated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from royalty.money import Money
from royalty.period import Period

Term = Literal["adjustments", "recouped", "reserved", "withheld", "paid"]
TERMS: tuple[Term, ...] = get_args(Term)  # in the order of the sum
EARNED = "allocation"  # the kind of transaction that lines explain

_TERM_OF: dict[str, Term] = {
    "recoupment": "recouped",
    "reserve": "reserved",
    "withholding": "withheld",
    "payment": "paid",
}  # of all other kinds: adjustments
_WORDS = {  # what was done, and what undid it
    EARNED: ("earnings", "earnings taken back"),
    "adjustment": ("correction", "correction taken back"),
    "hold": ("held back", "released"),
    "recoupment": ("recouped against the advance", "recoupment taken back"),
    "reserve": ("kept in reserve", "released from reserve"),
    "withholding": ("tax withheld", "withheld tax given back"),
    "payment": ("payment", "payment that did not arrive"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One posting on a payee's account that no line explains."""

    number: int = 0  # after the lines; given by `make_statement`
    id: str = ""  # 2026-11/<payee>/<number>; given by `make_statement`
    term: Term
    what: str  # in plain words: payment, kept in reserve, correction of 2026-10, …
    why: str  # as the transaction says
    posting: str
    posting_hash: str
    adjusts: str | None = None  # the key of the transaction that it corrects or undoes
    usage_period: Period  # the month that it is about: that of what it corrects, else its own
    effective_on: date
    right: str | None = None
    pool: str | None = None
    amount: Money  # as it stands in the sum: what is taken is negative
    fx_rate: str | None = None

    @property
    def released(self) -> bool:
        """Whether a reserve came back by it."""
        return self.term == "reserved" and self.amount.micros > 0


def term_of(kinds: Sequence[str]) -> Term:
    """Say where a posting stands in the sum.

    `kinds` are its transaction's, and of each that the one before it reverses. A reversed earning
    is an adjustment, since lines explain what was earned in the month itself.
    """
    return _TERM_OF.get(kinds[-1], "adjustments")


def worded(kinds: Sequence[str], *, corrects: Period | None = None) -> str:
    """Say in plain words what happened; `corrects` is the earlier month that is put right."""
    *undoing, kind = kinds
    done, undone = _WORDS.get(kind, (kind, f"{kind} taken back"))
    words = undone if len(undoing) % 2 else done
    return words if corrects is None else f"{words}, of {corrects}"
