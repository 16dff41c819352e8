import numpy as np

from royalty.money import Money
from tests.oracle import PPM, World
from tests.royalty.listenings import listening_of

WORLD = World(
    {("u1", "A"): 30, ("u1", "B"): 10, ("u2", "B"): 20, ("u3", "B"): 0},
    {"u1": 10 * PPM, "u3": 5 * PPM, "": 2 * PPM},
    500_000,
)
SHARED = {"A": {"ann": 0.5, "bob": 0.25}, "B": {"bob": 1.0}}


def test_plays_count_for_a_payee_by_its_part_of_what_the_track_earns():
    listening = listening_of(WORLD, parts=SHARED)

    assert listening.streams == {"ann": 15.0, "bob": 37.5}
    assert dict(zip(listening.listeners, listening.streams_of("bob"), strict=True)) == {
        "": 0.0,
        "u1": 17.5,
        "u2": 20.0,
        "u3": 0.0,
    }


def test_money_of_those_who_played_nothing_is_idle():
    (pool,) = listening_of(WORLD).pools

    assert (pool.pool, pool.idle) == (8.5 * PPM, 3.5 * PPM)


def test_listeners_are_ranked_by_their_plays_in_all_pools_and_the_silent_left_out():
    listening = listening_of(WORLD, World({("u2", "A"): 21, ("u4", "A"): 41}, {"u4": 1}))

    names = [listening.listeners[place] for place in listening.heaviest]
    fees = dict(zip(listening.listeners, listening.fees, strict=True))

    assert names == ["u2", "u4", "u1"]  # alike: in order of their ids
    assert np.array_equal(np.sort(listening.plays_of), [0, 0, 40, 41, 41])
    assert fees == {"": 2 * PPM, "u1": 10 * PPM, "u2": 0, "u3": 5 * PPM, "u4": 1}
    assert listening.currency == Money(0, "EUR").currency
