"""Queries of a bank: spans added up to what they are of, and some queries or subsets alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from attribution.evaluation.bank import Bank
from attribution.evaluation.estimate import Array, Whole
from attribution.evaluation.groups import Groups
from attribution.evaluation.plan import BankPlan

Places = Sequence[int] | Whole


def over_owners(bank: Bank, owners: Groups) -> Bank:
    """Add up outcomes over the spans of each owner: a track's log-likelihood is its spans'."""
    return replace(bank, outcomes=owners.sums(bank.outcomes))


def scores_over_owners(scores: Array, owners: Groups) -> Array:
    """Add up scores over the spans of each owner: (span, train) → (owner, train)."""
    return owners.sums(np.asarray(scores, np.float64).T).T


def with_queries(bank: Bank, places: Places) -> Bank:
    """Keep these queries alone, in this order."""
    return replace(bank, outcomes=bank.outcomes[:, :, np.asarray(places, np.int64)])


def with_subsets(bank: Bank, places: Places) -> Bank:
    """Keep the retrainings of these subsets alone, in this order."""
    chosen = np.asarray(places, np.int64)
    plan = BankPlan(
        kind=bank.plan.kind,
        names=tuple(bank.names[place] for place in chosen),
        masks=bank.masks[chosen],
        seeds=bank.plan.seeds[chosen],
    )
    return replace(bank, plan=plan, outcomes=bank.outcomes[chosen])
