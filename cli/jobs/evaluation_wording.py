"""How evaluations write their figures."""

from __future__ import annotations

import numpy as np

from attribution.evaluation.estimate import Estimate


def interval(found: Estimate) -> str:
    """Write an estimate with its interval."""
    if np.isnan(found.value):
        return "undefined"
    if np.isnan(found.low):
        return f"{found.value:.2f}"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
