"""What was agreed with a party."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from royalty.catalogue import PPM, WORLDWIDE
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
    currency: str = ""  # that the payee is paid in; empty: that of the books
    valid_from: date | None = None
    valid_to: date | None = None  # half-open
    territory: str = WORLDWIDE  # of the rate; a territory's own goes before the worldwide one
    recoupment: str | None = None  # advances of one name are recouped together; None: alone
    reserve_months: int = 12  # after so many a reserve is released
    jurisdiction: str | None = None  # that tax is withheld for
    most_favoured: bool = False  # the rate is never below the best that another party has

    def holds_on(self, day: date) -> bool:
        """Whether the agreement is valid on that day."""
        return covers(self.valid_from, self.valid_to, day)


def rates(agreements: Iterable[Terms]) -> dict[tuple[str, str], int]:
    """Say what part of its gross each party earns, in ppm, by party and territory.

    The agreements all hold on one day. Where a party has none for the territory, its worldwide
    one holds; so what is listed is what they state, and where a most favoured party is lifted:
    to the best rate that any party's agreement gives there. Parties without one do not count.
    """
    stated = {(each.party, each.territory): each for each in agreements}
    found = {key: each.royalty_rate_ppm for key, each in stated.items()}
    if not any(each.most_favoured for each in stated.values()):
        return found
    for territory in {where for _, where in stated}:
        holding = _holding(stated, territory)
        best = max(each.royalty_rate_ppm for each in holding)
        found |= {(each.party, territory): best for each in holding if each.most_favoured}
    return found


def _holding(stated: Mapping[tuple[str, str], Terms], territory: str) -> list[Terms]:
    """List the agreement of each party that holds in a territory: its own, else worldwide."""
    return [
        each
        for (party, where), each in stated.items()
        if where == territory or (where == WORLDWIDE and (party, territory) not in stated)
    ]
