from royalty.ledger import Converted
from royalty.money import Money
from royalty.payout import Payout, PoolAmount
from royalty.period import Period
from royalty.reports.pools import COLUMNS, pools_table

OCTOBER = Period(2026, 10)
BOOKED = {
    "p1": {
        "payable.ann": 60,
        "payable.bob": 10,
        "suspense.unmatched": 3,
        "suspense.unclaimed": 2,
        "platform": 25,  # 20 not royalty-bearing, 5 left by an agreement
        "pool.p1": 0,
        "receivable.platform": -100,
    },
    "p2": {"payable.ann": 9, "platform": 1},
}


def euros(micros: int) -> Money:
    return Money(micros, "EUR")


def pool(id_: str, gross: int, amount: int, **more: object) -> PoolAmount:
    return PoolAmount(
        id=id_,
        source="app",
        territory="DE",
        gross=euros(gross),
        amount=euros(amount),
        idle=euros(0),
        unattributed=euros(4),
        **more,
    )


def payout(*pools: PoolAmount) -> Payout:
    sums = dict.fromkeys(("gross", "pool", "unattributed", "suspense", "idle", "platform"))
    return Payout(
        id="1",
        period=OCTOBER,
        rule="pro_rata",
        rule_version="pro_rata-1",
        provider="ours",
        snapshot="ab",
        publishing_ppm=0,
        **{name: euros(0) for name in sums},
        payees=(),
        suspense_kinds={},
        pools=pools,
        tracks=(),
        recordings=(),
    )


def rows(booked: dict[str, dict[str, int]], *pools: PoolAmount) -> list[dict[str, object]]:
    money = {
        id_: {account: euros(micros) for account, micros in accounts.items()}
        for id_, accounts in booked.items()
    }
    names = [column.name for column in COLUMNS]
    found = pools_table(payout(*pools), money, "root")
    return [dict(zip(names, row, strict=True)) for row in found.rows]


TWO = (
    pool("p1", 100, 80),
    pool("p2", 10, 10, converted=Converted(came=Money(11, "USD"), rate="r")),
)


def test_what_came_in_is_found_again_to_the_micro() -> None:
    first, second, whole = rows(BOOKED, *TWO)

    parts = ("payees", "unattributed", "unmatched", "unclaimed", "platform", "difference")
    assert [first[name].micros for name in parts] == [70, 4, 3, 2, 25, 0]
    assert second["difference"].micros == 0
    assert [whole[name].micros for name in ("revenue", "royalty", "payees")] == [110, 90, 79]
    assert (second["came"], second["fx_rate_id"]) == (Money(11, "USD"), "r")
    assert whole["came"] is None


def test_what_is_booked_nowhere_shows_as_a_difference() -> None:
    lost = BOOKED | {"p1": BOOKED["p1"] | {"payable.bob": 9}}

    assert [row["difference"].micros for row in rows(lost, *TWO)] == [1, 0, 1]
    assert [row["difference"].micros for row in rows({}, *TWO)] == [100, 10, 110]


def test_a_month_without_pools_is_a_sum_of_nothing() -> None:
    [whole] = rows({})

    assert whole["revenue"] == euros(0) == whole["difference"]
