import pyarrow as pa
import pytest

from db import queries, snapshots
from db.books.payouts import record_payout
from db.engine import Books
from db.queries import EVERYONE, Viewer
from royalty.errors import NotFound
from royalty.money import Money
from tests.db import world
from tests.db.world import OCTOBER, RULE

ROWS = (
    ("u1", "app", "DE", "EUR", 3_000_000),
    ("u2", "app", "DE", "EUR", 4_000_000),
    ("u1", "app", "FR", "EUR", 1_000_000),
    ("u2", "app", "FR", "EUR", -1_000_000),
    ("u1", "web", "US", "EUR", 2_000_000),
    ("u1", "web", "US", "USD", 5_000_000),
)


def test_revenue_is_summed_by_source_territory_and_currency(month: Books) -> None:
    names = ("listener", "source", "territory", "currency", "net_micros")
    rows = [{"period": "2026-10"} | dict(zip(names, row, strict=True)) for row in ROWS]
    revenue = snapshots.write(month, "revenue", pa.Table.from_pylist(rows))
    facts = world.payout_facts(month)
    inputs = {**facts.inputs, "revenue": [revenue]}
    record_payout(month, world.payout_facts(month, inputs=inputs))

    came = queries.revenue_by_source(
        EVERYONE, month, queries.payout(EVERYONE, month, OCTOBER, RULE)
    )

    assert list(came.items()) == [
        (("app", "DE"), (Money(7_000_000, "EUR"),)),
        (("web", "US"), (Money(2_000_000, "EUR"), Money(5_000_000, "USD"))),
    ]


def test_where_revenue_came_from_is_for_auditors(computed: Books) -> None:
    paid = queries.payout(EVERYONE, computed, OCTOBER, RULE)

    with pytest.raises(NotFound, match="revenue by source is shown to auditors only"):
        queries.revenue_by_source(Viewer("bob", frozenset({"bob"})), computed, paid)
