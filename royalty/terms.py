"""What was agreed with a party."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from royalty.catalogue import PPM
from royalty.period import covers


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """An agreement with one party: what part of its gross it earns, and how it is paid."""

    party: str
    royalty_rate_ppm: int = PPM  # applies to the party's gross; the rest goes to the platform
    advance_micros: int = 0
    reserve_ppm: int = 0
    minimum_payment_micros: int = 0
    withholding_ppm: int = 0
    currency: str = "EUR"
    valid_from: date | None = None
    valid_to: date | None = None  # half-open

    def hold_on(self, day: date) -> bool:
        """Whether the agreement is valid on that day."""
        return covers(self.valid_from, self.valid_to, day)
