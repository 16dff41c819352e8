"""Training fee: what was paid for training, to all licensed works alike."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis import Table

from royalty.rules.arithmetic import royalties
from royalty.rules.facts import EQUALLY, Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFee:
    """The rule has no options."""


def training_fee(facts: Facts, _options: TrainingFee) -> Table:
    """Give every licensed work the same part of the pool's royalties, whatever was played.

    T / number of licensed works, as STIM's licence of September 2025 divides its training fee.
    """
    takings = facts.takings
    fee = royalties(takings.net_micros, takings.rate_ppm)
    return takings.select(
        "pool", track=ibis.literal(EQUALLY), micros=fee.micros, remainder=fee.fine
    )
