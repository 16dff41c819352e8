"""What is left unsaid of listeners where they are few: cells under the threshold k.

A cell is what a track was played in one pool of a month. With fewer than k listeners its plays
would say what single people did, so they are left out; and so is the track's sum of the month,
since the difference between that and the other cells would say it again.

Amounts are never left out, since they are owed: where a rule divides by plays, whoever is paid
for a cell can work its plays out from the amounts, to about their rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from royalty.statement import Line

LEAST = 5  # listeners, where a workspace names no other k

Cell = tuple[str, str]  # track, pool


def suppress(lines: Iterable[Line], few: frozenset[Cell]) -> list[Line]:
    """Leave out the plays of the cells with few listeners, and the sums that would give them away.

    The same cells are left out of every statement, whoever's it is.
    """
    tracks = {track for track, _ in few}
    return [_without(line, few, tracks) for line in lines]


def few_listeners(listeners: Mapping[Cell, int], k: int) -> frozenset[Cell]:
    """Name the cells that fewer than k listeners played."""
    return frozenset(cell for cell, count in listeners.items() if count < k)


def _without(line: Line, few: frozenset[Cell], tracks: set[str]) -> Line:
    if line.track not in tracks:
        return line
    plays = None if (line.track, line.pool) in few else line.plays
    return replace(line, plays=plays, track_plays=None)
