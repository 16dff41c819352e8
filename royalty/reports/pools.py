"""Pool reconciliation: what came in for each pool, and that all of it is accounted for.

revenue = payees + unmatched + unclaimed + platform, to the micro, pool by pool: `difference` is
what is left over, which is zero unless the books are wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from royalty import ledger
from royalty.money import Money, total
from royalty.payout import Payout, PoolAmount
from royalty.reports.table import Cell, Column, Table

COLUMNS = (
    Column(name="pool", title="Pool", kind="id"),
    Column(name="source", title="Source"),
    Column(name="territory", title="Territory", kind="id"),
    Column(name="came", title="Came in", kind="money", foreign=True),
    Column(name="fx_rate_id", title="Rate", kind="id"),
    Column(name="revenue", title="Revenue", kind="money"),
    Column(name="royalty", title="Royalty pool", kind="money"),
    Column(name="payees", title="Payees", kind="money"),
    Column(name="unattributed", title="Of it unattributed", kind="money"),
    Column(name="unmatched", title="Unmatched", kind="money"),
    Column(name="unclaimed", title="Unclaimed", kind="money"),
    Column(name="platform", title="Platform", kind="money"),
    Column(name="difference", title="Difference", kind="money"),
)
Booked = Mapping[str, Mapping[str, Money]]  # pool → account → what its closing credited there


def pools_table(paid: Payout, booked: Booked, root: str | None) -> Table:
    """Hold what came in for a closed month's pools against what was booked of it.

    The platform's part is what is not royalty-bearing and what agreements leave it. The last row
    is the sum of all.
    """
    rows = [_row(pool, booked.get(pool.id, {})) for pool in paid.pools]
    return Table(
        name="pools",
        title=f"Pool reconciliation, {paid.period}",
        columns=COLUMNS,
        rows=(*rows, _sums(rows, paid.pool.currency)),
        notes=("revenue = payees + unmatched + unclaimed + platform; the difference must be zero",),
        period=paid.period,
        root=root,
    )


def _row(pool: PoolAmount, booked: Mapping[str, Money]) -> tuple[Cell, ...]:
    currency = pool.gross.currency

    def credit(accounts: Iterable[str]) -> Money:
        return total((booked[each] for each in accounts if each in booked), currency)

    parts = (
        credit(each for each in booked if ledger.payee_of(each)),
        credit([ledger.suspense("unmatched")]),
        credit([ledger.suspense("unclaimed")]),
        credit([ledger.platform()]),
    )
    came, rate = pool.gross, None
    if pool.converted is not None:
        came, rate = pool.converted.came, pool.converted.rate
    named = (pool.id, pool.source, pool.territory, came, rate, pool.gross, pool.amount)
    payees, *others = parts
    return (*named, payees, pool.unattributed, *others, pool.gross - total(parts, currency))


def _sums(rows: Iterable[tuple[Cell, ...]], currency: str) -> tuple[Cell, ...]:
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return (
        "all",
        *(
            total((cell for cell in cells if isinstance(cell, Money)), currency)
            if column.kind == "money" and not column.foreign
            else None
            for column, cells in zip(COLUMNS[1:], columns[1:], strict=True)
        ),
    )
