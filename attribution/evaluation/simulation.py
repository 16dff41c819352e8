"""Scores made up so that the truth is known: what each work did for a track.

A world has works of 1 to 8 items and placebos of the same kind. Noise is what `evidence` assumes
(lasting parts of a work and of an item, and chance by span and by sketch seed), or departs from it
where a `Simulation` says so. Effects are spread unevenly over spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from attribution.evaluation.estimate import Array, Whole
from attribution.evidence import Scored, scored

_ITEMS_MAX = 8
_ITEMS_MEAN = (1 + _ITEMS_MAX) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a world is made of. Standard deviations are of a sum over all spans."""

    works: int = 220
    with_effect: int = 15  # works; by 2 to 10 spreads of a typical work
    placebos: int = 45
    spans: int = 12
    seeds: int = 1  # sketch seeds
    between: float = 0.7  # of a work, an item
    within: float = 0.5**0.5  # of an item
    by_span: float = 0.5**0.5  # of an item
    by_seed: float = 0.0  # of an item
    shape: Literal["normal", "skewed", "heavy"] = "normal"  # of lasting noise
    common: float = 0.0  # of a part that all items share, placebos too, another in each span
    clustered: float = 0.0  # part of a work's own variance that five works share
    shift: float = 0.0  # how far all trained works lie above placebos of no effect, in `between`


DEPARTURES: Mapping[str, Simulation] = MappingProxyType(
    {
        "as assumed": Simulation(),
        "sketch noise, two seeds": Simulation(seeds=2, by_seed=0.5),
        "heavy tails": Simulation(shape="heavy"),
        "skewed": Simulation(shape="skewed"),
        "common component": Simulation(common=1.0),
        "works alike in fives": Simulation(clustered=0.5),
        "placebos lower than trained works": Simulation(shift=0.4),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """Scores of one track whose truth is known."""

    train: Scored
    placebo: Scored
    effects: Array  # (work,), works in the order of their names


def simulate(simulation: Simulation, seed: int) -> World:
    """Make up a world; the same seed gives the same one."""
    random = np.random.default_rng(seed)
    items = random.integers(1, _ITEMS_MAX + 1, simulation.works)
    held = random.integers(1, _ITEMS_MAX + 1, simulation.placebos)
    shared = simulation.common * random.normal(size=(1, simulation.spans, 1))
    train = shared + _noise(random, items, simulation) + simulation.shift * simulation.between
    placebo = shared + _noise(random, held, simulation)
    effects = _effects(random, simulation)
    # A work helps some spans more than others.
    uneven = 1 + 0.7 * random.normal(size=(simulation.spans, simulation.works))
    train += np.repeat(effects / items * uneven, items, axis=1)
    return World(
        train=_labelled(train / simulation.spans, items, "work"),
        placebo=_labelled(placebo / simulation.spans, held, "placebo"),
        effects=effects,
    )


def _effects(random: np.random.Generator, simulation: Simulation) -> Array:
    typical = np.hypot(_ITEMS_MEAN * simulation.between, _ITEMS_MEAN**0.5)
    effects = np.zeros(simulation.works)
    chosen = random.choice(simulation.works, simulation.with_effect, replace=False)
    effects[chosen] = random.uniform(2, 10, simulation.with_effect) * typical
    return effects


def _noise(random: np.random.Generator, items: Whole, simulation: Simulation) -> Array:
    """Draw what items score by chance, for each seed and span: (seed, span, item)."""
    total = int(items.sum())
    lasting = np.repeat(_of_works(random, len(items), simulation), items) * simulation.between
    lasting = lasting + _drawn(random, total, simulation) * simulation.within
    by_seed = random.normal(size=(simulation.seeds, 1, total)) * simulation.by_seed
    chance = random.normal(size=(1, simulation.spans, total)) * simulation.spans**0.5
    return np.asarray(lasting + by_seed + chance * simulation.by_span)


def _of_works(random: np.random.Generator, works: int, simulation: Simulation) -> Array:
    own = _drawn(random, works, simulation)
    shared = np.repeat(_drawn(random, -(-works // 5), simulation), 5)[:works]
    part = simulation.clustered
    return np.asarray((1 - part) ** 0.5 * own + part**0.5 * shared)


def _drawn(random: np.random.Generator, count: int, simulation: Simulation) -> Array:
    """Draw noise of mean 0 and variance 1."""
    if simulation.shape == "skewed":
        return np.asarray((random.gamma(2, 1, size=count) - 2) / 2**0.5)
    if simulation.shape == "heavy":
        return np.asarray(random.standard_t(4, size=count) / 2**0.5)
    return random.normal(size=count)


def _labelled(values: Array, items: Whole, kind: str) -> Scored:
    names = [f"{kind}-{work:05d}" for work, count in enumerate(items) for _ in range(count)]
    null = 2.0 / values.shape[1]  # of an item; a null that is not zero
    return scored(values + null, names)
