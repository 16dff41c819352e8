"""A month of simulated listening from a seeded recipe: the demonstration's usage and revenue."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa

FARM = "farm"  # the kind whose listeners are the click farm


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Usage and revenue as tables of the imported columns, and which listeners are the farm."""

    period: str
    usage: pa.Table
    revenue: pa.Table
    farm: frozenset[str]
    farm_track: str


def simulate(recipe: Path, tracks: Sequence[str]) -> Month:
    """Turn a recipe into a month: the same recipe and tracks give the same rows everywhere.

    The first track is the most popular; the farm plays the last.
    """
    plan = tomllib.loads(recipe.read_text(encoding="utf-8"))
    draw = random.Random(plan["seed"])  # noqa: S311 - a simulation, not a secret
    weights = list(accumulate(1 / rank ** plan["skew"] for rank in range(1, len(tracks) + 1)))
    usage: list[dict[str, Any]] = []
    revenue: list[dict[str, Any]] = []
    for kind in plan["listeners"]:
        for number in range(kind["count"]):
            listener = f"{kind['kind']}-{number:04d}"
            where = {
                "period": plan["period"],
                "listener": listener,
                "source": plan["source"],
                "territory": kind["territory"],
            }
            revenue.append(where | {"currency": plan["currency"], "net": kind["net"]})
            for track, plays in _habit(kind, tracks, weights, draw):
                usage.append(where | {"track": track, "plays": plays})
    return Month(
        period=plan["period"],
        usage=pa.Table.from_pylist(usage),
        revenue=pa.Table.from_pylist(revenue),
        farm=frozenset(row["listener"] for row in revenue if row["listener"].startswith(FARM)),
        farm_track=tracks[-1],
    )


def _habit(
    kind: dict[str, Any], tracks: Sequence[str], weights: Sequence[float], draw: random.Random
) -> list[tuple[str, int]]:
    """Return what one listener of a kind plays, and how often."""
    plays = draw.randint(*kind["plays"])
    if kind["kind"] == FARM:
        return [(tracks[-1], plays)]
    favourites = set(draw.choices(tracks, cum_weights=weights, k=draw.randint(*kind["tracks"])))
    counts = dict.fromkeys(sorted(favourites), 0)
    for track in draw.choices(sorted(favourites), k=plays) if favourites else ():
        counts[track] += 1
    return [(track, count) for track, count in counts.items() if count]
