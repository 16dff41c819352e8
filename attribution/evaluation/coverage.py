"""Whether stated intervals hold the truth as often as they say, in worlds where it is known.

A world's works share one null, so its cases are not independent: the interval of a rate counts them
for fewer than they are, by how much worlds differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.evaluation.estimate import Array, Estimate, Mask, mean_of_defined, wilson
from attribution.evaluation.informativeness import Effects
from attribution.evaluation.simulation import Simulation, World, simulate
from attribution.evidence import Evidence, EvidenceOptions, gather


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What `evidence.gather` and the mapping `gated` do where the truth is known."""

    world: str
    stated: float  # level of the intervals that are tested
    shares: Estimate  # part of the intervals of shares that hold the truth; cleared works that did
    effects: Estimate  # part of the intervals of all works' effects that hold the truth
    found: Estimate  # part of the works with an effect that clear
    noise_cleared: float  # works without an effect that clear, a world
    noise_paid: float  # part of a track paid to works without an effect
    unattributed: float  # part of a track
    worlds: int


def coverage(
    simulation: Simulation,
    name: str = "as assumed",
    *,
    worlds: int = 40,
    options: EvidenceOptions | None = None,
) -> Coverage:
    """Simulate worlds, gather evidence in each, and hold it against the truth.

    World and replicates of number n have the seed n, above the seed of `options`.
    """
    options = options or EvidenceOptions()
    first = options.seed
    judged = [
        _judged(simulate(simulation, seed), _with_seed(options, seed))
        for seed in range(first, first + worlds)
    ]
    return Coverage(
        world=name,
        stated=options.level,
        shares=covered([each.shares for each in judged]),
        effects=covered([each.effects for each in judged]),
        found=covered([each.found for each in judged]),
        noise_cleared=float(np.mean([each.noise_cleared for each in judged])),
        noise_paid=float(np.mean([each.noise_paid for each in judged])),
        unattributed=float(np.mean([each.unattributed for each in judged])),
        worlds=worlds,
    )


def covered(cases: Sequence[Mask], level: float = 0.95) -> Estimate:
    """Return the rate of cases, given by world, with Wilson's interval for so many that count.

    Where worlds differ more than chance would have them differ, cases count for fewer.
    """
    hits = np.array([each.sum() for each in cases], dtype=np.float64)
    sizes = np.array([len(each) for each in cases], dtype=np.float64)
    total = sizes.sum()
    rate = float(mean_of_defined(np.concatenate(cases).astype(np.float64)))
    return wilson(rate, _effective(hits, sizes, rate) if total else 0.0, level)


def actual_shares(actual: Effects) -> Array:
    """Return what each group truly gave, as parts of a track: (query, group).

    The effects of leaving it out, mean over seeds, negative ones as zero; NaN where none helped.
    Meant for composers of known contribution, to hold intervals of shares against.
    """
    helped = np.maximum(actual.values.mean(0), 0.0)
    whole = helped.sum(1, keepdims=True)
    return np.where(whole > 0, helped / np.where(whole > 0, whole, 1.0), np.nan)


def gated(excess: Array, cleared: Mask) -> Array:
    """Share a track among the works that cleared: (…, work), the rest being unattributed.

    What the mapping `gated` does to each replicate; `royalty.shares` is the one that pays, and a
    test holds this to it.
    """
    kept = np.maximum(excess, 0.0) * cleared
    lost = np.maximum((excess * ~cleared).sum(-1, keepdims=True), 0.0)
    whole = kept.sum(-1, keepdims=True) + lost
    return np.asarray(kept / np.where(whole > 0, whole, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """One world: which intervals held the truth, and where the money went."""

    shares: Mask  # (cleared work with an effect,)
    effects: Mask  # (work,)
    found: Mask  # (work with an effect,)
    noise_cleared: int
    noise_paid: float
    unattributed: float


def _judged(world: World, options: EvidenceOptions) -> _Judged:
    evidence = gather(world.train, world.placebo, options)
    cleared, real = _column(evidence, "cleared").astype(bool), world.effects > 0
    drawn = gated(evidence.replicates.astype(np.float64), cleared)
    edge = (1 - options.level) / 2
    low, high = np.quantile(drawn, [edge, 1 - edge], axis=0)
    truth = world.effects / max(world.effects.sum(), 1e-300)
    paid = drawn.mean(0)
    below, above = _column(evidence, "low"), _column(evidence, "high")
    return _Judged(
        shares=((low <= truth) & (truth <= high))[cleared & real],
        effects=(below <= world.effects) & (world.effects <= above),
        found=cleared[real],
        noise_cleared=int((cleared & ~real).sum()),
        noise_paid=float(paid[~real].sum()),
        unattributed=float(1 - paid.sum()),
    )


def _effective(hits: Array, sizes: Array, rate: float) -> float:
    """Return how many independent cases would be as sure (the design effect, at least 1)."""
    total, worlds = sizes.sum(), len(sizes)
    if worlds < 2 or not 0 < rate < 1:  # noqa: PLR2004
        return float(total)
    spread = worlds / (worlds - 1) * ((hits - rate * sizes) ** 2).sum() / total**2
    return float(min(total, rate * (1 - rate) / spread)) if spread > 0 else float(total)


def _column(evidence: Evidence, name: str) -> Array:
    return np.array([getattr(work, name) for work in evidence.works])


def _with_seed(options: EvidenceOptions, seed: int) -> EvidenceOptions:
    return EvidenceOptions(
        level=options.level,
        false_discovery=options.false_discovery,
        replicates=options.replicates,
        placebos_min=options.placebos_min,
        seed=seed,
    )
