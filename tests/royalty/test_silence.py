from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royalty.money import Money
from royalty.rules.hybrid import Hybrid
from royalty.rules.pro_rata import ProRata
from royalty.silence import closed_form, moved_most, moved_most_of
from tests.oracle import PPM, World, exact
from tests.royalty.listenings import listening_of

T1 = World({("u1", "A"): 90, ("u1", "B"): 10, ("u2", "B"): 10}, {"u1": 10 * PPM, "u2": 10 * PPM})
T3 = World(
    {**{(f"u{n}", "H"): 10 for n in range(9)}, ("bot", "X"): 910},
    {**{f"u{n}": PPM for n in range(9)}, "bot": PPM},
    700_000,
)
OPTIONS = {
    "pro_rata": ProRata(),
    "hybrid": Hybrid(informativeness_ppm=300_000, base="user_centric"),
}
FORMULAS = (
    "pro_rata", "user_centric", "user_equal", "scaled_user_centric", "hybrid", "per_generation",
    "streamed_track", "training_fee",
)  # fmt: skip


def formula(rule: str):
    return closed_form(rule, OPTIONS.get(rule))


def silenced(world: World, listener: str) -> World:
    """The month without one listener's plays; the fee stays."""
    return World(
        {pair: count for pair, count in world.plays.items() if pair[0] != listener},
        world.fees,
        world.rate_ppm,
        booked=world.booked,
    )


def redivided(rule: str, worlds: list[World], listener: str) -> dict[str, Fraction]:
    """What a listener's silence changes for every track, by dividing the month twice."""
    options = {"informativeness_ppm": 300_000, "base": "user_centric"} if rule == "hybrid" else {}
    change: dict[str, Fraction] = {}
    for world in worlds:
        before = exact(rule, world, **options)
        after = exact(rule, silenced(world, listener), **options)
        for track in {*before, *after}:
            moved = after.get(track, 0) - before.get(track, 0)
            change[track] = change.get(track, Fraction(0)) + moved
    return change


names = st.sampled_from(["u1", "u2", "u3", "u4"])
pairs = st.tuples(names, st.sampled_from("ABC"))
some_worlds = st.builds(
    World,
    st.dictionaries(pairs, st.integers(0, 50) | st.integers(0, 10**5), max_size=9),
    st.dictionaries(names | st.just(""), st.integers(0, 10**7), max_size=5),
    st.sampled_from([PPM, 700_000, 1, 0]),
    booked=st.dictionaries(pairs, st.integers(0, 10**7), max_size=2),
)


@pytest.mark.parametrize("rule", FORMULAS)
@settings(max_examples=40, deadline=None)
@given(worlds=st.lists(some_worlds, min_size=1, max_size=2))
def test_every_formula_is_what_dividing_the_month_again_without_the_plays_gives(rule, worlds):
    listening = listening_of(*worlds)
    rows = listening.heaviest
    if not len(rows):
        return

    changes = sum(formula(rule)(pool, rows) for pool in listening.pools)

    for row, listener in enumerate(rows):
        expected = redivided(rule, worlds, listening.listeners[listener])
        for place, payee in enumerate(listening.payees):
            wanted = float(expected.get(payee, 0))
            assert changes[row, place] == pytest.approx(wanted, rel=1e-9, abs=0.01)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("pro_rata", 6.37),
        ("user_centric", 0.70),
        ("user_equal", 0.70),
        ("scaled_user_centric", 1.0),
    ],
)
def test_the_bot_of_t3_moves_more_than_its_fee_only_where_the_rule_is_not_proof(rule, change):
    moved = moved_most(listening_of(T3), [formula(rule)])

    assert (moved.listener, moved.payee, moved.tried, moved.of) == ("bot", "X", 10, 10)
    assert moved.change == Money(round(change * PPM), "EUR")
    assert moved.fee == Money(PPM, "EUR")
    assert moved.ratio == pytest.approx(change)


def test_a_rule_without_a_formula_is_told_by_divisions_in_which_one_was_silent():
    listening = listening_of(T3)
    whole = {"H": Money(630_000, "EUR"), "X": Money(6_370_000, "EUR")}
    silent = [
        ("u0", {"H": Money(560_000, "EUR"), "X": Money(6_440_000, "EUR")}),
        ("bot", {"H": Money(7_000_000, "EUR")}),
    ]

    moved = moved_most_of(listening, whole, silent)

    assert (moved.listener, moved.payee, moved.tried, moved.of) == ("bot", "X", 2, 10)
    assert moved.change == Money(6_370_000, "EUR")


def test_thresholds_and_boosts_have_no_formula():
    assert closed_form("pro_rata", ProRata(minimum_plays=1000)) is None
    assert closed_form("artist_centric", None) is None


def test_too_many_listeners_leave_the_heaviest_and_say_how_many(monkeypatch):
    monkeypatch.setattr("royalty.silence.WORK_MAX", 30)

    moved = moved_most(listening_of(T3), [formula("pro_rata")])

    assert (moved.listener, moved.tried, moved.of) == ("bot", 3, 10)


def test_nobody_moves_anything_where_nobody_played():
    assert moved_most(listening_of(World({}, {"u1": PPM})), [formula("pro_rata")]) is None
    assert moved_most_of(listening_of(T3), {}, []) is None


def test_a_listener_who_paid_nothing_has_no_ratio():
    world = World({("u1", "A"): 1, ("u2", "B"): 3}, {"u1": PPM})

    moved = moved_most(listening_of(world), [formula("pro_rata")])

    assert (moved.listener, moved.payee, moved.ratio) == ("u2", "B", None)
    assert moved.change == Money(750_000, "EUR")


def test_pools_may_be_divided_by_different_rules():
    booked = World({("u1", "A"): 5}, {"u1": 10 * PPM})
    formulas = [formula("pro_rata"), formula("per_generation")]

    moved = moved_most(listening_of(T3, booked), formulas)

    assert (moved.listener, moved.change) == ("bot", Money(6_370_000, "EUR"))
