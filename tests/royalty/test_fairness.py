from math import inf

import pytest

from royalty.audit import farm_cost
from royalty.fairness import Farm, maximum_envy, most_suspicious
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
    honest = World(
        {pair: count for pair, count in T3.plays.items() if pair[0] != "bot"},
        {listener: fee for listener, fee in T3.fees.items() if listener != "bot"},
        T3.rate_ppm,
    )
    cost = farm_cost(rule, amounts(rule, T3), amounts(rule, honest), "EUR")
    farm = Farm(listeners=1, fees=Money(PPM, "EUR"), cost=cost)

    assert cost.paid_in == Money(700_000, "EUR")
    assert cost.gained == Money(round(gained * PPM), "EUR")
    assert farm.profit == Money(round(profit * PPM), "EUR")
    assert cost.moved == Money(round(lost * PPM), "EUR")
