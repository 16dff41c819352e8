"""The rules: how pools are divided among tracks, as table expressions.

Nearly all of them say what one play of a listener is worth, and pay each track the sum over its
plays. A rule sees a month's pools at once (`Facts`) and returns a row per pool and track: whole
micros and what was cut off, in billionths of a micro. `royalty.division.settle` gives out what the
floors leave of each pool.

    totals = [PoolTotals(**row) for row in run(pool_totals(facts))]     # refuses beyond the bounds
    tracks = settle(RULES["pro_rata"].divide(facts, ProRata()), pools)  # pools: pool, pool_micros
"""

from __future__ import annotations

from royalty.rules.artist_centric import ArtistCentric, artist_boosts, artist_centric
from royalty.rules.facts import EQUALLY, UNBOOKED, Facts, PoolTotals, pool_totals
from royalty.rules.hybrid import Hybrid, hybrid
from royalty.rules.per_generation import PerGeneration, per_generation
from royalty.rules.pro_rata import ProRata, pro_rata
from royalty.rules.rule import PROPERTIES, Rule
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

_FRAUD = frozenset({"fraud_proof", "bribery_proof", "click_fraud_proof"})
_SYBIL = frozenset({"sybil_proof", "strong_sybil_proof"})
_BY_LISTENER = frozenset({"listener_scale_invariant", "listener_additive"})

RULES = {
    rule.name: rule
    for rule in (
        Rule(
            name="pro_rata",
            version="pro_rata-2",
            divides="plays",
            options=ProRata,
            divide=pro_rata,
            lacks=_FRAUD | _BY_LISTENER,
        ),
        Rule(
            name="user_centric",
            version="user_centric-2",
            divides="plays",
            options=UserCentric,
            divide=user_centric,
            lacks=frozenset({"strong_sybil_proof", "pigou_dalton"}),
        ),
        Rule(
            name="user_equal",
            version="user_equal-1",
            divides="plays",
            options=UserEqual,
            divide=user_equal,
            lacks=_SYBIL,
        ),
        Rule(
            name="scaled_user_centric",
            version="scaled_user_centric-1",
            divides="plays",
            options=ScaledUserCentric,
            divide=scaled_user_centric,
            lacks=_BY_LISTENER | {"strong_sybil_proof", "pigou_dalton"},
        ),
        Rule(
            name="artist_centric",
            version="artist_centric-1",
            divides="plays",
            options=ArtistCentric,
            divide=artist_centric,
            boosts=artist_boosts,
            lacks=_FRAUD
            | _SYBIL
            | _BY_LISTENER
            | {"engagement_monotone", "pigou_dalton", "scale_invariant"},
        ),
        Rule(
            name="per_generation",
            version="per_generation-1",
            divides="bookings",
            options=PerGeneration,
            divide=per_generation,
            lacks=frozenset({"null_payee"}),
        ),
        Rule(
            name="streamed_track",
            version="streamed_track-1",
            divides="bookings",
            options=StreamedTrack,
            divide=streamed_track,
            lacks=frozenset({"null_payee"}),
        ),
        Rule(
            name="training_fee",
            version="training_fee-1",
            divides="equally",
            options=TrainingFee,
            divide=training_fee,
            lacks=_SYBIL | {"null_payee"},
        ),
        Rule(
            name="hybrid",
            version="hybrid-1",
            divides="plays",
            options=Hybrid,
            divide=hybrid,
            lacks=_FRAUD | _SYBIL | _BY_LISTENER | {"null_payee"},
        ),
    )
}
