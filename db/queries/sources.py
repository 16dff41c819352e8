"""Where a month's revenue came from."""

from __future__ import annotations

from collections import defaultdict

from db import engines, snapshots
from db.engine import Books
from db.queries.payouts import decided
from db.queries.viewer import Viewer
from royalty.money import Money
from royalty.payout import Payout
from royalty.rules.arithmetic import exact_sum

Came = dict[tuple[str, str], tuple[Money, ...]]  # source, territory → net revenue, by currency


def revenue_by_source(
    viewer: Viewer, books: Books, paid: Payout, *, engine: str = "duckdb"
) -> Came:
    """Sum the revenue that a payout divides by source and territory, in order; to auditors only.

    Whatever the pools are: a territory that a pool holds with others is told apart. What sums to
    nothing is left out.
    """
    viewer.require_all("revenue by source")
    hashes = decided(viewer, books, paid).inputs.get("revenue", [])
    rows = snapshots.table(books, "revenue", hashes, engines.connect(engine))
    by = ("source", "territory", "currency")
    sums = rows.group_by(by).agg(micros=exact_sum(rows.net_micros)).order_by(by)
    came: defaultdict[tuple[str, str], tuple[Money, ...]] = defaultdict(tuple)
    for row in snapshots.run(sums).to_pylist():
        if row["micros"]:
            came[row["source"], row["territory"]] += (Money(row["micros"], row["currency"]),)
    return dict(came)
