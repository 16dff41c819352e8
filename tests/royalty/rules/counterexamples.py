"""The smallest worlds kept that show which property which rule lacks."""

from __future__ import annotations

from dataclasses import replace

from tests.oracle import PPM, World
from tests.royalty.rules.changed import louder, only_listeners, tracks_named, with_listeners
from tests.royalty.rules.properties import Change

EUR = PPM
T1 = World({("u1", "A"): 90, ("u1", "B"): 10, ("u2", "B"): 10}, {"u1": 10 * EUR, "u2": 10 * EUR})

_UNHEARD = replace(with_listeners(T1, World({("nobody", "C"): 0})), booked={("u1", "C"): EUR})
_HONEST = World({(f"u{n}", "H"): 10 for n in range(9)}, {f"u{n}": EUR for n in range(9)})
_HONEST = with_listeners(_HONEST, World({("nobody", "X"): 0}))
_BOT = World({("bot", "X"): 910}, {"bot": EUR})
_TEMPTED = with_listeners(_HONEST, World({("bot", "H"): 10}, {"bot": EUR}))
_BRIBED = Change(_TEMPTED, with_listeners(_HONEST, _BOT), stake=EUR)

# Two tracks have 500 listeners and 500 plays each; one track has twice the plays.
_EVEN = World(
    {(f"u{n}", track): 1 for n in range(500) for track in "ABC"},
    {f"u{n}": EUR for n in range(500)},
)
_FANS = World(
    {("u1", "A"): 1000, ("u1", "C"): 1000, ("u2", "B"): 1000, ("u2", "C"): 9000},
    {"u1": 10 * EUR, "u2": 10 * EUR},
)
_KEEN = World(
    {("u1", "A"): 1000, ("u2", "B"): 1000}, {"u1": EUR, "u2": EUR}, active={("u1", "A"): 1000}
)
_BREADTH = World(
    {("u1", "A"): 4, ("u1", "B"): 2, ("u2", "C"): 2000}, {"u1": 10 * EUR, "u2": 10 * EUR}
)
_QUIET = World({("u1", "A"): 100, ("u2", "B"): 1000}, {"u1": EUR, "u2": EUR}, 700_000)
_TWO_THIRDS = replace(T1, rate_ppm=700_000)

# By property: what changes, and the rules that lack the property by it.
COUNTER_EXAMPLES: dict[str, tuple[Change, set[str]]] = {
    "null_payee": (
        Change(_UNHEARD, _UNHEARD, payees=("C",)),
        {"per_generation", "streamed_track", "training_fee", "hybrid"},
    ),
    "fraud_proof": (
        Change(_HONEST, with_listeners(_HONEST, _BOT), stake=EUR),
        {"pro_rata", "artist_centric", "hybrid"},
    ),
    "bribery_proof": (_BRIBED, {"pro_rata", "artist_centric", "hybrid"}),
    "click_fraud_proof": (_BRIBED, {"pro_rata", "artist_centric", "hybrid"}),
    "sybil_proof": (
        Change(_EVEN, tracks_named(_EVEN, {"B": "A"}), names={"B": "A"}),
        {"user_equal", "artist_centric", "training_fee", "hybrid"},
    ),
    "strong_sybil_proof": (
        Change(
            _FANS,
            replace(_FANS, plays={("u1", "A"): 2000, ("u1", "C"): 1000, ("u2", "C"): 9000}),
            payees=("A", "B"),
        ),
        {
            "user_centric",
            "user_equal",
            "scaled_user_centric",
            "artist_centric",
            "training_fee",
            "hybrid",
        },
    ),
    "engagement_monotone": (
        Change(_KEEN, replace(_KEEN, plays={**_KEEN.plays, ("u1", "A"): 2000}), payees=("A",)),
        {"artist_centric"},
    ),
    "pigou_dalton": (
        Change(
            _BREADTH,
            replace(_BREADTH, plays={**_BREADTH.plays, ("u1", "A"): 2, ("u2", "A"): 2}),
            payees=("A",),
        ),
        {"user_centric", "scaled_user_centric", "artist_centric"},
    ),
    "scale_invariant": (Change(_QUIET, louder(_QUIET, 2, ("u1", "u2"))), {"artist_centric"}),
    "listener_scale_invariant": (
        Change(_QUIET, louder(_QUIET, 20, ("u1",))),
        {"pro_rata", "scaled_user_centric", "artist_centric", "hybrid"},
    ),
    "listener_additive": (
        Change(
            _TWO_THIRDS,
            only_listeners(_TWO_THIRDS, {"u1"}),
            rest=only_listeners(_TWO_THIRDS, {"u2"}),
        ),
        {"pro_rata", "scaled_user_centric", "artist_centric", "hybrid"},
    ),
}
