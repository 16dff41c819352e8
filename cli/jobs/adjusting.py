"""Adjust closed months: divide one again by what is known now, and post what that changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ibis import Table

from cli.jobs.blending import divide_by
from cli.jobs.known import known_now
from cli.jobs.month import open_given
from cli.workspace import Workspace
from db import engines, queries, rights, snapshots
from db.books.restatements import Restatement, restate
from db.books.reversals import reverse_one
from db.engine import Books
from db.queries import EVERYONE, Causes, Payout
from royalty.errors import PeriodNotClosed, RoyaltyError
from royalty.ledger import Transaction, payee_of
from royalty.money import Money
from royalty.period import Period
from royalty.restatement import Moved, by_track, memo
from royalty.suspense import months, owners

ENGINE = "duckdb"  # what divides
_LARGEST = 3  # tracks named for each payee
SHOWN = 20  # causes of what stays in suspense
REPROCESSED = "suspense is processed again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """What adjusting a closed month did, or would do."""

    period: Period
    posted_in: Period
    restatement: str | None  # its id; None: nothing was kept
    changes: tuple[str, ...]  # what decides otherwise now, in plain words
    moved: tuple[Moved, ...]  # every account of the month
    tracks: Mapping[str, Sequence[tuple[str, Money]]]  # what moved each payee's money most
    owners: Mapping[str, Money]  # what payees get of what waited in suspense
    transactions: tuple[Transaction, ...]
    stays: Causes  # why what waits in suspense still does

    @property
    def payees(self) -> dict[str, Moved]:
        """What moved of each payee's money."""
        named = ((payee_of(each.account), each) for each in self.moved)
        return {payee: each for payee, each in named if payee is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprocessed:
    """Closed months that had money without an owner: adjusted, or why they cannot be."""

    adjusted: tuple[Adjusted, ...]
    refused: Mapping[Period, str]


def adjust(  # noqa: PLR0913  what is adjusted, by whom, why and how
    workspace: Workspace,
    period: Period,
    *,
    name: str,
    reason: str = "",
    engine: str = ENGINE,
    dry_run: bool = False,
) -> Adjusted:
    """Divide a closed month again, by the rule and settings it was closed with, and post the rest.

    Raises `PeriodNotClosed`, and `NotReady` where nothing tells what it was closed with.
    """
    books = workspace.books()
    paid, before = _closed_with(books, period)
    known = known_now(books, paid)
    division = divide_by(open_given(books, period, known.given, engine=engine), paid.rule)
    after = snapshots.hold(division.rows)
    posted = snapshots.table(books, "allocations", [before], engines.connect(engine))
    currency = division.currency
    if not dry_run:
        rights.keep(books, known.given.rights)
    restatement = Restatement(
        period=period,
        wanted=division.transactions(),
        before=before,
        snapshot=None if dry_run else snapshots.write_rows(books, "allocations", after),
        inputs=known.inputs,
        memo=memo(known.changes, reason),  # all payees read it, so it names no recording
        reason=reason,
    )
    done = restate(books, restatement, name, dry_run=dry_run)
    return Adjusted(
        period=period,
        posted_in=done.posted_in,
        restatement=done.id,
        changes=(*known.changes, *known.kept_back),
        moved=done.moved,
        tracks=_tracks(posted, after, currency),
        owners=_owners(posted, after, currency),
        transactions=done.transactions,
        stays=queries.causes_of(after, most=SHOWN),
    )


def reprocess(
    workspace: Workspace, period: Period | None, *, name: str, dry_run: bool = False
) -> Reprocessed:
    """Adjust the closed months that have money without an owner, or one of them.

    What one refuses does not keep the others. Raises what `adjust` does where one is named.
    """
    adjusted, refused = [], {}
    for each in _waiting(workspace.books()) if period is None else [period]:
        try:
            adjusted.append(adjust(workspace, each, name=name, reason=REPROCESSED, dry_run=dry_run))
        except RoyaltyError as refusal:
            if period is not None:
                raise
            refused[each] = str(refusal)
    return Reprocessed(adjusted=tuple(adjusted), refused=refused)


def reverse(
    workspace: Workspace, reference: str, *, reason: str, name: str, dry_run: bool = False
) -> Transaction:
    """Post the exact negation of one transaction in the open month. Raises as `reverse_one`."""
    return reverse_one(workspace.books(), reference, reason, name=name, dry_run=dry_run)


def _closed_with(books: Books, period: Period) -> tuple[Payout, str]:
    """Read what a month was closed with, and name the allocations that hold for it since."""
    rule = queries.closed_by(EVERYONE, books, period)
    if rule is None:
        raise PeriodNotClosed(
            f"{period} is not closed, so what comes in for it needs no adjustment; "
            f"'tantieme payouts {period}' divides it"
        )
    paid = queries.payout(EVERYONE, books, period, rule)
    return paid, queries.in_force(EVERYONE, books)[period]


def _tracks(before: Table, after: Table, currency: str) -> dict[str, list[tuple[str, Money]]]:
    """Name the tracks that move each payee's money most, and by how much."""
    found: defaultdict[str, list[tuple[str, Money]]] = defaultdict(list)
    for row in snapshots.run(by_track(before, after, _LARGEST)).to_pylist():
        found[row["payee"]].append((row["track"], Money(row["micros"], currency)))
    return dict(found)


def _owners(before: Table, after: Table, currency: str) -> dict[str, Money]:
    """Say what payees get of what waited in suspense."""
    rows = snapshots.run(owners(before, after)).to_pylist()
    return {row["payee"]: Money(row["micros"], currency) for row in rows}


def _waiting(books: Books) -> list[Period]:
    """List the closed months of which money waits without an owner."""
    closed = queries.in_force(EVERYONE, books)
    return [each for each in months(queries.suspense(EVERYONE, books)) if each in closed]
