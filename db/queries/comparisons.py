"""What another rule would pay whom, read off two stored payouts."""

from __future__ import annotations

from db import engines, snapshots
from db.engine import Books
from db.queries.viewer import Viewer
from royalty import differences as rows
from royalty.differences import Difference
from royalty.money import Money
from royalty.payout import Payout


def differences(
    viewer: Viewer, books: Books, first: Payout, second: Payout, *, engine: str = "duckdb"
) -> tuple[Difference, ...]:
    """Read what each payee gets by the second payout beyond the first, largest differences first.

    Both are of one month; `engine` subtracts them. The intervals come from the allocations, row by
    row.
    """
    assert first.period == second.period, "payouts of two months are no two rules"
    one, other = (
        snapshots.table(books, "allocations", [each.snapshot], engines.connect(engine))
        for each in (first, second)
    )
    found = (
        Difference(
            payee=row["payee"],
            amount=Money(row["micros"], first.pool.currency),
            low=Money(row["low_micros"], first.pool.currency),
            high=Money(row["high_micros"], first.pool.currency),
        )
        for row in snapshots.run(rows.differences(one, other)).to_pylist()
        if viewer.sees(row["payee"])
    )
    return tuple(sorted(found, key=lambda each: (-abs(each.amount.micros), each.payee)))
