"""The rules: how pools are divided among tracks, as table expressions.

Nearly all of them say what one play of a listener is worth, and pay each track the sum over its
plays. A rule sees a month's pools at once (`Facts`) and returns a row per pool and track: whole
micros and what was cut off, in billionths of a micro. `royalty.division.settle` gives out what the
floors leave of each pool.

    totals = [PoolTotals(**row) for row in run(pool_totals(facts))]     # refuses beyond the bounds
    tracks = settle(RULES["pro_rata"].divide(facts, ProRata()), pools)  # pools: pool, pool_micros
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from ibis import Table

from royalty.rules.artist_centric import ArtistCentric, artist_boosts, artist_centric
from royalty.rules.facts import EQUALLY, UNBOOKED, Facts, PoolTotals, pool_totals
from royalty.rules.hybrid import Hybrid, hybrid
from royalty.rules.per_generation import PerGeneration, per_generation
from royalty.rules.pro_rata import ProRata, pro_rata
from royalty.rules.scaled_user_centric import ScaledUserCentric, scaled_user_centric
from royalty.rules.streamed_track import StreamedTrack, streamed_track
from royalty.rules.training_fee import TrainingFee, training_fee
from royalty.rules.user_centric import UserCentric, user_centric
from royalty.rules.user_equal import UserEqual, user_equal

__all__ = [
    "EQUALLY",
    "PROPERTIES",
    "RULES",
    "UNBOOKED",
    "Facts",
    "PoolTotals",
    "Rule",
    "pool_totals",
]

# In the order of arXiv 2511.04465, table 1; docs/rules.md says what each means.
PROPERTIES = (
    "conservation",
    "anonymity",
    "neutrality",
    "null_payee",
    "fraud_proof",
    "bribery_proof",
    "click_fraud_proof",
    "sybil_proof",
    "strong_sybil_proof",
    "engagement_monotone",
    "pigou_dalton",
    "scale_invariant",
    "listener_scale_invariant",
    "listener_additive",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named, versioned way to divide pools, and which properties it has without options.

    `divide` takes facts and options, and returns pool, track, micros, remainder. A rule that sees
    artists also says how much more a share of theirs weighs inside a track: artist, boost.
    """

    name: str
    version: str
    divides: Literal["plays", "bookings", "equally"]  # by what; only plays leave money idle
    options: type
    divide: Callable[[Facts, Any], Table]
    has: frozenset[str]
    boosts: Callable[[Facts, Any], Table] | None = None

    @property
    def sees(self) -> Literal["tracks", "artists"]:
        """Whether it is one rule to divide by tracks and then by shares, or by artists."""
        return "tracks" if self.boosts is None else "artists"

    def choose(self, settings: dict[str, Any]) -> Any:  # noqa: ANN401 - each rule has its own
        """Read options from settings. Raises `ValueError` naming what is no option, or wrong."""
        kinds = get_type_hints(self.options)
        for key, value in settings.items():
            if key not in kinds:
                raise ValueError(f"{self.name} has no option '{key}'; {_known(self.options)}")
            _require(key, value, kinds[key])
        return self.options(**settings)


def _known(options: type) -> str:
    names = ", ".join(field.name for field in fields(options))
    return f"it has {names}" if names else "it has none"


def _require(key: str, value: object, kind: Any) -> None:  # noqa: ANN401 - a type
    if kind is int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{key} must be a whole number from 0 on")
    elif value not in get_args(kind):
        raise ValueError(f"{key} must be one of {', '.join(get_args(kind))}")


_ALL = frozenset(PROPERTIES)
RULES = {
    rule.name: rule
    for rule in (
        Rule(
            name="pro_rata",
            version="pro_rata-2",
            divides="plays",
            options=ProRata,
            divide=pro_rata,
            has=_ALL
            - {
                "fraud_proof",
                "bribery_proof",
                "click_fraud_proof",
                "listener_scale_invariant",
                "listener_additive",
            },
        ),
        Rule(
            name="user_centric",
            version="user_centric-2",
            divides="plays",
            options=UserCentric,
            divide=user_centric,
            has=_ALL - {"strong_sybil_proof", "pigou_dalton"},
        ),
        Rule(
            name="user_equal",
            version="user_equal-1",
            divides="plays",
            options=UserEqual,
            divide=user_equal,
            has=_ALL - {"sybil_proof", "strong_sybil_proof"},
        ),
        Rule(
            name="scaled_user_centric",
            version="scaled_user_centric-1",
            divides="plays",
            options=ScaledUserCentric,
            divide=scaled_user_centric,
            has=_ALL
            - {
                "strong_sybil_proof",
                "pigou_dalton",
                "listener_scale_invariant",
                "listener_additive",
            },
        ),
        Rule(
            name="artist_centric",
            version="artist_centric-1",
            divides="plays",
            options=ArtistCentric,
            divide=artist_centric,
            boosts=artist_boosts,
            has=frozenset({"conservation", "anonymity", "neutrality", "null_payee"}),
        ),
        Rule(
            name="per_generation",
            version="per_generation-1",
            divides="bookings",
            options=PerGeneration,
            divide=per_generation,
            has=_ALL,
        ),
        Rule(
            name="streamed_track",
            version="streamed_track-1",
            divides="bookings",
            options=StreamedTrack,
            divide=streamed_track,
            has=_ALL,
        ),
        Rule(
            name="training_fee",
            version="training_fee-1",
            divides="equally",
            options=TrainingFee,
            divide=training_fee,
            has=_ALL - {"null_payee", "sybil_proof", "strong_sybil_proof"},
        ),
        Rule(
            name="hybrid",
            version="hybrid-1",
            divides="plays",
            options=Hybrid,
            divide=hybrid,
            has=_ALL
            - {
                "null_payee",
                "fraud_proof",
                "bribery_proof",
                "click_fraud_proof",
                "sybil_proof",
                "strong_sybil_proof",
                "listener_scale_invariant",
                "listener_additive",
            },
        ),
    )
}
