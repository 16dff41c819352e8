"""Removal: train again without what scores say mattered most, and see how much it is missed.

Three arms at least: the rows (or groups) that rank highest by score, those that rank highest by
something to beat such as similarity, and as many drawn at random. One seed is noise, so each is
trained at five or more, and compared with training on everything at the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attribution.evaluation.bank import Bank
from attribution.evaluation.estimate import Array, Whole
from attribution.evaluation.groups import Groups, grouped
from attribution.evaluation.plan import FULL, BankPlan, PlanRefused, without
from attribution.evaluation.ranks import best

RANDOM = "random"
SEEDS_MIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalOptions:
    """How much is removed, and how often."""

    removed: int = 10  # rows; or groups, where labels are given
    random_draws: int = 5  # each serves every query
    seeds: int = SEEDS_MIN
    seed: int = 0  # of the draws, and the first of the training seeds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """What removing by one ranking did, in nats of a query's negative log-likelihood.

    Errors are standard errors over seeds; the queries are taken as they are.
    """

    name: str
    change: float  # mean over queries; positive: what was removed had helped
    change_error: float
    beyond_random: float  # the same less what removing at random did, seed by seed
    beyond_random_error: float
    per_query: Array  # (query,): mean over seeds
    rows_removed: float  # mean; groups differ in size


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """All arms, random last."""

    arms: tuple[Arm, ...]
    queries: int
    seeds: int


def removal_plan(
    rankings: Mapping[str, Array],
    labels: Sequence[str] | None = None,
    options: RemovalOptions | None = None,
) -> BankPlan:
    """Plan the retrainings: for each arm of `rankings` (query, train) and each query, one removal.

    That is 1 + queries x arms + random draws trainings a seed, so choose few queries. Their order
    must be that of the outcomes. With `labels`, one a row, whole groups are removed, by their
    summed scores. Raises `PlanRefused` for fewer than five seeds, an arm called "random", or scores
    that are not finite.
    """
    options = options or RemovalOptions()
    _check(rankings, options)
    rows = next(iter(rankings.values())).shape[1]
    everyone = Groups(names=tuple(map(str, range(rows))), place=np.arange(rows))
    groups = grouped(labels) if labels is not None else everyone
    removed: dict[str, Whole] = {}
    for arm, scores in rankings.items():
        for query, chosen in enumerate(best(groups.sums(scores), options.removed)):
            removed[f"{arm}:{query}"] = np.flatnonzero(groups.rows(chosen))
    random = np.random.default_rng(options.seed)
    for draw in range(options.random_draws):
        chosen = random.choice(len(groups), min(options.removed, len(groups)), replace=False)
        removed[f"{RANDOM}:{draw}"] = np.flatnonzero(groups.rows(chosen))
    seeds = options.seed + np.arange(options.seeds)
    return without(removed, rows=rows, seeds=seeds, kind="removal")


def removal(bank: Bank) -> Removal:
    """Sum up a bank that `removal_plan` planned."""
    if bank.plan.kind != "removal":
        raise PlanRefused(f"the bank is of kind '{bank.plan.kind}'; plan it by `removal_plan`")
    full = bank.outcomes[bank.names.index(FULL)]
    arms = _arms(bank.names)
    queries = max(len(places) for arm, places in arms.items() if arm != RANDOM)
    drawn = (full - bank.outcomes[list(arms[RANDOM].values())])[:, :, :queries].mean(0)
    changes = {arm: _changes(bank, full, p) for arm, p in arms.items() if arm != RANDOM}
    changes[RANDOM] = drawn
    return Removal(
        arms=tuple(_arm(name, bank, change, drawn) for name, change in changes.items()),
        queries=queries,
        seeds=len(full),
    )


def _check(rankings: Mapping[str, Array], options: RemovalOptions) -> None:
    if options.seeds < SEEDS_MIN:
        raise PlanRefused(
            f"{options.seeds} seeds are too few to tell removal from chance; take at least "
            f"{SEEDS_MIN}"
        )
    if options.random_draws < 1 or not rankings or RANDOM in rankings:
        raise PlanRefused(
            f"give at least one ranking and one random draw, and call no ranking '{RANDOM}'"
        )
    for arm, scores in rankings.items():
        if not np.isfinite(scores).all():
            query = int(np.flatnonzero(~np.isfinite(scores).all(1))[0])
            raise PlanRefused(
                f"ranking '{arm}' has a score that is not finite, of query {query}; leave it out"
            )


def _arms(names: Sequence[str]) -> dict[str, dict[int, int]]:
    """Read the names of subsets: arm → number of the query (or draw) → place of the subset."""
    arms: dict[str, dict[int, int]] = {}
    for place, name in enumerate(names):
        if name != FULL:
            arm, _, number = name.rpartition(":")
            arms.setdefault(arm, {})[int(number)] = place
    return arms


def _changes(bank: Bank, full: Array, places: Mapping[int, int]) -> Array:
    """Return what each query lost by its own removal: (seed, query)."""
    columns = [full[:, q] - bank.outcomes[places[q], :, q] for q in sorted(places)]
    return np.stack(columns, axis=1)


def _arm(name: str, bank: Bank, change: Array, drawn: Array) -> Arm:
    mean, error = _mean_and_error(change.mean(1))
    beyond, beyond_error = _mean_and_error((change - drawn).mean(1))
    places = list(_arms(bank.names)[name].values())
    return Arm(
        name=name,
        change=mean,
        change_error=error,
        beyond_random=beyond,
        beyond_random_error=beyond_error,
        per_query=change.mean(0),
        rows_removed=float((~bank.masks[places]).sum(1).mean()),
    )


def _mean_and_error(values: Array) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)
