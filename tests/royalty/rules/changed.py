"""Worlds that differ from worlds: what a change of names, listeners or plays makes of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from tests.oracle import World

Pairs = dict[tuple[str, str], int]


def listeners_named(world: World, names: Mapping[str, str]) -> World:
    return replace(
        world,
        plays={(names[who], track): count for (who, track), count in world.plays.items()},
        active={(names[who], track): count for (who, track), count in world.active.items()},
        booked={(names[who], track): net for (who, track), net in world.booked.items()},
        fees={names[who]: net for who, net in world.fees.items()},
    )


def tracks_named(world: World, names: Mapping[str, str]) -> World:
    """Tracks under other names; under one, they are one."""

    def joined(pairs: Mapping[tuple[str, str], int]) -> Pairs:
        sums: Pairs = {}
        for (who, track), number in pairs.items():
            pair = (who, names.get(track, track))
            sums[pair] = sums.get(pair, 0) + number
        return sums

    return replace(
        world,
        plays=joined(world.plays),
        active=joined(world.active),
        booked=joined(world.booked),
    )


def with_listeners(world: World, *others: World) -> World:
    """The world, and what other listeners do in theirs."""
    for other in others:
        world = replace(
            world,
            plays={**world.plays, **other.plays},
            fees={**world.fees, **other.fees},
            active={**world.active, **other.active},
            booked={**world.booked, **other.booked},
        )
    return world


def only_listeners(world: World, some: set[str]) -> World:
    """The world with none but these listeners; its tracks are listed all the same."""
    listed = {("nobody", track): 0 for _, track in world.plays}
    return replace(
        world,
        plays=listed | {pair: each for pair, each in world.plays.items() if pair[0] in some},
        active={pair: each for pair, each in world.active.items() if pair[0] in some},
        booked={pair: each for pair, each in world.booked.items() if pair[0] in some},
        fees={who: fee for who, fee in world.fees.items() if who in some},
    )


def louder(world: World, times: int, listeners: Collection[str]) -> World:
    def multiplied(pairs: Mapping[tuple[str, str], int]) -> Pairs:
        return {pair: n * (times if pair[0] in listeners else 1) for pair, n in pairs.items()}

    return replace(world, plays=multiplied(world.plays), active=multiplied(world.active))
