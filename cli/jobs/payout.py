"""Compute months: previews in the books, and the closing that posts one of them for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.jobs.blending import divide_by, played_ppm, refusal, version
from cli.jobs.dividing import Division
from cli.jobs.given import settings_kept
from cli.jobs.month import Month, open_month
from cli.jobs.settling import settled, settlements
from cli.workspace import Workspace
from db import queries, rights, snapshots
from db.books.closing import Closing, close
from db.books.ledger import last_posted
from db.books.payouts import PayoutFacts, PoolFacts, record_payout
from db.engine import Books
from db.queries import EVERYONE, Decided, Payout
from royalty.allocation import Pool
from royalty.blend import weights
from royalty.catalogue import PPM
from royalty.errors import NotReady
from royalty.ledger import Transaction
from royalty.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A month under several rules, and why others cannot divide it."""

    payouts: Mapping[str, Payout]
    refused: Mapping[str, str]


Kept = dict[str, Sequence[str]]  # kind → snapshots
COMPARED = ("pro_rata", "user_centric")  # computed for every month that is closed
THRESHOLDS = "pro_rata"  # the rule that looks at earlier months


def compute(workspace: Workspace, period: Period, rule: str, *, engine: str = "duckdb") -> Payout:
    """Divide a month by a rule and keep the result as a preview; a closed month is read back."""
    found = compute_each(workspace, period, [rule], engine=engine)
    if rule in found.refused:
        raise NotReady(f"{rule} cannot divide {period}: {found.refused[rule]}")
    return found.payouts[rule]


def compute_each(
    workspace: Workspace, period: Period, rules: Sequence[str], *, engine: str = "duckdb"
) -> Computed:
    """Divide a month by several rules and keep the results; a closed month is read back.

    So is a preview that still holds.
    """
    books = workspace.books()
    if queries.closed_by(EVERYONE, books, period):
        return _read_back(books, period, rules)
    month = open_month(books, workspace.settings(), period, engine=engine)
    refused = {rule: why for rule in rules if (why := refusal(month, rule))}
    able = [rule for rule in rules if rule not in refused]
    held = rights.keep(books, month.given.rights) if able else {}
    _preview(books, month, able, held)
    return Computed(payouts=_payouts(books, period, able), refused=refused)


def close_period(
    workspace: Workspace, period: Period, rule: str, *, engine: str = "duckdb", name: str = ""
) -> Closing:
    """Divide a month by a rule and post it, for good, with what is settled of it.

    Kept to compare with, since nothing can be computed later: the rules of `COMPARED`, and all that
    the month was previewed by. Of these, what is stored and still holds is not divided again.
    """
    books, settings = workspace.books(), workspace.settings()
    transactions: list[Transaction] = []
    after = last_posted(books)
    if not queries.closed_by(EVERYONE, books, period):
        month = open_month(books, settings, period, engine=engine)
        _require_currency(books, month)
        held = rights.keep(books, month.given.rights)
        _keep_compared(books, month, rule, held)
        division = divide_by(month, rule)
        snapshot = _record(books, division, held)
        due = settlements(books, period, snapshot, engine=engine)
        transactions = [*division.transactions(), *due]
    return close(
        books,
        period,
        rule,
        transactions,
        f"{period}/{rule}",
        name=name,
        approval=settings.approval,
        after=after if transactions else None,
        engine=engine,
    )


def rehearse(workspace: Workspace, period: Period, rule: str, *, engine: str = "duckdb") -> int:
    """Divide an open month by a rule, write nothing, and count what closing it would post."""
    books = workspace.books()
    month = open_month(books, workspace.settings(), period, engine=engine)
    _require_currency(books, month)
    division = divide_by(month, rule)
    due = settled(books, period, division.currency, division.rows)
    return len(division.transactions()) + len(due)


def _require_currency(books: Books, month: Month) -> None:
    """Refuse to close a month in another currency than the one before it: accounts go on."""
    closed = queries.closed_periods(EVERYONE, books)
    before = queries.currency_of(EVERYONE, books, closed[-1]) if closed else None
    if before not in (None, month.currency):
        raise NotReady(
            f"{closed[-1]} was closed in {before}, and {month.period} is in {month.currency}; "
            f'write currency = "{before}" into workspace.toml and import rates of {month.currency}'
        )


def _keep_compared(books: Books, month: Month, rule: str, held: Kept) -> None:
    """Divide a month by all rules that it is kept by, but the one that closes it."""
    wanted = {*COMPARED, *_computed(books, month.period)} - {rule}
    _preview(books, month, [each for each in sorted(wanted) if not refusal(month, each)], held)


def _preview(books: Books, month: Month, rules: Sequence[str], held: Kept) -> None:
    """Divide a month by those rules of which nothing is stored, or nothing that still holds."""
    stored = _computed(books, month.period)
    for rule in rules:
        if rule not in stored or not _holds(books, month, rule, held):
            _record(books, divide_by(month, rule), held)


def _read_back(books: Books, period: Period, rules: Sequence[str]) -> Computed:
    kept = _computed(books, period)
    why = "the month is closed and was not computed by that rule before"
    return Computed(
        payouts=_payouts(books, period, [rule for rule in rules if rule in kept]),
        refused={rule: why for rule in rules if rule not in kept},
    )


def _payouts(books: Books, period: Period, rules: Sequence[str]) -> dict[str, Payout]:
    return {rule: queries.payout(EVERYONE, books, period, rule) for rule in rules}


def _computed(books: Books, period: Period) -> tuple[str, ...]:
    rows = queries.periods(EVERYONE, books)
    return next(row.computed for row in rows if row.period == period)


def _holds(books: Books, month: Month, rule: str, held: Kept) -> bool:
    """Tell whether dividing a month again would come to what is stored, and that is whole.

    It would where all that decides is as it was then.
    """
    paid = queries.payout_totals(EVERYONE, books, month.period, rule)
    try:
        snapshots.checked(books, paid.snapshot)
    except snapshots.CorruptSnapshot:
        return False
    now = Decided.by(
        _inputs(month, rule) | held,
        provider=month.provider,
        settings=settings_kept(month.settings),
        rates=month.given.rates,
    )
    return paid.rule_version == version(month, rule) and now == queries.decided(
        EVERYONE, books, paid
    )


def _record(books: Books, division: Division, held: Kept) -> str:
    """Keep a division as its rule's preview of the month; say as what its allocations are kept."""
    facts = _facts(books, division, held)
    record_payout(books, facts)
    return facts.snapshot


def _inputs(month: Month, rule: str) -> Kept:
    """Name the snapshots that decide; earlier months do only where thresholds are tested."""
    rules = {name for part in weights(rule) for name in month.pools_by_rule(part)}
    return {
        kind: hashes
        for kind, hashes in month.given.inputs.items()
        if kind != "history" or THRESHOLDS in rules
    }


def _facts(books: Books, division: Division, held: Kept) -> PayoutFacts:
    summary, month = division.summary, division.month
    return PayoutFacts(
        period=month.period,
        rule=division.rule,
        rule_version=division.version,
        provider=month.provider,
        publishing_ppm=month.settings.publishing_ppm,
        snapshot=snapshots.write_rows(books, "allocations", division.rows),
        inputs=_inputs(month, division.rule) | held,
        settings=settings_kept(month.settings),
        pools=_pools(division),
        payees=[
            (payee, each.micros, each.low_micros, each.high_micros, each.attributed_micros)
            for payee, each in summary.payees.items()
        ],
        tracks=[(track, each.plays, each.micros) for track, each in division.tracks.items()],
        recordings=[
            (recording, each.micros, each.low_micros, each.high_micros)
            for recording, each in summary.recordings.items()
        ],
        suspense=summary.suspense,
        platform_micros=summary.platform_micros,
    )


def _pools(division: Division) -> list[PoolFacts]:
    """Describe the pools; money is idle only where plays decide."""
    month, unattributed = division.month, division.summary.unattributed
    return [
        PoolFacts(
            id=pool.id,
            source=pool.source,
            territory=pool.territory,
            currency=pool.amount.currency,
            gross_micros=totals.gross_micros,
            pool_micros=totals.pool_micros,
            idle_micros=totals.idle_micros * played_ppm(month, pool, division.rule) // PPM,
            unattributed_micros=unattributed.get(place, 0),
            **_came(pool),
        )
        for place, (pool, totals) in enumerate(zip(month.pools, month.totals, strict=True))
    ]


def _came(pool: Pool) -> dict[str, Any]:
    """Say what came in, where it came in another currency."""
    if pool.converted is None:
        return {}
    came = pool.converted.came
    return {
        "came_currency": came.currency,
        "came_micros": came.micros,
        "fx_rate": pool.converted.rate,
    }
