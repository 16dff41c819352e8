"""Choosing damping, ridge and what rows keep, on queries and subsets that are never reported.

Every setting is tried on the tuning half: its queries, and every other subset of each bank. The one
whose LDS is highest, mean over the banks, is chosen, and what it gains over the setting in use is
measured on the other queries and the other subsets. What was chosen on a half flatters itself on
that half, so only the other one is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product

import numpy as np

from attribution.evaluation.bank import Bank
from attribution.evaluation.estimate import Array, Resampling
from attribution.evaluation.lds import Difference, Lds, lds, lds_difference
from attribution.evaluation.plan import PlanRefused
from attribution.evaluation.queries import Places, with_queries, with_subsets
from attribution.methods.recipes import Recipe, at, settings_of

_QUICK = Resampling(replicates=1)  # no intervals are needed to choose
_FEWEST = 2  # subsets of a half


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Setting:
    """What is tuned."""

    damping: float  # of the whitening, in mean eigenvalues of a layer
    kept: int  # numbers of a row
    ridge: float  # of the Gram, in mean squared lengths of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """Which queries to choose on, and which to report on, by name; none is in both."""

    tuning: Places
    reporting: Mapping[str, Places]

    def __post_init__(self) -> None:
        """Refuse to report what was chosen on."""
        both = {int(q) for places in self.reporting.values() for q in places}
        if both & {int(q) for q in self.tuning}:
            raise PlanRefused("a query to be reported was tuned on; give each to one half")
        if not len(self.tuning) or not both:
            raise PlanRefused("both halves need queries; generate or hold back some more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One setting on the tuning half."""

    setting: Setting
    lds: Mapping[str, float]  # by bank
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """All trials, the setting chosen, and what it is worth on the reporting half."""

    trials: tuple[Trial, ...]
    before: Setting
    chosen: Setting
    reported: Mapping[str, Lds] = field(default_factory=dict)  # by "bank, queries"
    gained: Mapping[str, Difference] = field(default_factory=dict)  # over `before`


def grid(
    dampings: Sequence[float], kept: Sequence[int], ridges: Sequence[float]
) -> tuple[Setting, ...]:
    """Combine everything with everything, ridges innermost, for they need no index of their own."""
    return tuple(
        Setting(damping=damping, kept=numbers, ridge=ridge)
        for damping, numbers, ridge in product(dampings, kept, ridges)
    )


def setting_of(recipe: Recipe) -> Setting:
    """Read the setting of a recipe. Raises `PlanRefused` for one that chooses no coordinates."""
    own = settings_of(recipe)
    damping, kept, ridge = own["damping"], own["kept"], own["ridge"]
    if damping is None or kept is None or ridge is None:
        raise PlanRefused(f"method '{recipe.name}' chooses no coordinates; tune one that does")
    return Setting(damping=damping, kept=int(kept), ridge=ridge)


def with_setting(recipe: Recipe, setting: Setting) -> Recipe:
    """Return the recipe at another setting. Raises `PlanRefused` as `setting_of` does."""
    setting_of(recipe)
    return at(recipe, asdict(setting))


def halved(places: Places) -> tuple[list[int], list[int]]:
    """Deal places out in turn: a half to tune on, a half to report."""
    found = [int(place) for place in places]
    return found[::2], found[1::2]


def tune(
    score: Callable[[Setting], Array],
    settings: Sequence[Setting],
    before: Setting,
    banks: Mapping[str, Bank],
    halves: Halves,
) -> Tuning:
    """Try settings, choose one, and report it; `score` gives (query, train) for all queries.

    `before` is tried too, and stays chosen unless another is better. Raises `PlanRefused` where a
    bank is too small to be halved, or no trial has an LDS.
    """
    for name, bank in banks.items():
        if len(bank.names) < 2 * _FEWEST:
            raise PlanRefused(f"bank '{name}' has too few subsets to halve; retrain on more")
    tried = list(dict.fromkeys((before, *settings)))
    scored = {setting: score(setting) for setting in tried}
    trials = tuple(_trial(setting, scored[setting], banks, halves) for setting in tried)
    known = [trial for trial in trials if not np.isnan(trial.mean)]
    if not known:
        raise PlanRefused("no setting has an LDS on the tuning half; retrain on more subsets")
    chosen = max(known, key=lambda trial: trial.mean).setting  # the first of equals
    return _reported(Tuning(trials=trials, before=before, chosen=chosen), scored, banks, halves)


def _trial(setting: Setting, scores: Array, banks: Mapping[str, Bank], halves: Halves) -> Trial:
    tuning = np.asarray(halves.tuning, np.int64)
    found = {}
    for name, bank in banks.items():
        subsets, _ = halved(range(len(bank.names)))
        seen = with_queries(with_subsets(bank, subsets), tuning)
        found[name] = lds(scores[tuning], seen, _QUICK).estimate.value
    return Trial(setting=setting, lds=found, mean=float(np.mean(list(found.values()))))


def _reported(
    tuning: Tuning, scored: Mapping[Setting, Array], banks: Mapping[str, Bank], halves: Halves
) -> Tuning:
    reported, gained = {}, {}
    for name, bank in banks.items():
        _, subsets = halved(range(len(bank.names)))
        for kind, queries in halves.reporting.items():
            places = np.asarray(queries, np.int64)
            unseen = with_queries(with_subsets(bank, subsets), places)
            new, old = (scored[s][places] for s in (tuning.chosen, tuning.before))
            reported[f"{name}, {kind}"] = lds(new, unseen)
            gained[f"{name}, {kind}"] = lds_difference(new, old, unseen)
    return replace(tuning, reported=reported, gained=gained)
