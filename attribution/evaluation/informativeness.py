"""Informativeness: how far what we say of an artist moves with what the artist did.

For each group (an artist's catalogue) the estimated effect on every query, its summed scores, is
held against the actual one, the query's log-likelihood with everything less that without the group:

    I = Cov(est π, act π) / Var(est π)     K = Cov(est, act) / Var(act)
    SNR = Var(act) / Var(est/K - act)

over queries, π an optional price of each. Variances divide by n - 1. A figure is NaN for fewer than
two queries, or where what it divides by does not vary. I and K depend on the unit of the estimates;
SNR and Spearman's correlation do not. SNR has no sign: where K is negative, high SNR praises scores
that go the wrong way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from attribution.evaluation.bank import Bank
from attribution.evaluation.estimate import (
    Array,
    Estimate,
    Mask,
    Resampling,
    Whole,
    from_replicates,
)
from attribution.evaluation.groups import grouped
from attribution.evaluation.plan import FULL, PlanRefused
from attribution.evaluation.ranks import rank_correlation
from attribution.evaluation.reliability import reliability, splits


@dataclass(frozen=True, slots=True, kw_only=True)
class InformativenessOptions:
    """In which unit estimates come, and how intervals are drawn (over queries)."""

    scale: float | None = None  # from score to nats; None: the least squares slope, see `unit`
    resampling: Resampling = field(default_factory=lambda: Resampling(level=0.95))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What leaving out each group did: positive where the group had helped."""

    groups: tuple[str, ...]
    values: Array  # (seed, query, group), in nats


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupInformativeness:
    """How informative the scores of one group are."""

    group: str
    informativeness: Estimate  # I
    gain: Estimate  # K
    snr: Estimate
    spearman: float
    mean_square_error: float  # in squared nats
    jackknife_error: float  # standard error of I from leaving out one query at a time
    jackknife_low: float  # the least and the greatest I without one query
    jackknife_high: float
    reliability: float  # of the actual effects, from split seeds; NaN with one seed
    queries: int  # that count
    undefined: int  # left out, because an effect is not finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Informativeness:
    """The figures of all groups, and the one unit that they share."""

    groups: tuple[GroupInformativeness, ...]
    scale: float  # estimates were multiplied by it
    fitted: bool  # on these very queries and groups; else it was given
    seeds: int


def effects(bank: Bank) -> Effects:
    """Take the actual effects from a bank that left out each group, paired by seed.

    Raises `PlanRefused` when the bank has no training on everything.
    """
    if FULL not in bank.names:
        raise PlanRefused(
            f"the bank of kind '{bank.plan.kind}' has no training on everything to compare with; "
            "build one by `without_each_group`"
        )
    full = bank.names.index(FULL)
    others = [place for place in range(len(bank.names)) if place != full]
    return Effects(
        groups=tuple(bank.names[place] for place in others),
        values=np.moveaxis(bank.outcomes[full] - bank.outcomes[others], 0, -1),
    )


def estimates(scores: Array, labels: Sequence[str], groups: Sequence[str]) -> Array:
    """Add up scores (query, train) over each of the named groups: (query, group)."""
    found = grouped(labels)
    return found.sums(scores)[:, [found.names.index(name) for name in groups]]


def unit(estimated: Array, actual: Array) -> float:
    """Return the slope from score to nats: least squares through zero, all groups and queries.

    Fitted on what it is then used for, so I says how a group's slope differs from the common one,
    and a mean of I near 1 is no merit. NaN when the slope is not positive: scores that go
    against the effects have no unit that could be called theirs.
    """
    known = np.isfinite(estimated) & np.isfinite(actual)
    size = float((estimated[known] ** 2).sum())
    slope = float((estimated[known] * actual[known]).sum()) / size if size > 0 else 0.0
    return slope if slope > 0 else np.nan


def informativeness(
    estimated: Array,
    actual: Effects,
    *,
    price: Array | None = None,
    options: InformativenessOptions | None = None,
) -> Informativeness:
    """Judge estimates (query, group), groups as in `actual`, by what leaving out groups did.

    `price` (query,) weighs queries in I alone. Deterministic, by the seed of `options.resampling`.
    """
    options = options or InformativenessOptions()
    truth = actual.values.mean(0)
    price = np.ones(len(estimated)) if price is None else price
    fitted = options.scale is None
    scale = unit(estimated, truth) if options.scale is None else options.scale
    reliable = _reliability(actual.values)
    return Informativeness(
        groups=tuple(
            _judged(name, _Pair(estimated[:, g], truth[:, g], price, scale), reliable[g], options)
            for g, name in enumerate(actual.groups)
        ),
        scale=scale,
        fitted=fitted,
        seeds=len(actual.values),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Estimated and actual effects of one group, (…, query), with the queries' prices."""

    estimated: Array
    actual: Array
    price: Array
    scale: float  # from the unit of `estimated` to that of `actual`

    def take(self, places: Whole | Mask) -> _Pair:
        estimated, actual, price = self.estimated[places], self.actual[places], self.price[places]
        return _Pair(estimated, actual, price, self.scale)

    def figures(self) -> tuple[Array, Array, Array]:
        """Return I, K and SNR over the last axis."""
        priced, paid = self.estimated * self.price, self.actual * self.price
        gain = _ratio(_covariance(self.estimated, self.actual), _variance(self.actual))
        unbiased = _ratio(self.estimated, gain[..., None])
        return (
            _ratio(_covariance(priced, paid), _variance(priced)) / self.scale,
            gain * self.scale,
            _ratio(_variance(self.actual), _variance(unbiased - self.actual)),
        )


def _judged(
    name: str, pair: _Pair, reliability: float, options: InformativenessOptions
) -> GroupInformativeness:
    known = np.isfinite(pair.estimated) & np.isfinite(pair.actual) & np.isfinite(pair.price)
    left = pair.take(known)
    values, replicates = left.figures(), _replicates(left, options.resampling)
    level = options.resampling.level
    slope, gain, snr = (
        from_replicates(float(value), drawn, level)
        for value, drawn in zip(values, replicates, strict=True)
    )
    without = _jackknife(left)
    return GroupInformativeness(
        group=name,
        informativeness=slope,
        gain=gain,
        snr=snr,
        spearman=float(rank_correlation(left.estimated[:, None], left.actual[:, None])[0]),
        mean_square_error=_mean((left.scale * left.estimated - left.actual) ** 2),
        jackknife_error=float(((len(without) - 1) * without.var()) ** 0.5),
        jackknife_low=float(without.min()),
        jackknife_high=float(without.max()),
        reliability=reliability,
        queries=int(known.sum()),
        undefined=int((~known).sum()),
    )


def _replicates(pair: _Pair, options: Resampling) -> tuple[Array, Array, Array]:
    count = len(pair.actual)
    if not count:
        return (np.full(1, np.nan),) * 3
    random = np.random.default_rng(options.seed)
    return pair.take(random.integers(count, size=(options.replicates, count))).figures()


def _jackknife(pair: _Pair) -> Array:
    """Return I without each query in turn; one NaN where there are too few queries.

    Without query i a sum of products is less by n / (n - 1) times the product of i's deviations.
    """
    count = len(pair.actual)
    if count < 3:  # noqa: PLR2004 - I needs two
        return np.full(1, np.nan)
    estimated, actual = pair.estimated * pair.price, pair.actual * pair.price
    x, y = estimated - estimated.mean(), actual - actual.mean()
    left = (x**2).sum() - count / (count - 1) * x**2
    varies = left > 1e-12 * (x**2).sum()  # else the others are equal, but for rounding
    together = (x * y).sum() - count / (count - 1) * x * y
    return np.where(varies, together / np.where(varies, left, 1.0), np.nan) / pair.scale


def _reliability(values: Array) -> Array:
    """Return how well the effects on the queries repeat from seed to seed: (group,)."""
    pairs = [(values[one].mean(0), values[other].mean(0)) for one, other in splits(len(values))]
    if not pairs:
        return np.full(values.shape[-1], np.nan)
    agreement = np.mean([rank_correlation(*pair) for pair in pairs], axis=0)
    return reliability(agreement, len(values))


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan


def _covariance(one: Array, other: Array) -> Array:
    count = one.shape[-1]
    if count < 2:  # noqa: PLR2004
        return np.full(one.shape[:-1], np.nan)
    apart = (one - one.mean(-1, keepdims=True)) * (other - other.mean(-1, keepdims=True))
    return np.asarray(apart.sum(-1) / (count - 1))


def _variance(values: Array) -> Array:
    """Return the variance; exactly zero where all are equal, whatever rounding says."""
    equal = (values == values[..., :1]).all(-1)
    return np.where(equal, 0.0, _covariance(values, values))


def _ratio(one: Array, other: Array) -> Array:
    """Divide; NaN where there is nothing to divide by."""
    usable = np.isfinite(other) & (other != 0)
    return np.where(usable, one / np.where(usable, other, 1.0), np.nan)
