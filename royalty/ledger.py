"""Double entry: postings, transactions that sum to zero, reversal, and what a closing posts.

A debit is positive, a credit negative. Money comes in as a debit of `receivable.platform`; what is
owed stands as a credit of `payable.<payee>`. Nothing posted ever changes: `reverse` and post again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from royalty.errors import Conflict, UnbalancedTransaction
from royalty.money import Money
from royalty.period import Period

# Where a part of a pool ended up. In canonical order, that of their names.
Kind = Literal[
    "attributed", "fixed", "platform", "suspense_unclaimed", "suspense_unmatched", "unattributed"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Suspense = Literal["unmatched", "unclaimed", "held", "disputed"]
SUSPENSE: tuple[Suspense, ...] = get_args(Suspense)
# What a transaction does.
TransactionKind = Literal[
    "revenue",
    "allocation",
    "adjustment",
    "reversal",
    "hold",
    "advance",
    "reserve",
    "recoupment",
    "withholding",
    "payment",
]


def receivable_platform() -> str:
    """Name the account of what generation platforms owe us."""
    return "receivable.platform"


def platform() -> str:
    """Name the account of what stays with the platform: not royalty-bearing, or kept by terms."""
    return "platform"


def pool(pool_id: str) -> str:
    """Name the account of one pool; it stands at zero once the pool is divided."""
    return f"pool.{pool_id}"


def payable(payee: str) -> str:
    """Name the account of what a payee is owed."""
    return f"payable.{payee}"


def suspense(kind: Suspense) -> str:
    """Name the account of money whose owner is not known, or that is held or disputed."""
    return f"suspense.{kind}"


def cash() -> str:
    """Name the account that payments leave from."""
    return "cash"


def advance(recoupment: str) -> str:
    """Name the account of advances not recouped yet; those of one name are recouped together."""
    return f"advance.unrecouped.{recoupment}"


def reserve(payee: str) -> str:
    """Name the account of what is kept back of a payee's money for a while."""
    return f"reserve.{payee}"


def withheld(jurisdiction: str) -> str:
    """Name the account of tax withheld for a jurisdiction."""
    return f"withheld.{jurisdiction}"


def exchange() -> str:
    """Name the account through which money changes its currency."""
    return "exchange"


def payee_of(account: str) -> str | None:
    """Tell whose payable account this is, if it is one."""
    return account.removeprefix("payable.") if account.startswith("payable.") else None


def suspense_of(account: str) -> Suspense | None:
    """Tell what waits on this account, if it is one of suspense."""
    return next((kind for kind in SUSPENSE if suspense(kind) == account), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One side of a transaction: a debit (positive) or a credit (negative) of one account."""

    account: str
    amount: Money
    right: str | None = None
    pool: str | None = None
    fx_rate: str | None = None  # the id of the rate at which the amount was converted


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Postings that stand or fall together and sum to zero in every currency.

    `key` makes posting idempotent: the same key with the same content is posted once. Raises
    `UnbalancedTransaction` when a currency does not sum to zero, or when there is no posting.
    """

    kind: TransactionKind
    key: str
    period: Period
    effective_on: date
    postings: tuple[Posting, ...]
    adjusts: str | None = None  # the key of what this corrects
    reverses: str | None = None  # the key of what this undoes
    memo: str = ""

    def __post_init__(self) -> None:
        if not self.postings:
            raise UnbalancedTransaction(f"transaction {self.key} has no postings")
        sums: defaultdict[str, int] = defaultdict(int)
        for posting in self.postings:
            sums[posting.amount.currency] += posting.amount.micros
        for currency, micros in sorted(sums.items()):
            if micros:
                raise UnbalancedTransaction(
                    f"transaction {self.key} is off by {Money(micros, currency)}; "
                    "debits and credits must sum to zero"
                )


def reverse(transaction: Transaction, *, period: Period, effective_on: date) -> Transaction:
    """Undo a transaction in an open period: the exact negation, which is never rounded again."""
    return replace(
        transaction,
        kind="reversal",
        key=f"{transaction.key}/reversal",
        period=period,
        effective_on=effective_on,
        postings=tuple(replace(each, amount=-each.amount) for each in transaction.postings),
        reverses=transaction.key,
        memo=f"reverses {transaction.key}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What came in, in another currency than the books', and the id of the rate it changed at."""

    came: Money
    rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMoney:
    """What came in for one pool, and what part of it is royalty-bearing."""

    id: str
    gross: Money
    amount: Money
    converted: Converted | None = None  # where the gross came in another currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What one payee (or suspense, or the platform) gets of one pool for one right."""

    pool: str
    payee: str | None  # None: suspense or the platform
    right: str | None
    kind: Kind
    amount: Money


def closing_transactions(
    period: Period, pools: Iterable[PoolMoney], totals: Iterable[Total]
) -> list[Transaction]:
    """Book a period: for each pool, the revenue that came in and the division of its royalties.

    There is one posting per (account, right) of a pool. Raises `UnbalancedTransaction` when totals
    do not sum to their pool, and `Conflict` when they belong to none of `pools`.
    """
    of_pool: defaultdict[str, list[Total]] = defaultdict(list)
    for each in totals:
        of_pool[each.pool].append(each)
    transactions: list[Transaction] = []
    for money in sorted(pools, key=lambda money: money.id):
        transactions += _revenue(period, money)
        transactions += _division(period, money, of_pool.pop(money.id, []))
    if of_pool:
        raise Conflict(f"amounts were allocated from pools that are not given: {sorted(of_pool)}")
    return transactions


def _revenue(period: Period, money: PoolMoney) -> list[Transaction]:
    postings = [
        *_received(money),
        Posting(account=pool(money.id), amount=-money.amount, pool=money.id),
        Posting(account=platform(), amount=money.amount - money.gross, pool=money.id),
    ]
    return _booked(period, "revenue", money.id, postings)


def _received(money: PoolMoney) -> list[Posting]:
    """Debit what platforms owe us, in the currency that it comes in, and buy the books' with it."""
    if money.converted is None:
        return [Posting(account=receivable_platform(), amount=money.gross, pool=money.id)]
    sides = [
        (receivable_platform(), money.converted.came),
        (exchange(), -money.converted.came),
        (exchange(), money.gross),
    ]
    return [
        Posting(account=account, amount=amount, pool=money.id, fx_rate=money.converted.rate)
        for account, amount in sides
    ]


def _division(period: Period, money: PoolMoney, totals: Sequence[Total]) -> list[Transaction]:
    sums: defaultdict[tuple[str, str], Money] = defaultdict(lambda: Money(0, money.amount.currency))
    for each in totals:
        sums[_account(each), each.right or ""] += each.amount
    credits_ = [
        Posting(account=account, amount=-amount, right=right or None, pool=money.id)
        for (account, right), amount in sorted(sums.items())
    ]
    debit = Posting(account=pool(money.id), amount=money.amount, pool=money.id)
    return _booked(period, "allocation", money.id, [debit, *credits_])


def _booked(
    period: Period, kind: TransactionKind, pool_id: str, postings: Sequence[Posting]
) -> list[Transaction]:
    """One transaction dated on the period's last day, or none where no money moved."""
    moved = tuple(posting for posting in postings if posting.amount.micros)
    if not moved:
        return []
    return [
        Transaction(
            kind=kind,
            key=f"{period}/{kind}/{pool_id}",
            period=period,
            effective_on=period.last_day,
            postings=moved,
            memo=f"{kind} of pool {pool_id}",
        )
    ]


def _account(total: Total) -> str:
    match total.kind:
        case "suspense_unmatched":
            return suspense("unmatched")
        case "suspense_unclaimed":
            return suspense("unclaimed")
        case "platform":
            return platform()
        case "attributed" | "unattributed" | "fixed":
            if total.payee is None:
                raise Conflict(f"{total.kind} money of pool {total.pool} names no payee")
            return payable(total.payee)
