"""How a statement's balance is told to people: every term with plain words, in order of the sum."""

from __future__ import annotations

from dataclasses import dataclass

from royalty.money import Money
from royalty.period import Period
from royalty.statement import Statement

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)  # the calendar module's follow the machine's language
_WORDS = {
    "opening": "was owed when the month began",
    "earned": "was earned in the month: what the lines come to",
    "adjustments": "corrects earlier months, and what is held or was released",
    "recouped": "paid back advances",
    "reserved": "was kept in reserve, less what came back from there",
    "withheld": "was withheld as tax",
    "paid": "was paid out",
    "closing": "is owed now: the sum of all above",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One term on the way from opening to closing, and what it means."""

    term: str
    words: str
    amount: Money


def steps(statement: Statement) -> tuple[Step, ...]:
    """Lead from opening to closing; all but the last add up to the last."""
    amounts = {"opening": statement.opening, **statement.balance, "closing": statement.closing}
    return tuple(
        Step(term=term, words=_WORDS[term], amount=amount) for term, amount in amounts.items()
    )


def month(period: Period) -> str:
    """Name a month for people, in English on every machine: October 2026."""
    return f"{_MONTHS[period.month - 1]} {period.year}"


def closing_words(statement: Statement) -> str:
    """Say what the closing amount is, and of which day."""
    day = statement.period.last_day
    when = f"at the end of {day.day} {month(statement.period)}"
    if statement.closing.micros < 0:
        return f"{when}: more was paid or taken back than earned; coming months make up for it"
    return f"owed to {statement.payee_name} {when}"
