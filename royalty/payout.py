"""What a period pays under one rule: the summary that pages and reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from royalty.ledger import Converted
from royalty.money import Money, total
from royalty.period import Period

_BY = " by "


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeAmount:
    """What one payee gets, and what of it recordings were shown to have earned."""

    id: str
    name: str
    amount: Money
    low: Money
    high: Money
    attributed: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackAmount:
    """What one track earned, whoever gets it."""

    id: str
    title: str
    plays: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingAmount:
    """What one recording earned, whoever holds it."""

    id: str
    title: str
    artist_name: str
    amount: Money
    low: Money
    high: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAmount:
    """One pool: what came in, what is divided, and what of that is idle or unattributed."""

    id: str
    source: str
    territory: str
    gross: Money
    amount: Money
    idle: Money
    unattributed: Money
    converted: Converted | None = None  # where the money came in another currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """A period divided by a rule. Largest amounts first.

    To those who do not see all, payees but their own, tracks and recordings are left out.
    """

    id: str
    period: Period
    rule: str
    rule_version: str
    provider: str
    snapshot: str  # of the allocations
    publishing_ppm: int
    gross: Money
    pool: Money
    payees: tuple[PayeeAmount, ...]
    unattributed: Money  # of the payees' amounts, what no recording could be shown to have earned
    suspense: Money
    suspense_kinds: Mapping[str, Money]
    idle: Money  # of the pool, from listeners who paid and played nothing
    platform: Money  # of the pool, what terms leave with the platform
    pools: tuple[PoolAmount, ...]
    tracks: tuple[TrackAmount, ...]
    recordings: tuple[RecordingAmount, ...]

    @property
    def fixed(self) -> Money:
        """Of the payees' amounts, what the rule itself gave to all works alike.

        Only for those who see all payees.
        """
        given = (payee.amount - payee.attributed for payee in self.payees)
        return total(given, self.pool.currency) - self.unattributed

    @property
    def rule_of_source(self) -> dict[str, str]:
        """The rules of sources that had one of their own, as the version states them."""
        parts = (part.rpartition(_BY) for part in self.rule_version.split("; "))
        return {source: rule for source, by, rule in parts if by}


def stated_rule(source: str, rule: str) -> str:
    """Write down, for a payout's version, that a source has a rule of its own."""
    return f"{source}{_BY}{rule}"
