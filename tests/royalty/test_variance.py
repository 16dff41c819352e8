"""A month against another, worked out by hand."""

import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.errors import CurrencyMismatch
from royalty.money import Money
from royalty.payout import PayeeAmount, Payout, PoolAmount, TrackAmount
from royalty.period import Period
from royalty.variance import Came, Variance, percent, vary

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)
NAMES = {"ann": "Ann", "bob": "Bob", "cy": "Cy"}


def euros(amount: float, currency: str = "EUR") -> Money:
    return Money(round(amount * 10**6), currency)


def payout(
    period: Period, payees: Mapping[str, float], *, currency: str = "EUR", plays: int = 10
) -> Payout:
    """What is not for payees waits in suspense: a quarter of the pool, which is half of gross."""

    def money(amount: float) -> Money:
        return euros(amount, currency)

    pool = sum(payees.values()) * 4 / 3
    return Payout(
        id=f"{period}/pro_rata",
        period=period,
        rule="pro_rata",
        rule_version="pro_rata-1",
        provider="ours",
        snapshot="",
        publishing_ppm=0,
        gross=money(2 * pool),
        pool=money(pool),
        payees=tuple(
            PayeeAmount(
                id=id_,
                name=NAMES[id_],
                amount=money(amount),
                low=money(0),
                high=money(pool),
                attributed=money(amount),
            )
            for id_, amount in payees.items()
        ),
        unattributed=money(pool / 10),
        suspense=money(pool / 4),
        suspense_kinds={},
        idle=money(0),
        platform=money(0),
        pools=(
            PoolAmount(
                id=f"{period}/app/DE/{currency}",
                source="app",
                territory="DE",
                gross=money(2 * pool),
                amount=money(pool),
                idle=money(0),
                unattributed=money(0),
            ),
        ),
        tracks=(
            TrackAmount(id="t1", title="One", plays=plays, amount=money(pool / 2)),
            TrackAmount(id="t2", title="Two", plays=2, amount=money(pool / 2)),
        ),
        recordings=(),
    )


def varied(before: Mapping[str, float], now: Mapping[str, float], **came: Came) -> Variance:
    no_sources: dict[str, Came] = {"came": {}, "came_before": {}}
    return vary(payout(NOVEMBER, now, plays=18), payout(OCTOBER, before), **(no_sources | came))


def test_totals_stand_beside_each_other_with_their_changes() -> None:
    found = varied({"ann": 6, "bob": 3}, {"ann": 6, "bob": 6})

    amounts = {each.name: (each.before, each.now, each.change_ppm) for each in found.amounts}
    assert amounts == {
        "revenue": (euros(24), euros(32), 333_333),
        "pool": (euros(12), euros(16), 333_333),
        "unattributed": (euros(1.2), euros(1.6), 333_333),
        "suspense": (euros(3), euros(4), 333_333),
    }
    counts = {each.name: (each.before, each.now, each.change) for each in found.counts}
    assert counts == {"payees": (2, 2, 0), "plays": (12, 20, 8), "tracks": (2, 2, 0)}


def test_the_largest_changes_come_first_whichever_way_they_go() -> None:
    found = varied({"ann": 6, "bob": 3, "cy": 1}, {"ann": 5, "bob": 3, "cy": 3})

    changes = [(each.id, each.change, each.change_ppm) for each in found.payees]
    assert changes == [
        ("cy", euros(2), 2_000_000),
        ("ann", euros(-1), -166_667),
        ("bob", euros(0), 0),
    ]


def test_equal_changes_come_in_order_of_the_ids() -> None:
    found = varied({"ann": 2, "bob": 3, "cy": 4}, {"cy": 5, "bob": 2, "ann": 3})

    assert [each.id for each in found.payees] == ["ann", "bob", "cy"]


def test_who_is_new_and_who_is_gone_is_named() -> None:
    found = varied({"ann": 6, "bob": 3}, {"ann": 6, "cy": 3})

    assert [(each.id, each.before, each.change_ppm) for each in found.new] == [
        ("cy", euros(0), None)
    ]
    assert [(each.id, each.now, each.change_ppm) for each in found.gone] == [
        ("bob", euros(0), -1_000_000)
    ]


def test_who_is_paid_nothing_is_neither_new_nor_gone() -> None:
    found = varied({"ann": 6, "bob": 0}, {"ann": 0, "bob": 6})

    assert (found.new, found.gone) == ((), ())
    assert {each.id: each.change_ppm for each in found.payees} == {"ann": -1_000_000, "bob": None}


def test_a_source_that_had_revenue_and_has_none_is_missing_and_the_other_way_round_came() -> None:
    app, web = (euros(12.5),), (euros(1), euros(2, "USD"))
    found = varied(
        {"ann": 1},
        {"ann": 1},
        came={("app", "DE"): app, ("web", "US"): web},
        came_before={("app", "FR"): app, ("app", "DE"): app, ("radio", "DE"): web},
    )

    assert [str(each) for each in found.missing] == [
        "app in FR (€12.50)",
        "radio in DE (€1.00 and $2.00)",
    ]
    assert [str(each) for each in found.came] == ["web in US (€1.00 and $2.00)"]


@pytest.mark.parametrize(
    ("before", "now", "to_divide", "most"),
    [
        (
            {"ann": 6, "bob": 3},
            {"ann": 6, "bob": 6},
            "€16.00 to divide, €4.00 more than 2026-10 (+33.3 %)",
            "Bob moved most, from €3.00 to €6.00 (+100.0 %).",
        ),
        (
            {"ann": 6, "bob": 3},
            {"ann": 6},
            "€8.00 to divide, €4.00 less than 2026-10 (-33.3 %)",
            "Bob moved most, who is gone, and had €3.00.",
        ),
        (
            {"ann": 6},
            {"ann": 3, "cy": 3},
            "€8.00 to divide, as 2026-10 had",
            "Ann moved most, from €6.00 to €3.00 (-50.0 %).",
        ),
        (
            {},
            {"cy": 3},
            "€4.00 to divide, €4.00 more than 2026-10",
            "Cy moved most, who is new, with €3.00.",
        ),
    ],
)
def test_one_sentence_says_what_moved_most(
    before: Mapping[str, float], now: Mapping[str, float], to_divide: str, most: str
) -> None:
    assert varied(before, now).summary == f"2026-11 has {to_divide}; {most}"


def test_a_month_like_the_one_before_is_said_to_be() -> None:
    found = varied({"ann": 6}, {"ann": 6})

    assert found.summary == "Nothing moved: 2026-11 pays everybody what 2026-10 did."


def test_a_pool_that_moves_without_its_payees_is_said_to() -> None:
    before, now = payout(OCTOBER, {"ann": 6}), payout(NOVEMBER, {"ann": 6})
    more = dataclasses.replace(now, pool=euros(10), platform=euros(2))

    found = vary(more, before, came={}, came_before={}).summary

    assert "€10.00 to divide, €2.00 more than 2026-10 (+25.0 %); no payee's amount" in found


def test_money_that_went_into_suspense_is_what_moved_most_where_it_did() -> None:
    before, now = payout(OCTOBER, {"ann": 6}), payout(NOVEMBER, {"ann": 5})
    more = dataclasses.replace(now, pool=euros(8), suspense=euros(3))

    found = vary(more, before, came={}, came_before={}).summary

    assert found.endswith("had; Ann moved most, from €6.00 to €5.00 (-16.7 %).")
    less = dataclasses.replace(
        more, payees=(dataclasses.replace(now.payees[0], amount=euros(5.5)),)
    )
    assert vary(less, before, came={}, came_before={}).summary == (
        "2026-11 has €8.00 to divide, as 2026-10 had; "
        "suspense moved most, from €2.00 to €3.00 (+50.0 %)."
    )


def test_months_in_two_currencies_are_not_compared() -> None:
    before, now = payout(OCTOBER, {"ann": 6}, currency="USD"), payout(NOVEMBER, {"ann": 6})

    with pytest.raises(CurrencyMismatch, match="2026-11 is paid in EUR and 2026-10 in USD"):
        vary(now, before, came={}, came_before={})


@pytest.mark.parametrize(
    ("ppm", "text"),
    [(0, "+0.0 %"), (333_333, "+33.3 %"), (-1_000_000, "-100.0 %"), (12_345_678, "+1,234.6 %")],
)
def test_changes_are_written_to_a_tenth_of_a_per_cent(ppm: int, text: str) -> None:
    assert percent(ppm) == text


amounts = st.dictionaries(st.sampled_from(["ann", "bob", "cy"]), st.integers(0, 50).map(float))


@given(amounts, amounts)
def test_the_other_way_round_every_change_is_its_opposite(
    before: dict[str, float], now: dict[str, float]
) -> None:
    there, back = varied(before, now), varied(now, before)

    assert {each.id: each.change for each in there.payees} == {
        each.id: -each.change for each in back.payees
    }
    assert {each.id for each in there.new} == {each.id for each in back.gone}
    assert {each.id for each in there.payees} == {*before, *now}
