"""What the rules refuse, and what is wrong with data.

RoyaltyError                    a rule refuses (exit code 3)
├── UnbalancedTransaction       postings do not sum to zero in some currency
├── PeriodClosed                a closed period refuses postings; adjust in the open one
├── PeriodNotClosed             what is stated, paid, adjusted or reproduced is a closed period
├── CurrencyMismatch            two currencies met in one sum
├── NothingToDivideAmong        money to divide and nobody to divide it among
├── NotFound                    an id that names nothing in this workspace
├── NotReady                    a step that must come before has not been taken
└── Conflict                    the same key with other content; what is posted stays
BadInput                        faults in data, every one of them (exit code 4)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class RoyaltyError(Exception):
    """A rule refuses. The message says what, which one, and what to do next."""


class UnbalancedTransaction(RoyaltyError):
    """Postings do not sum to zero in some currency."""


class PeriodClosed(RoyaltyError):
    """A closed period refuses postings; adjust in the open one."""


class PeriodNotClosed(RoyaltyError):
    """What is stated, paid, adjusted or reproduced is a closed period; close it first."""


class CurrencyMismatch(RoyaltyError):
    """Two currencies met in one sum."""


class NothingToDivideAmong(RoyaltyError):
    """There is money to divide and nobody to divide it among."""


class NotFound(RoyaltyError):
    """An id names nothing in this workspace."""


class NotReady(RoyaltyError):
    """A step that must come before has not been taken."""


class Conflict(RoyaltyError):
    """The same key came back with other content; what is posted stays."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault in data: where it is and what is wrong with it."""

    source: str  # the file, as the user named it
    row: int | None  # 1 is the first line of the file (the header, in a CSV); None: the whole file
    field: str | None  # the column; None: the whole row
    message: str

    def __str__(self) -> str:
        place = self.source if self.row is None else f"{self.source}, row {self.row}"
        return f"{place}{f', {self.field}' if self.field else ''}: {self.message}"


class BadInput(Exception):
    """Data was refused whole; `problems` lists every fault found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_reading_order))
        super().__init__("\n".join(map(str, self.problems)))


def _reading_order(problem: Problem) -> tuple[str, int, str, str]:
    return (problem.source, problem.row or 0, problem.field or "", problem.message)
