"""Approve a month's payout as it stands, if that is still what closing the month would post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.jobs.given import chosen_provider, settings_kept
from cli.jobs.settling import settlements
from cli.jobs.variance import vary_from
from cli.workspace import Workspace
from db import queries
from db.books import approvals, closing
from db.books.approvals import Approval
from db.queries import EVERYONE, Payout
from royalty.errors import NotReady
from royalty.period import Period
from royalty.settlement import Settlement, by_kind
from royalty.variance import Variance


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A payout that someone approves, what closing settles, and what it is against the last."""

    payout: Payout
    settled: Sequence[Settlement]  # advances, reserves and recoupments that closing would post
    variance: Variance | None  # None: there is no month before
    approval: Approval


def approve(
    workspace: Workspace, period: Period, rule: str, name: str, *, dry_run: bool = False
) -> Approved:
    """Approve a month's preview by a rule, in somebody's name.

    Raises `PeriodClosed`, and `NotReady` where the preview is missing or not of what is in the
    books now, or where the same person prepared it.
    """
    books = workspace.books()
    approval = approvals.approve(books, period, rule, name, dry_run=True)
    require_current(workspace, period, rule)
    payout = queries.payout(EVERYONE, books, period, rule)
    settled = by_kind(settlements(books, period, payout.snapshot))
    variance = vary_from(workspace, payout)
    if not dry_run:
        looked_at = approval.content_sha256
        approval = approvals.approve(books, period, rule, name, looked_at=looked_at)
    return Approved(payout=payout, settled=settled, variance=variance, approval=approval)


def require_closable(workspace: Workspace, period: Period, rule: str, name: str) -> None:
    """Refuse, before a month is divided, what closing it would refuse."""
    approval = workspace.settings().approval
    closing.require_closable(workspace.books(), period, rule, name=name, approval=approval)
    if approval:
        require_current(workspace, period, rule)


def require_current(workspace: Workspace, period: Period, rule: str) -> None:
    """Refuse a preview that would come out otherwise if it were computed now."""
    books, settings = workspace.books(), workspace.settings()
    older = queries.stale(EVERYONE, books, period, settings=settings_kept(settings))
    provider = chosen_provider(queries.inputs(EVERYONE, books, period).shares, settings)
    payout = queries.payout(EVERYONE, books, period, rule)
    if rule in older or payout.provider != provider:
        raise NotReady(
            f"the preview of {period} by {rule} is not of what is in the books and in"
            f" workspace.toml now; run 'tantieme payouts {period} --rule {rule.replace('_', '-')}',"
            " look at it, and have it approved as it is then"
        )
