"""Changes of worlds drawn at random, for each property those that it speaks of.

In every world who pays also plays: what becomes of idle money is another matter. A world is paid
for by fees or, `booked`, by what was paid for tracks, which need not be those that were played.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from tests.oracle import PPM, World
from tests.royalty.rules.changed import (
    listeners_named,
    louder,
    only_listeners,
    tracks_named,
    with_listeners,
)
from tests.royalty.rules.properties import Change

LISTENERS = ("u1", "u2", "u3", "u4")
TRACKS = ("A", "B", "C", "D")


@st.composite
def worlds(draw: st.DrawFn, *, booked: bool) -> World:
    keys = st.tuples(st.sampled_from(LISTENERS), st.sampled_from(TRACKS))
    counts = st.integers(1, 30) | st.integers(1, 3000)
    plays = draw(st.dictionaries(keys, counts, min_size=1, max_size=8))
    active = {pair: draw(st.just(count) | st.integers(0, count)) for pair, count in plays.items()}
    listed = {("nobody", track): 0 for track in TRACKS} | plays
    fees = st.just(PPM) | st.integers(0, 20 * PPM)
    paid = {who: draw(fees) for who in sorted({who for who, _ in plays})}
    rate = draw(st.sampled_from([PPM, 700_000, 333_333]))
    if booked:
        bookings = {(who, draw(st.sampled_from(TRACKS))): fee for who, fee in paid.items()}
        return World(listed, {}, rate, active, bookings)
    return World(listed, paid, rate, active)


def _heard(world: World) -> list[str]:
    return sorted(world.heard)


@st.composite
def _as_it_is(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    return Change(world, world)


@st.composite
def _listeners_renamed(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    names = dict(zip(LISTENERS, draw(st.permutations(LISTENERS)), strict=True))
    return Change(world, listeners_named(world, names | {"nobody": "nobody"}))


@st.composite
def _tracks_renamed(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    names = dict(zip(TRACKS, draw(st.permutations(TRACKS)), strict=True))
    return Change(world, tracks_named(world, names), names=names)


@st.composite
def _nobody_plays_one(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    nulls = [each for each in TRACKS if each not in world.played]
    return Change(world, world, payees=nulls)


@st.composite
def _profile(draw: st.DrawFn, listener: str, fee: int, *, booked: bool) -> World:
    """What one listener does for the fee, in a world of one."""
    counts = st.integers(1, 30) | st.integers(1, 3000)
    tracks = draw(st.dictionaries(st.sampled_from(TRACKS), counts, min_size=1, max_size=2))
    plays = {(listener, track): count for track, count in tracks.items()}
    active = {pair: draw(st.sampled_from([0, count])) for pair, count in plays.items()}
    if booked:
        return World(plays, {}, PPM, active, {(listener, draw(st.sampled_from(TRACKS))): fee})
    return World(plays, {listener: fee}, PPM, active)


@st.composite
def _fake_listeners(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    fees = draw(st.lists(st.just(PPM) | st.integers(0, 20 * PPM), min_size=1, max_size=3))
    fakes = [draw(_profile(f"bot{n}", fee, booked=booked)) for n, fee in enumerate(fees)]
    return Change(world, with_listeners(world, *fakes), stake=sum(fees))


@st.composite
def _bribed_listeners(draw: st.DrawFn, *, booked: bool, most: int = 3) -> Change:
    world = draw(worlds(booked=booked))
    bribed = draw(st.sets(st.sampled_from(_heard(world)), min_size=1, max_size=most))
    stakes = {who: world.spent[who] for who in sorted(bribed)}
    honest = only_listeners(world, set(_heard(world)) - bribed)
    now = [draw(_profile(who, fee, booked=booked)) for who, fee in stakes.items()]
    return Change(world, with_listeners(honest, *now), stake=sum(stakes.values()))


@st.composite
def _one_listener_clicks(draw: st.DrawFn, *, booked: bool) -> Change:
    return draw(_bribed_listeners(booked=booked, most=1))


@st.composite
def _two_made_one(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    names = {"B": "A"}
    return Change(world, tracks_named(world, names), names=names)


@st.composite
def _plays_dealt_out_anew(draw: st.DrawFn, *, booked: bool) -> Change:
    """All plays of two payees become one's or both's, of whichever listeners: as many as before."""
    world = replace(draw(worlds(booked=booked)), active={})
    joint = world.played["A"] + world.played["B"]
    others = {pair: each for pair, each in world.plays.items() if pair[1] not in {"A", "B"}}
    heirs = draw(st.sampled_from([("A",), ("A", "B")]))
    pairs = [(who, track) for who in _heard(world) for track in heirs]
    cuts = sorted(draw(st.integers(0, joint)) for _ in pairs[1:])
    dealt = [high - low for low, high in zip([0, *cuts], [*cuts, joint], strict=True)]
    plays = others | dict(zip(pairs, dealt, strict=True))
    return Change(world, replace(world, plays=plays), payees=("A", "B"))


@st.composite
def _played_more(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    known = st.sampled_from([pair for pair in world.plays if pair[0] != "nobody"])
    new = st.tuples(st.sampled_from(_heard(world)), st.sampled_from(TRACKS))
    pair = draw(known | new)
    more = draw(st.integers(1, 30) | st.integers(1, 3000))
    plays = {**world.plays, pair: world.plays.get(pair, 0) + more}
    return Change(world, replace(world, plays=plays), payees=pair[1:])


@st.composite
def _plays_moved_to_who_has_fewer(draw: st.DrawFn, *, booked: bool) -> Change:
    """From who plays a track most to who plays it least, not past one another; all fees alike."""
    world = draw(worlds(booked=booked))
    fees = dict.fromkeys(world.fees, PPM)
    bookings = dict.fromkeys(world.booked, PPM)
    track = draw(st.sampled_from(sorted(world.played)))
    counts = {who: world.plays.get((who, track), 0) for who in _heard(world)}
    poor, rich = (pick(counts, key=counts.__getitem__) for pick in (min, max))
    moved = draw(st.integers(0, (counts[rich] - counts[poor]) // 2))
    plays = {
        **world.plays,
        (rich, track): counts[rich] - moved,
        (poor, track): counts[poor] + moved,
    }
    before = replace(world, fees=fees, booked=bookings, active={})
    return Change(before, replace(before, plays=plays), payees=(track,))


@st.composite
def _all_louder(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    return Change(world, louder(world, draw(st.integers(2, 9)), LISTENERS))


@st.composite
def _one_louder(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    times = draw(st.integers(2, 9))
    return Change(world, louder(world, times, [draw(st.sampled_from(_heard(world)))]))


@st.composite
def _in_two_groups(draw: st.DrawFn, *, booked: bool) -> Change:
    world = draw(worlds(booked=booked))
    some = draw(st.sets(st.sampled_from(_heard(world))))
    others = only_listeners(world, set(_heard(world)) - some)
    return Change(world, only_listeners(world, some), rest=others)


CHANGES: dict[str, Callable[..., st.SearchStrategy[Change]]] = {
    "conservation": _as_it_is,
    "anonymity": _listeners_renamed,
    "neutrality": _tracks_renamed,
    "null_payee": _nobody_plays_one,
    "fraud_proof": _fake_listeners,
    "bribery_proof": _bribed_listeners,
    "click_fraud_proof": _one_listener_clicks,
    "sybil_proof": _two_made_one,
    "strong_sybil_proof": _plays_dealt_out_anew,
    "engagement_monotone": _played_more,
    "pigou_dalton": _plays_moved_to_who_has_fewer,
    "scale_invariant": _all_louder,
    "listener_scale_invariant": _one_louder,
    "listener_additive": _in_two_groups,
}
