"""Months after October in which money moves otherwise than by being earned."""

from datetime import date

from db import snapshots
from db.books.closing import Closing, close
from db.books.ledger import post
from db.books.payouts import PoolFacts, record_payout
from db.engine import Books
from royalty.ledger import Posting, Transaction
from royalty.money import Money
from royalty.period import Period
from tests.db import world
from tests.db.world import NOVEMBER, POOL, RULE

DIVISION = f"2026-10/allocation/{POOL}"  # the key of October's


def euros(tenths: int) -> Money:
    return Money(tenths * 100_000, "EUR")


def moved(
    kind: str,
    tenths: int,
    to: str,
    *,
    payee: str = "lab",
    period: Period = NOVEMBER,
    **more: object,
) -> Transaction:
    """Take money off a payee's account, towards another account; less than nothing gives some."""
    facts: dict[str, object] = {
        "key": f"{period}/{kind}/{payee}",
        "effective_on": date(period.year, period.month, 15),
        "memo": f"{kind} of {payee}",
        "postings": (
            Posting(account=f"payable.{payee}", amount=euros(tenths)),
            Posting(account=to, amount=euros(-tenths)),
        ),
    }
    return Transaction(kind=kind, period=period, **facts | more)


def adjusted() -> Transaction:
    """Correct October: what lab had of its pool too little."""
    sides = (("payable.lab", -4), ("suspense.unclaimed", 4))
    return moved(
        "adjustment",
        0,
        "",
        key="2026-10/1/app",
        adjusts=DIVISION,
        memo="late usage",
        postings=tuple(
            Posting(account=account, amount=euros(tenths), right="master", pool=POOL)
            for account, tenths in sides
        ),
    )


def close_without_money(books: Books, period: Period = NOVEMBER) -> Closing:
    """Close a month for which nothing came in."""
    free = PoolFacts(
        id=f"{period}/app/DE/EUR",
        source="app",
        territory="DE",
        currency="EUR",
        gross_micros=0,
        pool_micros=0,
        idle_micros=0,
        unattributed_micros=0,
    )
    nothing = world.payout_facts(
        books,
        period=period,
        pools=[free],
        snapshot=snapshots.write(
            books, "allocations", snapshots.SCHEMAS["allocations"].empty_table()
        ),
        **dict.fromkeys(("payees", "tracks", "recordings"), ()),
        suspense={},
        platform_micros=0,
    )
    record_payout(books, nothing)
    return close(books, period, RULE, [], nothing.id)


def post_and_close(books: Books, *transactions: Transaction) -> Books:
    """Post into November and close it."""
    post(books, transactions)
    close_without_money(books)
    return books
