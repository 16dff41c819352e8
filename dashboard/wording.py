"""What rules and their properties are called on a page, and what they mean."""

from __future__ import annotations

from royalty.blend import is_blend, weights
from royalty.rules import PROPERTIES, RULES

SENTENCES = {
    "pro_rata": "Everybody's money is one pool, divided by plays: a play is worth the same, "
    "whoever pressed it.",
    "user_centric": "Each listener's money goes only to what that listener played. Heavy "
    "listening, or a farm of clicks, draws on nobody else's; only idle money follows all plays.",
    "user_equal": "Each listener's money is divided equally among the tracks that listener played, "
    "however often each of them was played.",
    "scaled_user_centric": "Each listener's money goes only to what that listener played, and no "
    "play brings more than a ceiling, which is the same for all listeners.",
    "artist_centric": "All plays are weighed: those beyond a listener's limit count less, those "
    "asked for and those of artists with an audience count more.",
    "per_generation": "What was paid for one generated track goes to what shaped that track. "
    "Money booked against no track waits in suspense.",
    "streamed_track": "What a track earned elsewhere goes to what shaped that track, whoever "
    "played it there.",
    "training_fee": "Every licensed work gets the same for having been trained on, whatever was "
    "played.",
    "hybrid": "A fixed part is divided equally among licensed works; the rest follows plays and "
    "shares.",
}
# Word, and what it means. In the order of `royalty.rules.PROPERTIES`.
MEANINGS = {
    "conservation": ("Conserving", "What is paid is the pool, to the last micro."),
    "anonymity": ("Anonymous", "Who listened decides nothing, only what was played."),
    "neutrality": ("Neutral", "Who is paid decides nothing, only what was played."),
    "null_payee": ("Nothing for nothing", "Whom nobody played gets nothing."),
    "fraud_proof": ("Fraud-proof", "Fake listeners gain nobody more than the fees they pay."),
    "bribery_proof": (
        "Bribery-proof",
        "Listeners who change what they play move no more than their own fees.",
    ),
    "click_fraud_proof": (
        "Click-fraud-proof",
        "One listener's clicks move no payee by more than that listener's fee.",
    ),
    "sybil_proof": ("Sybil-proof", "A payee who divides into several gains nothing by it."),
    "strong_sybil_proof": (
        "Strongly Sybil-proof",
        "Payees who share out plays among themselves gain nothing by it.",
    ),
    "engagement_monotone": ("Engagement-monotone", "Being played more never costs a payee."),
    "pigou_dalton": (
        "Pigou-Dalton",
        "A track loses nothing when its plays are spread more evenly over listeners.",
    ),
    "scale_invariant": ("Scale-invariant", "All plays counted twice change nothing."),
    "listener_scale_invariant": (
        "Listener-scale-invariant",
        "One listener who plays everything twice as often changes nothing.",
    ),
    "listener_additive": (
        "Listener-additive",
        "Two groups of listeners, divided apart and added up, give the same.",
    ),
}

MARKS = {True: "✓", False: "–"}  # noqa: RUF001
HOLDS = (
    "Properties hold for rules without options, in months in which everybody who pays also plays: "
    "idle money follows all plays."
)


def rule_name(rule: str) -> str:
    """Write a rule's name as a heading does: `Pro rata`, `Pro rata 60 % + user centric 40 %`."""
    if not is_blend(rule):
        return _words(rule).capitalize()
    parts = (f"{_words(name)} {_percent(ppm)}" for name, ppm in weights(rule).items())
    return " + ".join(parts).capitalize()


def sentence(rule: str) -> str:
    """Say plainly what a rule does, or of which rules it is a blend."""
    if not is_blend(rule):
        return SENTENCES[rule]
    parts = [f"{_percent(ppm)} by {_words(name)}" for name, ppm in weights(rule).items()]
    return f"Of every pool, {', '.join(parts[:-1])} and {parts[-1]}."


def properties(rule: str) -> tuple[list[str], list[str]]:
    """List the properties that a rule has, and the rest.

    A rule lacks the rest. A blend has what all of its rules have; nothing is shown of the rest.
    """
    has = frozenset.intersection(*(RULES[name].has for name in weights(rule)))
    return [each for each in PROPERTIES if each in has], [
        each for each in PROPERTIES if each not in has
    ]


def _words(rule: str) -> str:
    return rule.replace("_", " ")


def _percent(ppm: int) -> str:
    whole, fine = divmod(ppm, 10_000)
    return f"{whole}.{fine:04d}".rstrip("0").removesuffix(".") + " %"
