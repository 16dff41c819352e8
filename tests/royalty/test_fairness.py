from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royalty.fairness import (
    Everybody,
    Farm,
    everybody,
    farm_cost,
    maximum_envy,
    most_suspicious,
)
from royalty.ledger import KINDS
from royalty.money import Money
from tests.oracle import PPM, World, revenue
from tests.royalty.listenings import listening_of
from tests.royalty.test_silence import T1, T3


def amounts(rule: str, world: World) -> dict[str, Money]:
    return {track: Money(micros, "EUR") for track, micros in revenue(rule, world).items()}


@pytest.mark.parametrize(
    ("rule", "of_t1", "of_t3"),
    [
        ("pro_rata", 1, 1),
        ("user_centric", (11 / 20) / (9 / 90), (6.3 / 90) / (0.7 / 910)),
        ("user_equal", (15 / 20) / (5 / 90), (6.3 / 90) / (0.7 / 910)),
        ("scaled_user_centric", (11 / 20) / (9 / 90), (6 / 90) / (1 / 910)),
    ],
)
def test_envy_of_the_worked_examples(rule, of_t1, of_t3):
    for world, wanted in ((T1, of_t1), (T3, of_t3)):
        envy = maximum_envy(amounts(rule, world), listening_of(world).streams)

        assert envy.ratio == pytest.approx(wanted, rel=1e-6)


def test_envy_names_the_best_and_the_worst_paid():
    envy = maximum_envy(amounts("user_centric", T1), listening_of(T1).streams)

    assert (envy.most, envy.least) == ("B", "A")


def test_envy_is_without_bound_where_somebody_was_played_for_nothing():
    streams = {"ann": 10.0, "bob": 5.0, "cy": 0.0}
    paid = {"ann": Money(7, "EUR"), "cy": Money(9, "EUR")}

    assert maximum_envy(paid, streams).ratio == inf
    assert maximum_envy({}, streams) is None
    assert maximum_envy(paid, {}) is None


def test_only_who_the_pool_gave_more_than_the_own_fees_is_suspicious():
    found = most_suspicious(amounts("pro_rata", T3), amounts("user_centric", T3), listening_of(T3))

    assert [(each.payee, each.excess) for each in found] == [("X", Money(5_670_000, "EUR"))]
    assert found[0].few == 1.0  # one listener in ten is more than a hundredth: the bot alone


def test_few_are_the_hundredth_who_played_the_payee_most():
    plays = {(f"u{n:03d}", "A"): 1 for n in range(200)} | {("x", "A"): 60, ("y", "A"): 40}
    listening = listening_of(World(plays, {"x": 1}))

    (found,) = most_suspicious({"A": Money(5, "EUR")}, {}, listening)

    # 202 listeners: three are their hundredth, rounded up.
    assert found.few == pytest.approx((60 + 40 + 1) / 300)


def test_no_more_are_named_than_asked_for_and_the_largest_first():
    listening = listening_of(T1)
    pooled = {"A": Money(5, "EUR"), "B": Money(9, "EUR")}

    assert [each.payee for each in most_suspicious(pooled, {}, listening)] == ["B", "A"]
    assert [each.payee for each in most_suspicious(pooled, {}, listening, count=1)] == ["B"]


# What a farm cost.

HONEST = World(
    {pair: count for pair, count in T3.plays.items() if pair[0] != "bot"},
    {listener: fee for listener, fee in T3.fees.items() if listener != "bot"},
    T3.rate_ppm,
)


def eur(micros: int) -> Money:
    return Money(micros, "EUR")


def paid(payees: dict[str, Money], suspense: int = 0, platform: int = 0) -> Everybody:
    return Everybody(payees=payees, suspense=eur(suspense), platform=eur(platform))


@pytest.mark.parametrize(
    ("rule", "gained", "profit", "lost"),
    [
        ("pro_rata", 6.37, 5.37, 5.67),
        ("user_centric", 0.70, -0.30, 0.0),
        ("user_equal", 0.70, -0.30, 0.0),
        ("scaled_user_centric", 1.00, 0.0, 0.30),
    ],
)
def test_the_bot_of_t3_pays_only_under_pro_rata(rule, gained, profit, lost):
    cost = farm_cost(paid(amounts(rule, T3)), paid(amounts(rule, HONEST)))
    farm = Farm(listeners=1, fees=eur(PPM), cost=cost)

    assert cost.paid_in == eur(700_000)
    assert cost.gained == eur(round(gained * PPM))
    assert farm.profit == eur(round(profit * PPM))
    assert cost.taken == eur(round(lost * PPM))
    assert [(each.payee, each.difference) for each in cost.losers] == (
        [("H", eur(round(-lost * PPM)))] if lost else []
    )


POSTED = [
    {"payee": "ann", "kind": "attributed", "micros": 5},
    {"payee": "ann", "kind": "unattributed", "micros": 6},
    {"payee": "suspense", "kind": "fixed", "micros": 7},
    {"payee": "", "kind": "platform", "micros": 8},
    {"payee": "", "kind": "suspense_unclaimed", "micros": 9},
    {"payee": "", "kind": "suspense_unmatched", "micros": 10},
]


def test_everybody_is_payees_and_apart_from_them_suspense_and_the_platform():
    found = everybody(POSTED, "EUR")

    assert found == paid({"ann": eur(11), "suspense": eur(7)}, 19, 8)
    assert found.whole == eur(45)
    assert {row["kind"] for row in POSTED} == {*KINDS}


def test_money_that_waits_or_stays_with_the_platform_is_nobody_s_gain():
    before = paid({"ann": eur(50), "suspense": eur(30)}, 20, 10)
    after = paid({"ann": eur(40), "suspense": eur(45)}, 70, 5)

    cost = farm_cost(after, before)

    assert (cost.gained, cost.taken, cost.paid_in) == (eur(15), eur(10), eur(50))
    assert (cost.suspense, cost.platform) == (eur(50), eur(-5))
    assert [each.payee for each in cost.changes] == ["ann", "suspense"]


some_amounts = st.dictionaries(
    st.sampled_from(["ann", "bob", "suspense"]), st.integers(0, 10**12).map(eur)
)
some_micros = st.integers(0, 10**12)
somebody = st.builds(paid, some_amounts, some_micros, some_micros)


@given(with_farm=somebody, without=somebody)
def test_what_came_in_and_was_taken_is_all_somewhere(with_farm, without):
    cost = farm_cost(with_farm, without)

    assert cost.paid_in + cost.taken == cost.gained + cost.suspense + cost.platform
    assert {each.payee for each in cost.changes} == {*with_farm.payees, *without.payees}
