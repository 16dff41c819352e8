"""Holds: an amount of a payee's that waits, why it does, and what lets it go.

Held money goes from `payable.<payee>` to `suspense.held`, or `suspense.disputed` where attribution
is contested, and comes back by the exact reversal. What is on neither account is never paid.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from royalty.errors import RoyaltyError
from royalty.ledger import Posting, Transaction, payable, reverse, suspense
from royalty.money import Money
from royalty.period import Period

HoldKind = Literal["held", "disputed"]
Ending = Literal["released", "dismissed", "upheld"]  # acts that let go; the latter of disputes
ENDINGS: tuple[Ending, ...] = get_args(Ending)
_LINE = re.compile(r"(\d{4}-\d{2})/([^/\s]+)/(\d+)")
_POSTING = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineId:
    """A line of a statement: `2026-10/ann/1`."""

    period: Period
    payee: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingId:
    """A posting: `12.3`, the third of the ledger's twelfth transaction."""

    transaction: int
    line: int

    def __str__(self) -> str:
        return f"{self.transaction}.{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is to wait: so much of a payee's money, for the sake of one thing, for a reason."""

    kind: HoldKind
    subject: str  # a statement line, a posting, a payee, or a payee's part of a track
    payee: str
    amount: Money  # nothing, where only attribution is contested
    reason: str
    track: str | None = None
    recording: str | None = None

    @property
    def memo(self) -> str:
        """Say in plain words why the money is away, as the statement will."""
        return f"{self.kind} ({self.subject}): {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """How a payee stands: what can be held, and where the rest of what was owed went."""

    payable: Money
    paid: Money
    waiting: Money  # held or disputed already


def parse_subject(text: str) -> LineId | PostingId | str:
    """Read what is to be held: a statement line, a posting, or else the name of a payee.

    Raises `ValueError` with a sentence for a line of a month that is none.
    """
    if match := _LINE.fullmatch(text):
        return LineId(period=Period.parse(match[1]), payee=match[2], number=int(match[3]))
    if match := _POSTING.fullmatch(text):
        return PostingId(transaction=int(match[1]), line=int(match[2]))
    return text


def track_subject(period: Period, payee: str, track: str) -> str:
    """Name a payee's part of one track in a month."""
    return f"{period}/{payee}/track/{track}"


def hold_id(subject: str, taken: Collection[str]) -> str:
    """Name a hold after its subject: the second `hold/<subject>/2`, once the first is released."""
    name, number = f"hold/{subject}", 1
    while name in taken:
        number += 1
        name = f"hold/{subject}/{number}"
    return name


def require_payable(hold: Hold, available: Available) -> None:
    """Raise `RoyaltyError` where more would be held than is there to be paid."""
    if available.payable.micros < 0 and hold.amount.micros:
        without = "; --amount 0 disputes it, and holds nothing" * (hold.kind == "disputed")
        raise RoyaltyError(
            f"{hold.payee}'s account is overdrawn by {-available.payable}: nothing of "
            f"{hold.subject} is payable, so there is nothing to hold{without}"
        )
    if hold.amount.micros < 0:
        raise RoyaltyError(
            f"{hold.subject} comes to {hold.amount}: it takes from {hold.payee}, and only what "
            "gives can be held"
        )
    if hold.amount.micros > max(available.payable.micros, 0):
        less = "hold less with --amount"
        if hold.kind == "disputed":
            less += "; --amount 0 disputes what was paid, and holds nothing"
        raise RoyaltyError(
            f"{hold.amount} of {hold.subject} cannot be held: {available.payable} of "
            f"{hold.payee}'s money is payable; {available.paid} was paid and {available.waiting} "
            f"is held already; {less}"
        )


def hold_transaction(id_: str, hold: Hold, period: Period, day: date) -> Transaction:
    """Take an amount off what is payable. Its key is the hold's id."""
    return Transaction(
        kind="hold",
        key=id_,
        period=period,
        effective_on=day,
        postings=(
            Posting(account=payable(hold.payee), amount=hold.amount),
            Posting(account=suspense(hold.kind), amount=-hold.amount),
        ),
        memo=hold.memo,
    )


def release_transaction(held: Transaction, why: str, period: Period, day: date) -> Transaction:
    """Give back what was held, to the micro, in an open period; `why` in plain words."""
    return replace(reverse(held, period=period, effective_on=day), memo=why)
