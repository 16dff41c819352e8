"""What another rule would pay whom, read off stored payouts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from ibis import Table
from sqlalchemy import case, func, select, true

from db import engines, schema, snapshots
from db.engine import Books, reading
from db.queries.earnings import Earnings
from db.queries.payouts import payee_amount
from db.queries.viewer import Viewer
from db.queries.windows import Window, among
from royalty import differences as rows
from royalty.differences import Difference
from royalty.money import Money
from royalty.payout import PayeeAmount, Payout

_Two = tuple[Payout, Payout] | tuple[Earnings, Earnings]


def differences(
    viewer: Viewer, books: Books, first: Payout, second: Payout, *, engine: str = "duckdb"
) -> tuple[Difference, ...]:
    """Read what each payee gets by the second payout beyond the first, largest differences first.

    Both are of one month; `engine` subtracts them. The intervals come from the allocations, row by
    row.
    """
    return _differences(viewer, (first, second), _lines(books, (first, second), engine))


def differences_of(
    viewer: Viewer, books: Books, two: tuple[Earnings, Earnings], payees: Collection[str]
) -> tuple[Difference, ...]:
    """Read what some payees get by the second payout beyond the first, as `differences` does.

    The allocations of others are not read.
    """
    one, other = _lines(books, two, "duckdb")
    mine = sorted(filter(viewer.sees, payees))
    return _differences(
        viewer, two, (one.filter(one.payee.isin(mine)), other.filter(other.payee.isin(mine)))
    )


def _lines(books: Books, two: _Two, engine: str) -> tuple[Table, Table]:
    one, other = (
        snapshots.table(books, "allocations", [each.snapshot], engines.connect(engine))
        for each in two
    )
    return one, other


def _differences(viewer: Viewer, two: _Two, lines: tuple[Table, Table]) -> tuple[Difference, ...]:
    assert two[0].period == two[1].period, "payouts of two months are no two rules"
    currency = two[0].pool.currency
    found = (
        Difference(
            payee=row["payee"],
            amount=Money(row["micros"], currency),
            low=Money(row["low_micros"], currency),
            high=Money(row["high_micros"], currency),
        )
        for row in snapshots.run(rows.differences(*lines)).to_pylist()
        if viewer.sees(row["payee"])
    )
    return tuple(sorted(found, key=lambda each: (-abs(each.amount.micros), each.payee)))


def ranked(viewer: Viewer, books: Books, weights: Mapping[str, int], window: Window) -> list[str]:
    """Name payees in order of a weighed sum of what payouts give them, the largest first.

    `weights` are by the payouts' ids; whether the sum is positive makes no difference. A gain is
    {first: -1, second: 1}, a blend {first: 40, second: 60}.
    """
    paid = schema.payout_payee.c
    mine = true() if viewer.parties is None else paid.payee.in_(sorted(viewer.parties))
    weighed = func.sum(paid.micros * case(weights, value=paid.payout))
    wanted = select(paid.payee).where(paid.payout.in_(weights), mine).group_by(paid.payee)
    with reading(books) as connection:
        ordered = wanted.order_by(func.abs(weighed).desc(), paid.payee)
        return list(connection.scalars(window.of(ordered)))


def paid_to(
    viewer: Viewer, books: Books, currencies: Mapping[str, str], payees: Sequence[str]
) -> dict[str, dict[str, PayeeAmount]]:
    """Read what payouts give some payees, by payout and payee; those who get nothing are left out.

    `currencies` are by the payouts' ids.
    """
    paid, party = schema.payout_payee.c, schema.party.c
    wanted = (
        select(schema.payout_payee, party.name)
        .join(schema.party, party.id == paid.payee)
        .where(paid.payout.in_(currencies))
    )
    found: dict[str, dict[str, PayeeAmount]] = {id_: {} for id_ in currencies}
    with reading(books) as connection:
        for row in among(connection, wanted, paid.payee, [*filter(viewer.sees, payees)]):
            money = partial(Money, currency=currencies[row.payout])
            found[row.payout][row.payee] = payee_amount(row, money)
    return found
