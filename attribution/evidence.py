"""Scores of one track → evidence per work: mean, interval, and whether it clears the null.

The null is what held-back works score, which nobody trained on. Per item their scores have a mean
μ, a standard deviation b between works and e within a work (one-way analysis of variance, method of
moments), so a never-trained work of m items scores m μ, give or take sqrt(m² b² + m e²). A work's
excess is its summed score minus m μ.

The gate, `GATE`: each work's standardised excess gets a one-sided p-value against the placebos,
by the tail that fits them worst among Student's t, Pearson III (their skew) and a Student's t of
their kurtosis. Benjamini and Hochberg (1995) at `false_discovery` choose what clears, and the
interval's lower bound must be above zero too. The bound alone would let one noise work in twenty
through, and that is most of what is paid where nothing has an effect (`docs/method.md`).

The interval comes from joint replicates: query spans, sketch seeds and placebo works are drawn
again, and a placebo's noise, scaled to the number of items and less what drawing spans and seeds
again shows of it, is taken off each work. That noise holds what items of one work vary by, so items
are not drawn again: all of them are there.
Checkpoints of one run are not replicates, so all of it is labelled "within one run". From three
runs on, runs are drawn again too: the mean over runs strays by their standard error, widened to
Student's t of so few (`RUNS_MIN`), and the label says over how many runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from attribution.errors import TooFewPlacebos
from attribution.resampling import RUNS_MIN, drawn_weights

GATE = "placebo-bh-1"
LABEL = "within one run"
_SHAPED = 8  # placebos; with fewer, skewness and kurtosis say nothing
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceOptions:
    """How sure to be, and how to draw replicates."""

    level: float = 0.90  # of the two-sided intervals
    false_discovery: float = 0.05  # expected part of noise among the works that clear
    replicates: int = 1000
    placebos_min: int = 40  # works
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Scores of one track against items: raw (replicate, query span, item).

    A replicate is one sketch seed of one run; each run has as many.
    """

    values: np.ndarray[Any, np.dtype[Any]]
    recordings: tuple[str, ...]  # of each item
    works: tuple[str, ...]  # of each item
    runs: tuple[str, ...] = ()  # of each replicate; empty where all are of one

    def __post_init__(self) -> None:
        """Refuse runs that do not fit the scores."""
        counts = sorted(Counter(self.runs).values())
        if self.runs and (sum(counts) != len(self.values) or counts[0] != counts[-1]):
            raise ValueError(
                f"{len(self.values)} replicates are not shared equally by the runs named, {counts};"
                " name the run of each, and sketch every run with the same seeds"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """What a never-trained work scores on this track."""

    mean: float  # per item
    between: float  # standard deviation between works, per item
    within: float  # standard deviation between the items of a work
    mean_error: float  # standard error of the mean
    works: int
    items: int

    def spread(self, items: Array) -> Array:
        """Return the standard deviation around the null of works with this many items."""
        variance = items**2 * (self.between**2 + self.mean_error**2) + items * self.within**2
        return np.sqrt(variance)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEvidence:
    """What one work did for one track, held against the null."""

    work: str
    items: int
    mean: float  # excess over the null, in units of score
    error: float  # standard error
    low: float
    high: float
    p: float  # one-sided, against the placebo null
    cleared: bool
    recordings: Mapping[str, float]  # summed score of each recording of the work


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Evidence of one track: per work, with joint replicates for intervals on any function."""

    works: tuple[WorkEvidence, ...]  # in order of their ids
    replicates: np.ndarray[Any, np.dtype[np.float32]]  # (replicate, work), same order
    null: Null
    options: EvidenceOptions
    gate: str = GATE
    label: str = LABEL


def scored(
    values: np.ndarray[Any, np.dtype[Any]],
    recordings: Sequence[str],
    work_of: Mapping[str, str] | None = None,
    *,
    runs: Sequence[str] = (),
) -> Scored:
    """Label scores (replicate, span, item) with recordings and works, and replicates with runs.

    A recording that `work_of` does not know is its own work. Masks and adapters of one training
    (`run-0/mask-1`) are no runs of their own: what follows a slash is left out.
    """
    works = tuple((work_of or {}).get(recording, recording) for recording in recordings)
    trainings = tuple(run.partition("/")[0] for run in runs)
    return Scored(values=values, recordings=tuple(recordings), works=works, runs=trainings)


def gather(train: Scored, placebo: Scored, options: EvidenceOptions | None = None) -> Evidence:
    """Hold the scores of one track against the placebos, work by work.

    Scores are summed over query spans and over a work's items, and averaged over sketch seeds and
    runs. Deterministic, by `options.seed`. Raises `TooFewPlacebos` below `options.placebos_min`
    works.
    """
    options = options or EvidenceOptions()
    works, held = _by_work(train), _by_work(placebo)
    if len(held.names) < options.placebos_min:
        raise TooFewPlacebos(
            f"{len(held.names)} placebo works are too few to know what noise scores; hold back at "
            f"least {options.placebos_min}, or lower placebos_min and say so"
        )
    null = _null(placebo)
    residuals = _ratio(held.totals - held.items * null.mean, null.spread(held.items))
    replicates = _replicates(works, held, null, residuals, options)
    return Evidence(
        works=_judged(works, null, residuals, replicates, options),
        replicates=replicates.astype(np.float32),
        null=null,
        options=options,
        label=_label(train.runs),
    )


def explain_unattributed(evidence: Evidence) -> str:
    """Say in a sentence or two why so much of a track is unattributed."""
    cleared = [work for work in evidence.works if work.cleared]
    others = [work for work in evidence.works if not work.cleared]
    rest = sum(work.mean for work in others)
    held = f"what {evidence.null.works} works that were never trained on score by chance"
    if not cleared:
        return (
            f"None of {len(evidence.works)} works stands out from {held}, so nothing can be "
            "attributed honestly. More of a track, or more training, would say more."
        )
    stand = "stands" if len(cleared) == 1 else "stand"
    stood = f"{len(cleared)} of {len(evidence.works)} works {stand} out from {held}"
    if rest <= 0:
        return (
            f"{stood}; the other {len(others)} together add up to nothing above it, so what is "
            "unattributed is doubt about that sum."
        )
    part = rest / (rest + sum(work.mean for work in cleared))
    return (
        f"{stood}. The other {len(others)} together hold about {100 * part:.0f} % of what lies "
        "above it, spread so thinly that no single one can be told from noise."
    )


def benjamini_hochberg(p: Array, rate: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Choose the hypotheses to reject so that false ones are at most `rate` of them, on average."""
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= rate * np.arange(1, len(p) + 1) / len(p))
    chosen = np.zeros(len(p), dtype=bool)
    if len(below):
        chosen[order[: below[-1] + 1]] = True
    return chosen


def tail_probability(standard: Array, residuals: Array) -> Array:
    """Return the one-sided p-values of standardised excesses, given the placebos' own.

    The largest of three tails: Student's t; Pearson III with the placebos' skewness; Student's t
    with their kurtosis. A null that is skewed or heavy-tailed would else pass for effect.
    """
    count = len(residuals)
    tails = [stats.t.sf(standard, df=count - 1)]
    if residuals.std() > 0 and count >= _SHAPED:
        skewness = float(stats.skew(residuals, bias=False))
        kurtosis = float(stats.kurtosis(residuals, bias=False))
        if skewness > 0:
            tails.append(stats.pearson3.sf(standard, skewness))
        if kurtosis > 0:
            freedom = 4 + 6 / kurtosis
            tails.append(stats.t.sf(standard * (freedom / (freedom - 2)) ** 0.5, df=freedom))
    return np.asarray(np.max(tails, axis=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Works:
    names: tuple[str, ...]
    items: Array  # (work,)
    sums: Array  # over items: (replicate, span, work)
    runs: tuple[str, ...]  # of each replicate
    recordings: tuple[Mapping[str, float], ...]  # summed score of each, by work

    @property
    def totals(self) -> Array:
        """Sum over spans, average over replicates."""
        return np.asarray(self.sums.sum(1).mean(0))


def _by_work(scored: Scored) -> _Works:
    names, place = np.unique(np.array(scored.works, dtype=np.str_), return_inverse=True)
    membership = np.zeros((len(place), len(names)))
    membership[np.arange(len(place)), place] = 1.0
    recordings = _recordings(scored)
    return _Works(
        names=tuple(map(str, names)),
        items=membership.sum(0),
        sums=np.asarray(scored.values, np.float64) @ membership,
        runs=scored.runs or ("",) * len(scored.values),
        recordings=tuple(recordings[name] for name in map(str, names)),
    )


def _item_totals(scored: Scored) -> Array:
    return np.asarray(np.asarray(scored.values, np.float64).sum(1).mean(0))


def _recordings(scored: Scored) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {work: {} for work in scored.works}
    totals = _item_totals(scored)
    for work, recording, total in zip(scored.works, scored.recordings, totals, strict=True):
        found[work][recording] = found[work].get(recording, 0.0) + float(total)
    return {work: dict(sorted(parts.items())) for work, parts in found.items()}


def _judged(
    works: _Works, null: Null, residuals: Array, replicates: Array, options: EvidenceOptions
) -> tuple[WorkEvidence, ...]:
    """Hold each work against the null: its excess, its interval, and whether it clears the gate."""
    excess = works.totals - works.items * null.mean
    p = tail_probability(_ratio(excess, null.spread(works.items)), residuals)
    edge = (1 - options.level) / 2
    low, high = np.quantile(replicates, [edge, 1 - edge], axis=0)
    cleared = benjamini_hochberg(p, options.false_discovery) & (low > 0)
    return tuple(
        WorkEvidence(
            work=name,
            items=int(works.items[i]),
            mean=float(excess[i]),
            error=float(replicates[:, i].std(ddof=1)),
            low=float(low[i]),
            high=float(high[i]),
            p=float(p[i]),
            cleared=bool(cleared[i]),
            recordings=works.recordings[i],
        )
        for i, name in enumerate(works.names)
    )


def _ratio(excess: Array, spread: Array) -> Array:
    """Standardise; without any spread every excess is beyond doubt."""
    doubt = spread > 0
    return np.where(doubt, excess / np.where(doubt, spread, 1.0), np.sign(excess) * 1e6)


def _null(placebo: Scored) -> Null:
    """Fit one-way random effects to the placebo works by the method of moments."""
    scores = _item_totals(placebo)
    _, place = np.unique(np.array(placebo.works, dtype=np.str_), return_inverse=True)
    items = np.bincount(place).astype(float)
    count, works = items.sum(), len(items)
    means = np.bincount(place, weights=scores) / items
    within = float(((scores - means[place]) ** 2).sum() / max(count - works, 1))
    mean_square = float((items * (means - scores.mean()) ** 2).sum() / (works - 1))
    typical = float((count - (items**2).sum() / count) / (works - 1))  # items a work
    between = max(0.0, (mean_square - within) / typical)
    precision = _precision(items, between, within)
    return Null(
        mean=float((precision * means).sum() / precision.sum()),
        between=between**0.5,
        within=within**0.5,
        mean_error=float(precision.sum() ** -0.5) if between + within > 0 else 0.0,
        works=works,
        items=int(count),
    )


def _precision(items: Array, between: float, within: float) -> Array:
    """Weigh each work's mean by the inverse of its variance; equally where there is none."""
    return 1.0 / (between + within / items) if between + within > 0 else np.ones(len(items))


def _replicates(
    works: _Works, held: _Works, null: Null, residuals: Array, options: EvidenceOptions
) -> Array:
    """Draw spans, seeds, runs and placebo works again; take a placebo's noise off each work."""
    random = np.random.default_rng(options.seed)
    count = options.replicates
    spans = works.sums.shape[1]
    weights = drawn_weights(random, works.runs, spans, count=count, level=options.level)
    held_totals = weights @ held.sums.reshape(weights.shape[1], -1)
    precision = _precision(held.items, null.between**2, null.within**2)
    placebos = len(held.items)
    drawn = random.multinomial(placebos, np.full(placebos, 1.0 / placebos), size=count) * precision
    means = (drawn * held_totals / held.items).sum(1) / drawn.sum(1)
    own = np.sqrt(works.items**2 * null.between**2 + works.items * null.within**2)
    left = _left_over(held_totals - held.totals, null.spread(held.items))
    noise = random.choice(residuals, size=(count, len(works.items))) * own * left
    totals = weights @ works.sums.reshape(weights.shape[1], -1)
    return np.asarray(totals - np.outer(means, works.items) - noise)


def _left_over(deviations: Array, spread: Array) -> float:
    """Return the part of a placebo's noise that drawing spans, seeds and runs does not show.

    What it shows (the variance of `deviations` (replicate, placebo) around their common part) is
    in the replicates already, and adding all of the null's spread would count it twice. A fourth of
    the variance is always kept, since few spans tell little about how spans vary.
    """
    own = deviations - deviations.mean(1, keepdims=True)
    shown = float(own.var(0).sum() / max(float((spread**2).sum()), 1e-300))
    return float(max(0.25, 1.0 - shown) ** 0.5)


def _label(runs: Sequence[str]) -> str:
    count = len(set(runs))
    return LABEL if count < RUNS_MIN else f"over {count} runs"
